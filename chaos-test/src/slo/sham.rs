use std::time::Duration;

use super::baseline::latencies;
use super::starvation::lag_at;
use crate::model::{DoorCheck, Objectives, Sample, Sham, Stream, Trace};
use crate::stats::estimate;

/// Fewer samples than this show no cost.
const FEWEST: usize = 20;

/// What the harness itself adds to the latency of a stream, in seconds: negative where chance made the part with more of
/// the harness faster.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct HarnessCost {
    /// Whose latency.
    pub(crate) of: String,
    /// At the median.
    pub(crate) p50: f64,
    /// At the 95th percentile.
    pub(crate) p95: f64,
}

impl HarnessCost {
    /// `more` less `less`; both are sorted.
    fn between(of: &str, less: &[Duration], more: &[Duration]) -> Option<Self> {
        if less.len().min(more.len()) < FEWEST {
            return None;
        }
        let at = |p| {
            let of = |list: &[Duration]| estimate(list, p).map(|span| span.as_secs_f64());
            Some(of(more)? - of(less)?)
        };
        Some(Self { of: of.to_owned(), p50: at(0.5)?, p95: at(0.95)? })
    }
}

/// What the machinery of the fault costs at rest, per scheduled stream: the part of the baseline in which it was in place,
/// less the bare part.
pub(crate) fn machinery_cost(trace: &Trace) -> Vec<HarnessCost> {
    let Some((began, from, to)) = trace.sham.as_ref().and_then(Sham::spans) else { return Vec::new() };
    let scheduled = trace.streams.iter().filter(|stream| stream.kind.is_scheduled());
    let cost = |stream: &Stream| {
        let of = |from: Duration, to: Duration| {
            latencies(stream.samples.iter().filter(|s| s.at >= from && s.at < to), stream.timeout)
        };
        HarnessCost::between(&stream.name, &of(Duration::ZERO, began), &of(from, to))
    };
    scheduled.filter_map(cost).collect()
}

/// What the front door of the target costs, by checks past it and through it.
pub(crate) fn door_cost(trace: &Trace) -> Option<HarnessCost> {
    let sorted = |of: fn(&DoorCheck) -> Duration| {
        let mut list: Vec<Duration> = trace.door.iter().map(of).collect();
        list.sort_unstable();
        list
    };
    HarnessCost::between("the front door", &sorted(|pair| pair.direct), &sorted(|pair| pair.through))
}

/// Those of a stream's samples of the baseline that normal is read from: where the machinery of the fault was in place
/// for enough of them, and they were on time, these, so that what it costs is not charged to the service; else all.
pub(super) fn normal<'a>(all: &[&'a Sample], interval: Duration, sham: Option<&Sham>) -> Vec<&'a Sample> {
    let within = sham.and_then(Sham::spans).map(|(_, from, to)| {
        let within = all.iter().copied().filter(|sample| sample.at >= from && sample.at < to);
        within.collect::<Vec<_>>()
    });
    // What the 95th percentile is read from may have been late itself, though the whole was not.
    let on_time = |within: &[&Sample]| lag_at(within.iter().copied(), 0.95).is_none_or(|lag| lag <= interval);
    within.filter(|within| within.len() >= 2 * FEWEST && on_time(within)).unwrap_or_else(|| all.to_vec())
}

/// Why the machinery of a fault had better not be put in place yet, by what was seen of the baseline so far.
#[cfg_attr(not(feature = "runtime"), allow(dead_code, reason = "only a run asks"))]
pub(crate) fn too_unwell(trace: &Trace, objectives: &Objectives) -> Option<String> {
    let limit = objectives.error_rate.map_or(0.5, |limit| limit.ratio());
    let scheduled = trace.streams.iter().filter(|stream| stream.kind.is_scheduled());
    scheduled.filter(|stream| !stream.samples.is_empty()).find_map(|stream| {
        let bad = stream.samples.iter().filter(|sample| !sample.is_good()).count();
        let all = stream.samples.len();
        let unwell = bad as f64 > limit * all as f64 || bad == all;
        unwell.then(|| format!("{bad} of the first {all} samples of {} were bad", stream.name))
    })
}

#[cfg(test)]
mod tests;
