use std::time::Duration;

use super::Reason;
use crate::model::{Marks, Phase, Stream};
use crate::stats::quantile;

/// Whether the samples of a phase were sent so late that they say more about this host than about the service: the lag
/// behind the schedule exceeds the interval of the stream.
///
/// In the chaos phase that is judged at the 99th percentile. The baseline and the recovery are judged by their 95th,
/// so there it is the 95th that must not be late: a late baseline makes every later latency look good.
pub fn starved(stream: &Stream, marks: &Marks, phase: Phase) -> Option<Reason> {
    let in_phase = stream.samples.iter().filter(|sample| marks.phase_of(sample.at) == Some(phase));
    let mut lags: Vec<Duration> = in_phase.map(|sample| sample.lag).collect();
    lags.sort_unstable();
    let share = if phase == Phase::Chaos { 0.99 } else { 0.95 };
    let lag = quantile(&lags, share, 0.01)?.estimate;
    (lag > stream.interval).then(|| Reason::ProberStarved {
        stream: stream.name.clone(),
        phase,
        lag,
        interval: stream.interval,
    })
}
