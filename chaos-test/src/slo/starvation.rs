use std::time::Duration;

use super::Reason;
use super::noise::noisy_baseline;
use crate::model::{Marks, Objectives, Phase, Sample, Stream, Trace};
use crate::stats::estimate;

/// Whether the samples of a phase were sent so late that they say more about this host than about the service: the lag
/// behind the schedule exceeds the interval of the stream.
///
/// In the chaos phase that is judged at the 99th percentile. The baseline and the recovery are judged by their 95th,
/// so there it is the 95th that must not be late: a late baseline makes every later latency look good.
pub(super) fn starved(stream: &Stream, marks: &Marks, phase: Phase) -> Option<Reason> {
    let in_phase = stream.samples.iter().filter(|sample| marks.phase_of(sample.at) == Some(phase));
    let share = if phase == Phase::Chaos { 0.99 } else { 0.95 };
    let lag = lag_at(in_phase, share)?;
    (lag > stream.interval).then(|| Reason::ProberStarved {
        stream: stream.name.clone(),
        phase,
        lag,
        interval: stream.interval,
    })
}

/// How late samples were, at that quantile.
pub(super) fn lag_at<'a>(samples: impl Iterator<Item = &'a Sample>, share: f64) -> Option<Duration> {
    let mut lags: Vec<Duration> = samples.map(|sample| sample.lag).collect();
    lags.sort_unstable();
    estimate(&lags, share)
}

/// Why the samples of a run, or of what there is of it, say more about this host than about the service: first the streams
/// that were [starved], each with its first phase, then those whose [baseline was noisy](noisy_baseline).
pub(crate) fn too_late(trace: &Trace, objectives: &Objectives) -> Vec<Reason> {
    let scheduled = || trace.streams.iter().filter(|stream| stream.kind.is_scheduled());
    let phases = [Phase::Baseline, Phase::Chaos, Phase::Recovery];
    let of_stream = |stream| phases.iter().find_map(|phase| starved(stream, &trace.marks, *phase));
    let noisy = scheduled().filter_map(|stream| noisy_baseline(stream, trace, objectives));
    scheduled().filter_map(of_stream).chain(noisy).collect()
}
