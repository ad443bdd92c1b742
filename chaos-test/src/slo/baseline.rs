use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::sham::normal;
use crate::model::{Objectives, Outcome, Phase, Sample, Stream, Trace};
use crate::stats::{Proportion, estimate};
use crate::units::show_duration;

/// What normal looks like for one stream.
///
/// ```
/// use chaos_test::report::Report;
/// use chaos_test::slo::Baseline;
///
/// // The stream that was the slowest before the fault, and what was normal for it.
/// fn slowest(report: &Report) -> Option<(&str, Baseline)> {
///     let streams = report.judgement.streams.iter();
///     let normals = streams.filter_map(|stream| Some((stream.name.as_str(), stream.baseline?)));
///     normals.max_by_key(|(_, normal)| normal.p95)
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Baseline {
    /// How many samples it rests on.
    pub n: u64,
    /// How many of them were bad.
    pub bad: u64,
    /// Median latency.
    pub p50: Duration,
    /// 95th percentile of latency.
    pub p95: Duration,
    /// 99th percentile of latency.
    pub p99: Duration,
}

/// Fewer samples than this do not show what normal is.
const FEWEST: u64 = 20;

impl Baseline {
    /// The latency up to which a sample counts as normal again after the fault: the baseline's p99, or its p95 with
    /// a tenth of the allowed degradation (50 ms if none is set) on top, whichever is more.
    pub fn tolerance(&self, objectives: &Objectives) -> Duration {
        let room = objectives.latency_degradation.map_or(Duration::from_millis(50), |limit| limit / 10);
        self.p99.max(self.p95.saturating_add(room))
    }
}

/// The baseline of every judged stream, or what is wrong with the first unhealthy one.
///
/// ```
/// use chaos_test::model::{Objectives, Outcome, Sample, Stream, StreamKind, Trace};
/// use chaos_test::slo::baseline;
/// use chaos_test::units::TimeUnits;
///
/// let sample = |n: u32| Sample { at: 20.ms() * n, lag: 0.ms(), latency: 8.ms(), outcome: Outcome::Good };
/// let samples = (0..100).map(sample).collect();
/// let app = Stream { name: "app".into(), kind: StreamKind::Probe, interval: 20.ms(), timeout: 1.seconds(), samples };
/// let trace = Trace { streams: vec![app], ..Trace::default() };
/// let normal = baseline(&trace, &Objectives::default()).expect("nothing is wrong with it");
/// assert_eq!((normal[0].n, normal[0].bad, normal[0].p95), (100, 0, 8.ms()));
/// ```
pub fn baseline(trace: &Trace, objectives: &Objectives) -> Result<Vec<Baseline>, String> {
    trace
        .streams
        .iter()
        .filter(|stream| stream.kind.is_scheduled())
        .map(|stream| of(stream, trace, objectives))
        .collect()
}

fn of(stream: &Stream, trace: &Trace, objectives: &Objectives) -> Result<Baseline, String> {
    let samples: Vec<&Sample> = stream
        .samples
        .iter()
        .filter(|sample| trace.marks.phase_of(sample.at) == Some(Phase::Baseline))
        .collect();
    let seen = Proportion::new(samples.iter().filter(|s| !s.is_good()).count() as u64, samples.len() as u64);
    if seen.n < FEWEST {
        return Err(format!(
            "only {} samples of {} before the fault, {FEWEST} are needed",
            seen.n, stream.name
        ));
    }
    let limit = objectives.error_rate.map_or(0.5, |limit| limit.ratio());
    if seen.estimate() > limit || seen.k == seen.n {
        let worst = most_common_failure(&samples);
        return Err(format!(
            "{} of {} samples of {} were bad before any fault ({worst}), more than the limit of {} %",
            seen.k,
            seen.n,
            stream.name,
            (limit * 1e5).round() / 1e3
        ));
    }
    let normal = normal(&samples, stream.interval, trace.sham.as_ref());
    let latencies = latencies(normal.into_iter(), stream.timeout);
    let at = |p: f64| estimate(&latencies, p).unwrap_or_default();
    let found = Baseline { n: seen.n, bad: seen.k, p50: at(0.5), p95: at(0.95), p99: at(0.99) };
    if found.p95 >= stream.timeout {
        return Err(format!(
            "p95 latency of {} is the timeout itself ({})",
            stream.name,
            show_duration(stream.timeout)
        ));
    }
    Ok(found)
}

/// The latencies of the samples that got an answer, sorted; one without an answer counts as the timeout at least.
/// A refused or broken connection says nothing about latency and is left out.
pub(crate) fn latencies<'a>(samples: impl Iterator<Item = &'a Sample>, timeout: Duration) -> Vec<Duration> {
    let mut list: Vec<Duration> = samples.filter_map(|sample| latency_of(sample, timeout)).collect();
    list.sort_unstable();
    list
}

/// The latency a sample tells of, if it does.
pub(super) fn latency_of(sample: &Sample, timeout: Duration) -> Option<Duration> {
    match sample.outcome {
        Outcome::Good => Some(sample.latency),
        Outcome::Timeout | Outcome::Dropped => Some(sample.latency.max(timeout)),
        _ => None,
    }
}

pub(super) fn most_common_failure(samples: &[&Sample]) -> String {
    let mut counts: Vec<(Outcome, usize)> = Vec::new();
    for sample in samples.iter().filter(|sample| !sample.is_good()) {
        match counts.iter_mut().find(|(outcome, _)| *outcome == sample.outcome) {
            Some((_, count)) => *count += 1,
            None => counts.push((sample.outcome, 1)),
        }
    }
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts.first().map_or_else(|| "none bad".into(), |(outcome, count)| format!("{count} {outcome}"))
}
