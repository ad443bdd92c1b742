use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{Sample, Stream};

/// A time in which a service was down for its clients.
///
/// ```
/// use std::time::Duration;
///
/// use chaos_test::report::Report;
///
/// // The longest outage of all streams.
/// fn longest(report: &Report) -> Option<Duration> {
///     let ended = report.trace.marks.ended?;
///     let outages = report.judgement.streams.iter().flat_map(|stream| &stream.outages);
///     outages.map(|outage| outage.length(ended)).max()
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Outage {
    /// The first bad sample.
    pub start: Duration,
    /// The first good sample of stable service after it; `None` if that was not seen.
    pub end: Option<Duration>,
    /// How often it seemed to be over and was not.
    pub flaps: u32,
}

impl Outage {
    /// From the first bad sample to the first good one of stable service; to `ended` if there was none.
    pub fn length(&self, ended: Duration) -> Duration {
        self.end.unwrap_or(ended).saturating_sub(self.start)
    }
}

/// So many samples stable service has at least.
pub(crate) const STABLE_SAMPLES: u32 = 30;

/// What counts as stable service.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stable {
    /// How long it must last: at least this and at least 30 samples.
    pub(super) span: Duration,
    /// The share of bad samples allowed in it.
    pub(super) bad_share: f64,
    /// A run of bad samples this long starts an outage.
    pub(super) bad_run: Duration,
}

impl Stable {
    pub(super) fn of(stream: &Stream, stable_for: Duration, bad_share: f64) -> Self {
        Self {
            span: stable_for.max(stream.interval.saturating_mul(STABLE_SAMPLES)),
            bad_share,
            bad_run: stream.interval.saturating_mul(3).max(Duration::from_millis(300)),
        }
    }

    /// Whether a stable window starts at `samples[from]` and is wholly inside what was observed up to `ended`.
    /// `strange` are samples that are good but not as good as the baseline's; up to a tenth may be.
    pub(super) fn starts_at(
        &self,
        samples: &[Sample],
        from: usize,
        interval: Duration,
        ended: Duration,
        strange: &dyn Fn(&Sample) -> bool,
    ) -> bool {
        let until = samples[from].at.saturating_add(self.span);
        until <= ended && self.holds(samples, from, interval, 0, strange)
    }

    /// Whether what was seen from `samples[from]` on may still become a stable window, however little that is.
    pub(super) fn may_start_at(
        &self,
        samples: &[Sample],
        from: usize,
        interval: Duration,
        strange: &dyn Fn(&Sample) -> bool,
    ) -> bool {
        let whole = self.span.as_nanos() / interval.as_nanos().max(1);
        self.holds(samples, from, interval, u32::try_from(whole).unwrap_or(u32::MAX), strange)
    }

    /// Whether the samples there are in the window from `samples[from]` on are stable service, in a window of at least so
    /// many.
    fn holds(
        &self,
        samples: &[Sample],
        from: usize,
        interval: Duration,
        at_least: u32,
        strange: &dyn Fn(&Sample) -> bool,
    ) -> bool {
        let until = samples[from].at.saturating_add(self.span);
        let (mut n, mut bad, mut odd) = (0_u32, 0_u32, 0_u32);
        let mut run_start = None;
        for sample in samples[from..].iter().take_while(|sample| sample.at < until) {
            n += 1;
            if sample.is_good() {
                run_start = None;
                odd += u32::from(strange(sample));
            } else {
                bad += 1;
                let begun = *run_start.get_or_insert(sample.at);
                if sample.at.saturating_add(interval).saturating_sub(begun) >= self.bad_run {
                    return false;
                }
            }
        }
        let n = n.max(at_least);
        f64::from(bad) <= self.bad_share * f64::from(n) && f64::from(odd) <= 0.1 * f64::from(n)
    }
}

/// The outages of a stream between two instants.
///
/// An outage starts at the first bad sample of a bad run of at least 3 intervals and 0.3 s. It ends at the first good
/// sample of a stable window: at least `stable_for` and 30 samples, with a bad share of at most `bad_share` and no
/// further bad run that long. A good spell that is not stable belongs to the outage and counts as a flap.
///
/// ```
/// use chaos_test::model::{Outcome, Sample, Stream, StreamKind};
/// use chaos_test::slo::outages;
/// use chaos_test::units::TimeUnits;
///
/// let outcome = |n: u32| if (20..30).contains(&n) { Outcome::ConnectError } else { Outcome::Good };
/// let sample = |n: u32| Sample { at: 100.ms() * n, lag: 0.ms(), latency: 8.ms(), outcome: outcome(n) };
/// let samples = (0..100).map(sample).collect();
/// let app = Stream { name: "app".into(), kind: StreamKind::Probe, interval: 100.ms(), timeout: 1.seconds(), samples };
/// let found = outages(&app, 0.ms(), 10.seconds(), 3.seconds(), 0.05);
/// assert_eq!((found[0].start, found[0].end), (2.seconds(), Some(3.seconds())));
/// ```
pub fn outages(
    stream: &Stream,
    from: Duration,
    to: Duration,
    stable_for: Duration,
    bad_share: f64,
) -> Vec<Outage> {
    let stable = Stable::of(stream, stable_for, bad_share);
    let first = stream.samples.partition_point(|sample| sample.at < from);
    let last = stream.samples.partition_point(|sample| sample.at < to);
    let samples = &stream.samples[first..last.max(first)];
    let mut found = Vec::new();
    let mut at = 0;
    while let Some((run, after)) = next_bad_run(samples, at, stream.interval, stable.bad_run) {
        let mut outage = Outage { start: samples[run].at, end: None, flaps: 0 };
        at = after;
        while at < samples.len() {
            if samples[at].is_good() {
                if stable.starts_at(samples, at, stream.interval, to, &|_| false) {
                    outage.end = Some(samples[at].at);
                    break;
                }
                at += 1;
            } else {
                let end = run_end(samples, at);
                outage.flaps += u32::from(length(samples, at, end, stream.interval) >= stable.bad_run);
                at = end;
            }
        }
        found.push(outage);
    }
    found
}

/// When an outage whose end was not seen may have ended: the first good sample after it from which all that was seen up to
/// `to` might still become stable service; else `to`. It may as well have gone on for longer than that.
pub(super) fn may_have_ended(
    outage: &Outage,
    stream: &Stream,
    to: Duration,
    stable_for: Duration,
    bad_share: f64,
) -> Duration {
    let stable = Stable::of(stream, stable_for, bad_share);
    let first = stream.samples.partition_point(|sample| sample.at < outage.start);
    let last = stream.samples.partition_point(|sample| sample.at < to);
    let samples = &stream.samples[first..last.max(first)];
    let back = (0..samples.len())
        .find(|&i| samples[i].is_good() && stable.may_start_at(samples, i, stream.interval, &|_| false));
    back.map_or(to, |i| samples[i].at)
}

/// The next bad run of at least `length`: its first index and the index after it.
fn next_bad_run(
    samples: &[Sample],
    mut at: usize,
    interval: Duration,
    least: Duration,
) -> Option<(usize, usize)> {
    while at < samples.len() {
        if samples[at].is_good() {
            at += 1;
            continue;
        }
        let end = run_end(samples, at);
        if length(samples, at, end, interval) >= least {
            return Some((at, end));
        }
        at = end;
    }
    None
}

fn run_end(samples: &[Sample], start: usize) -> usize {
    start + samples[start..].iter().take_while(|sample| !sample.is_good()).count()
}

fn length(samples: &[Sample], start: usize, end: usize, interval: Duration) -> Duration {
    samples[end - 1].at.saturating_add(interval).saturating_sub(samples[start].at)
}
