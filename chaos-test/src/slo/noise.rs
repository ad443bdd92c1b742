use std::time::Duration;

use super::{Evaluation, Judgement, Reason, Verdict};
use crate::model::{NoiseWindow, Objectives, Outcome, Phase, Sample, Stream, Trace};

/// A waking that late or less is what an idle host does: it excuses nothing.
const QUIET: Duration = Duration::from_millis(2);
/// And a share of stolen time of that or less.
const QUIET_STEAL: f64 = 0.02;
/// What a window of the witness usually is: a life of up to so long is late once.
const WINDOW: Duration = Duration::from_millis(250);

/// How the host did in a span of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct HostNoise {
    /// How many windows there were.
    pub(crate) windows: u64,
    /// In how many of them the host was late by more than the bound asked about.
    pub(crate) noisy: u64,
    /// The latest waking of all.
    pub(crate) worst: Duration,
    /// The median of the windows' latest wakings.
    pub(crate) median: Duration,
    /// The mean share of time in which somebody waited for a processor; absent where the kernel does not say.
    pub(crate) pressure: Option<f64>,
    /// The mean share of stolen time.
    pub(crate) steal: Option<f64>,
}

impl HostNoise {
    /// The noise of those windows; `None` without one.
    fn of<'a>(windows: impl Iterator<Item = &'a NoiseWindow>, bound: Duration) -> Option<Self> {
        let windows: Vec<&NoiseWindow> = windows.collect();
        let mut lags: Vec<Duration> = windows.iter().map(|window| window.lag).collect();
        lags.sort_unstable();
        Some(Self {
            windows: lags.len() as u64,
            noisy: lags.iter().filter(|lag| **lag > bound).count() as u64,
            worst: *lags.last()?,
            median: lags[lags.len() / 2],
            pressure: mean(windows.iter().filter_map(|window| window.pressure)),
            steal: mean(windows.iter().filter_map(|window| window.steal)),
        })
    }
}

/// The mean, in whole thousandths.
fn mean(shares: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, n) = shares.fold((0.0, 0_u32), |(sum, n), share| (sum + share, n + 1));
    (n > 0).then(|| (sum / f64::from(n) * 1e3).round() / 1e3)
}

/// How late a host may be before it says more than the service does: the interval of the stream, or a tenth of the allowed
/// degradation, whichever is more.
pub(crate) fn noisy_from(interval: Duration, objectives: &Objectives) -> Duration {
    interval.max(objectives.latency_degradation.unwrap_or_default() / 10)
}

/// How the host did through a whole run, noisy by the least bound of its scheduled streams.
pub(crate) fn host_noise(trace: &Trace, objectives: &Objectives) -> Option<HostNoise> {
    let scheduled = trace.streams.iter().filter(|stream| stream.kind.is_scheduled());
    let bound = scheduled.map(|stream| noisy_from(stream.interval, objectives)).min().unwrap_or(WINDOW);
    HostNoise::of(trace.noise.iter(), bound)
}

/// Whether the host was so late in more than half of the baseline that nobody can say what is normal for that stream. A
/// late baseline makes every later latency look good.
pub(super) fn noisy_baseline(stream: &Stream, trace: &Trace, objectives: &Objectives) -> Option<Reason> {
    let bound = noisy_from(stream.interval, objectives);
    let of_baseline =
        trace.noise.iter().filter(|window| trace.marks.phase_of(window.at) == Some(Phase::Baseline));
    let found = HostNoise::of(of_baseline, bound)?;
    (found.noisy > found.windows - found.noisy).then(|| reason(stream, Phase::Baseline, &found))
}

fn reason(stream: &Stream, phase: Phase, found: &HostNoise) -> Reason {
    Reason::NoisyHost {
        stream: stream.name.clone(),
        phase,
        lag: found.worst,
        windows: found.noisy,
        of: found.windows,
        pressure: found.pressure,
        steal: found.steal,
    }
}

/// Takes back what rests on noise: every failed evaluation that does not fail when the samples are excused for what the
/// host took from them becomes Inconclusive. `evaluate` makes the evaluations of a trace.
///
/// Nothing else changes: noise makes a service look worse, so what passed stands, and what fails all the same too.
pub(super) fn excuse(
    judgement: &mut Judgement,
    trace: &Trace,
    evaluate: impl FnOnce(&mut Judgement, &Trace),
) {
    let failed = |evaluation: &Evaluation| evaluation.verdict == Verdict::Fail;
    if !judgement.evaluations.iter().any(failed) {
        return;
    }
    let host = Host::of(trace);
    let Some(excused) = host.excused() else { return };
    let mut again = Judgement { evaluations: Vec::new(), streams: Vec::new(), ..judgement.clone() };
    evaluate(&mut again, &excused);
    for evaluation in judgement.evaluations.iter_mut().filter(|evaluation| failed(evaluation)) {
        let same = |other: &&Evaluation| {
            (other.indicator, &other.stream, other.limit)
                == (evaluation.indicator, &evaluation.stream, evaluation.limit)
        };
        let stands = again.evaluations.iter().filter(same).any(failed);
        let stream = trace.streams.iter().find(|stream| stream.name == evaluation.stream);
        if let (false, Some(stream)) = (stands, stream) {
            evaluation.verdict = Verdict::Inconclusive;
            evaluation.reason = Some(reason(stream, Phase::Chaos, &host.seen_by(stream)));
        }
    }
}

/// The trace with every sample since the injection excused for what the host took from it; `None` where that was nothing.
pub(super) fn without_noise(trace: &Trace) -> Option<Trace> {
    Host::of(trace).excused()
}

/// What is said of a stream that looks bad for the host's sake.
pub(super) fn blamed(trace: &Trace, stream: &Stream) -> Reason {
    reason(stream, Phase::Chaos, &Host::of(trace).seen_by(stream))
}

/// What is known of the host of a run.
struct Host<'a> {
    trace: &'a Trace,
    windows: Vec<&'a NoiseWindow>,
}

impl<'a> Host<'a> {
    fn of(trace: &'a Trace) -> Self {
        let mut windows: Vec<&NoiseWindow> = trace.noise.iter().collect();
        windows.sort_by_key(|window| window.at);
        Self { trace, windows }
    }

    /// The trace with every sample since the injection excused; `None` where there is nothing to excuse.
    fn excused(&self) -> Option<Trace> {
        let mut streams = self.trace.streams.clone();
        let mut any = false;
        for stream in &mut streams {
            for sample in &mut stream.samples {
                let exposed = self.trace.marks.inject_started.is_some_and(|started| sample.at >= started);
                let here = !self.trace.elsewhere.contains(&stream.name);
                let taken = if exposed { self.taken(sample, stream.timeout, here) } else { Duration::ZERO };
                any |= !taken.is_zero();
                *sample = excused(*sample, taken, stream.timeout);
            }
        }
        any.then(|| Trace { streams, ..self.trace.clone() })
    }

    /// How much of a sample's latency the host took: its own lag, and the latest wakings of as many windows as it lived
    /// long, of those it lived in. `here` is whether the service shares the host.
    fn taken(&self, sample: &Sample, timeout: Duration, here: bool) -> Duration {
        let own = heard(sample.lag);
        let (from, to) = match sample.outcome {
            // It found no place: those before it were still there.
            Outcome::Dropped => (sample.at.saturating_sub(timeout), sample.at),
            _ => (sample.at.saturating_add(sample.lag), sample.at.saturating_add(sample.latency)),
        };
        let mut late: Vec<Duration> = Vec::new();
        let mut stolen = Duration::ZERO;
        for window in self.between(from, to) {
            let lived = to.min(window.end()).saturating_sub(from.max(window.at));
            if here && self.is_fault(window) {
                let share = window.steal.filter(|share| *share > QUIET_STEAL).unwrap_or(0.0);
                let part = Duration::try_from_secs_f64(lived.as_secs_f64() * share.min(1.0));
                stolen = stolen.saturating_add(part.unwrap_or(lived));
            } else {
                late.push(heard(window.lag));
            }
        }
        late.sort_unstable_by_key(|lag| std::cmp::Reverse(*lag));
        let life = to.saturating_sub(from);
        let times = usize::try_from(life.as_nanos().div_ceil(WINDOW.as_nanos())).unwrap_or(usize::MAX);
        let late = late.iter().take(times).fold(stolen, |sum, lag| sum.saturating_add(*lag));
        own.saturating_add(late.min(life))
    }

    /// The windows that a span of time touches.
    fn between(&self, from: Duration, to: Duration) -> impl Iterator<Item = &NoiseWindow> {
        let first = self.windows.partition_point(|window| window.end() <= from);
        self.windows[first..].iter().copied().take_while(move |window| window.at < to)
    }

    /// Whether a late host was the fault itself then.
    fn is_fault(&self, window: &NoiseWindow) -> bool {
        let marks = &self.trace.marks;
        self.trace.noise_is_fault
            && marks.inject_started.is_some_and(|started| window.end() > started)
            && marks.removed.is_none_or(|removed| window.at < removed)
    }

    /// What is told of the noise that a stream was excused for: the windows since the injection that excuse something,
    /// and its own lag if that was more.
    fn seen_by(&self, stream: &Stream) -> HostNoise {
        let started = self.trace.marks.inject_started.unwrap_or_default();
        let exposed = self.windows.iter().copied().filter(|window| window.end() > started);
        let here = !self.trace.elsewhere.contains(&stream.name);
        let counted: Vec<&NoiseWindow> = exposed.filter(|window| !(here && self.is_fault(window))).collect();
        let seen = HostNoise::of(counted.into_iter(), QUIET);
        let own = stream.samples.iter().filter(|sample| sample.at >= started).map(|sample| sample.lag).max();
        let own = own.unwrap_or_default();
        let nothing =
            HostNoise { windows: 0, noisy: 0, worst: own, median: own, pressure: None, steal: None };
        seen.map_or(nothing, |seen| HostNoise { worst: seen.worst.max(own), ..seen })
    }
}

/// A lag as far as it excuses something.
fn heard(lag: Duration) -> Duration {
    if lag > QUIET { lag } else { Duration::ZERO }
}

/// A sample without what the host took from it. A time-out of which the host took half or more says nothing about the
/// service: it passes for the best there is.
fn excused(sample: Sample, taken: Duration, timeout: Duration) -> Sample {
    match sample.outcome {
        Outcome::Timeout | Outcome::Dropped => {
            let void = !taken.is_zero() && taken.saturating_mul(2) >= timeout;
            let best = Sample { latency: Duration::ZERO, outcome: Outcome::Good, ..sample };
            if void { best } else { sample }
        }
        _ => Sample { latency: sample.latency.saturating_sub(taken), ..sample },
    }
}

#[cfg(test)]
mod tests;
