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
}

/// Where in a series of samples stable service can be told to begin. What it looks up takes the same time for a window of any
/// length, so that no record makes a search of it take the square of its samples.
pub(super) struct Windows<'a> {
    samples: &'a [Sample],
    stable: Stable,
    interval: Duration,
    /// How many bad samples come before each, and before the end.
    bad: Vec<u32>,
    /// The same of samples that are good but not as good as the baseline's.
    odd: Vec<u32>,
    /// The samples with which a run of bad ones is long enough for an outage.
    breaks: Vec<usize>,
}

impl<'a> Windows<'a> {
    /// `strange` are samples that are good but not as good as the baseline's; up to a tenth may be.
    pub(super) fn of(
        samples: &'a [Sample],
        stable: Stable,
        interval: Duration,
        strange: &dyn Fn(&Sample) -> bool,
    ) -> Self {
        let (mut bad, mut odd, mut breaks) = (vec![0], vec![0], Vec::new());
        let mut run = None;
        for (n, sample) in samples.iter().enumerate() {
            bad.push(bad[n] + u32::from(!sample.is_good()));
            odd.push(odd[n] + u32::from(sample.is_good() && strange(sample)));
            if sample.is_good() {
                run = None;
            } else {
                let begun = *run.get_or_insert(sample.at);
                if sample.at.saturating_add(interval).saturating_sub(begun) >= stable.bad_run {
                    breaks.push(n);
                }
            }
        }
        Self { samples, stable, interval, bad, odd, breaks }
    }

    /// Whether a stable window starts with this good sample and is wholly inside what was observed up to `ended`.
    pub(super) fn starts_at(&self, from: usize, ended: Duration) -> bool {
        self.samples[from].at.saturating_add(self.stable.span) <= ended && self.holds(from, 0)
    }

    /// Whether what was seen from this good sample on may still become a stable window, however little that is.
    pub(super) fn may_start_at(&self, from: usize) -> bool {
        // One more than fit, for a prober is a bit early or late.
        let whole = self.stable.span.as_nanos().div_ceil(self.interval.as_nanos().max(1)).saturating_add(1);
        self.holds(from, u32::try_from(whole).unwrap_or(u32::MAX))
    }

    /// Whether the samples there are in the window from this good one on are stable service, in a window of at least so many.
    fn holds(&self, from: usize, at_least: u32) -> bool {
        let until = self.samples[from].at.saturating_add(self.stable.span);
        let to = from + self.samples[from..].partition_point(|sample| sample.at < until);
        let first_break = self.breaks.partition_point(|&n| n < from);
        if self.breaks.get(first_break).is_some_and(|&n| n < to) {
            return false;
        }
        let n = f64::from(u32::try_from(to - from).unwrap_or(u32::MAX).max(at_least));
        f64::from(self.bad[to] - self.bad[from]) <= self.stable.bad_share * n
            && f64::from(self.odd[to] - self.odd[from]) <= 0.1 * n
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
    let mut windows = None;
    let mut at = 0;
    while let Some((run, after)) = next_bad_run(samples, at, stream.interval, stable.bad_run) {
        let mut outage = Outage { start: samples[run].at, end: None, flaps: 0 };
        // Mostly there is no outage, and nothing to look up.
        let windows =
            windows.get_or_insert_with(|| Windows::of(samples, stable, stream.interval, &|_| false));
        at = after;
        while at < samples.len() {
            if samples[at].is_good() {
                if windows.starts_at(at, to) {
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
    let windows = Windows::of(samples, stable, stream.interval, &|_| false);
    let back = (0..samples.len()).find(|&i| samples[i].is_good() && windows.may_start_at(i));
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Outcome;

    const INTERVAL: Duration = Duration::from_millis(20);

    fn stable() -> Stable {
        let (span, bad_run) = (Duration::from_millis(600), Duration::from_millis(100));
        Stable { span, bad_share: 0.1, bad_run }
    }

    /// The definition, sample by sample: in the window from this good one on no run is too long, and not too many are bad or
    /// slow, of so many at least.
    fn holds(samples: &[Sample], from: usize, at_least: usize, slow: Duration) -> bool {
        let until = samples[from].at + stable().span;
        let window: Vec<&Sample> = samples[from..].iter().take_while(|sample| sample.at < until).collect();
        let runs = window.chunk_by(|one, next| one.is_good() == next.is_good());
        let too_long = |run: &[&Sample]| {
            !run[0].is_good() && run[run.len() - 1].at + INTERVAL - run[0].at >= stable().bad_run
        };
        let n = window.len().max(at_least) as f64;
        let bad = window.iter().filter(|sample| !sample.is_good()).count();
        let odd = window.iter().filter(|sample| sample.is_good() && sample.latency > slow).count();
        !runs.into_iter().any(too_long) && bad as f64 <= 0.1 * n && odd as f64 <= 0.1 * n
    }

    proptest! {
        #[test]
        fn windows_are_what_they_are_defined_as(
            list in prop::collection::vec((15_u64..25, prop::bool::weighted(0.06), 1_u64..20), 1..200),
            runs in prop::collection::vec((0_usize..200, 1_usize..8), 0..3),
            ended in 0_u64..4_000,
        ) {
            let mut at = Duration::ZERO;
            let mut samples: Vec<Sample> = Vec::new();
            for (gap, bad, latency) in list {
                at += Duration::from_millis(gap);
                let outcome = if bad { Outcome::Timeout } else { Outcome::Good };
                samples.push(Sample { at, lag: Duration::ZERO, latency: Duration::from_millis(latency), outcome });
            }
            for (from, length) in runs {
                samples.iter_mut().skip(from).take(length).for_each(|sample| sample.outcome = Outcome::Timeout);
            }
            let (slow, ended) = (Duration::from_millis(18), Duration::from_millis(ended));
            let windows = Windows::of(&samples, stable(), INTERVAL, &|sample| sample.latency > slow);
            for from in (0..samples.len()).filter(|&n| samples[n].is_good()) {
                let inside = samples[from].at + stable().span <= ended;
                prop_assert_eq!(windows.starts_at(from, ended), inside && holds(&samples, from, 0, slow));
                // 600 ms of a sample each 20 ms, and one more.
                prop_assert_eq!(windows.may_start_at(from), holds(&samples, from, 31, slow));
            }
        }
    }
}
