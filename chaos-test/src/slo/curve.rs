use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Baseline;
use super::baseline::latencies;
use super::outage::Stable;
use crate::model::{Marks, Objectives, Sample, Stream};
use crate::stats::estimate;

/// One step of a recovery curve: how a stream fared for a second or so.
///
/// ```
/// use chaos_test::slo::{CurveStep, StreamFigures};
///
/// // The last step in which the stream was not itself.
/// fn last_out(stream: &StreamFigures) -> Option<&CurveStep> {
///     stream.curve.iter().rev().find(|step| step.is_within() == Some(false))
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CurveStep {
    /// When it begins; it ends where the next one does, the last one with the watch.
    pub at: Duration,
    /// How many samples were scheduled in it.
    pub n: u64,
    /// How many of them were bad.
    pub bad: u64,
    /// Median latency; absent where nothing answered.
    pub p50: Option<Duration>,
    /// 95th percentile of latency.
    pub p95: Option<Duration>,
    /// What it comes to.
    pub state: StepState,
}

/// What a step of a recovery curve comes to.
///
/// ```
/// use chaos_test::slo::StepState;
///
/// let symbol = |state: StepState| match state {
///     StepState::Normal => '·',
///     StepState::Slow => '~',
///     StepState::Failing | StepState::Down => 'x',
///     _ => ' ',
/// };
/// let curve = [StepState::Down, StepState::Slow, StepState::Normal];
/// assert_eq!(curve.map(symbol), ['x', '~', '·']);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StepState {
    /// It has no samples.
    Unknown,
    /// Within the baseline's tolerance.
    Normal,
    /// Enough good answers, and more than a tenth of them slower than the tolerance.
    Slow,
    /// More bad samples than the error rate may have, or a bad run as long as an outage's.
    Failing,
    /// Nothing but bad samples.
    Down,
}

impl CurveStep {
    /// Whether it is within the baseline's tolerance; `None` where it has no samples.
    pub fn is_within(&self) -> Option<bool> {
        (self.state != StepState::Unknown).then_some(self.state == StepState::Normal)
    }
}

/// A part of a curve has this many steps at most: a longer one has longer steps.
const MOST: u32 = 120;

/// How a stream fared from the start of the injection to the end of the watch, in steps of at least a second and five
/// intervals; the removal of the fault is where one of them begins.
///
/// A step is within tolerance when it could be a part of a stable window (see [`recovery`](super::recovery)): no more bad
/// samples than the error rate may have, no bad run as long as an outage's, and at most a tenth of good but slower ones.
pub(super) fn curve(
    stream: &Stream,
    baseline: &Baseline,
    marks: &Marks,
    objectives: &Objectives,
) -> Vec<CurveStep> {
    let Some((from, to)) = marks.exposed() else { return Vec::new() };
    let step = stream.interval.saturating_mul(5).max(Duration::from_secs(1));
    let removed = marks.removed.filter(|removed| *removed > from && *removed < to);
    let parts = removed.map_or_else(|| vec![(from, to)], |removed| vec![(from, removed), (removed, to)]);
    let mut buckets: Vec<Bucket<'_>> = parts.iter().flat_map(|part| divided(*part, step)).collect();
    let rules = Stable::of(stream, objectives.recovery.stable_for(), bad_share(objectives));
    let tolerance = baseline.tolerance(objectives);
    let mut run_start = None;
    for sample in stream.samples.iter().filter(|sample| sample.at >= from && sample.at < to) {
        let after = buckets.partition_point(|bucket| bucket.at <= sample.at);
        let Some(bucket) = after.checked_sub(1).map(|at| &mut buckets[at]) else { continue };
        bucket.samples.push(sample);
        if sample.is_good() {
            run_start = None;
            bucket.slow += u64::from(sample.latency > tolerance);
        } else {
            bucket.bad += 1;
            let begun = *run_start.get_or_insert(sample.at);
            bucket.long_run |=
                sample.at.saturating_add(stream.interval).saturating_sub(begun) >= rules.bad_run;
        }
    }
    buckets.iter().map(|bucket| bucket.step(stream.timeout, rules.bad_share)).collect()
}

/// The share of bad samples that stable service may have.
pub(super) fn bad_share(objectives: &Objectives) -> f64 {
    objectives.error_rate.map_or(0.05, |limit| limit.ratio())
}

/// The steps of a part, all as long as each other and at least as long as that, if the part is.
fn divided<'a>((from, to): (Duration, Duration), step: Duration) -> impl Iterator<Item = Bucket<'a>> {
    let whole = to.saturating_sub(from);
    let steps = u32::try_from(whole.as_nanos() / step.as_nanos().max(1)).map_or(MOST, |n| n.clamp(1, MOST));
    let step = whole / steps;
    (0..if whole.is_zero() { 0 } else { steps }).map(move |n| Bucket {
        at: at_resolution(from.saturating_add(step.saturating_mul(n))),
        ..Bucket::default()
    })
}

/// The record's resolution of a curve is that of its samples.
fn at_resolution(span: Duration) -> Duration {
    Duration::from_micros(micros(span))
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

/// What came in one step.
#[derive(Default)]
struct Bucket<'a> {
    at: Duration,
    samples: Vec<&'a Sample>,
    bad: u64,
    slow: u64,
    long_run: bool,
}

impl Bucket<'_> {
    fn step(&self, timeout: Duration, bad_share: f64) -> CurveStep {
        let n = self.samples.len() as u64;
        let list = latencies(self.samples.iter().copied(), timeout);
        let at = |p| estimate(&list, p).map(at_resolution);
        let state = if n == 0 {
            StepState::Unknown
        } else if self.bad == n {
            StepState::Down
        } else if self.long_run || self.bad as f64 > bad_share * n as f64 {
            StepState::Failing
        } else if self.slow as f64 > 0.1 * n as f64 {
            StepState::Slow
        } else {
            StepState::Normal
        };
        CurveStep { at: self.at, n, bad: self.bad, p50: at(0.5), p95: at(0.95), state }
    }
}

/// A step as it is stored: `[at, n, bad, p50, p95, state]`, times in whole microseconds.
type Stored = (u64, u64, u64, Option<u64>, Option<u64>, StepState);

impl Serialize for CurveStep {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let stored: Stored =
            (micros(self.at), self.n, self.bad, self.p50.map(micros), self.p95.map(micros), self.state);
        stored.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for CurveStep {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (at, n, bad, p50, p95, state) = Stored::deserialize(deserializer)?;
        let span = Duration::from_micros;
        Ok(Self { at: span(at), n, bad, p50: p50.map(span), p95: p95.map(span), state })
    }
}
