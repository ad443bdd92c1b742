use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::curve::bad_share;
use super::outage::{Stable, Windows};
use super::{Baseline, outages};
use crate::model::{Marks, Objectives, Sample, Stream};

/// How long a service took to be itself again after the fault was gone.
///
/// ```
/// use chaos_test::slo::RecoveryTime;
/// use chaos_test::units::{TimeUnits, show_duration};
///
/// let show = |time: RecoveryTime| match time {
///     RecoveryTime::After(time) => show_duration(time),
///     RecoveryTime::NotWithin(watched) => format!("more than {}", show_duration(watched)),
///     _ => "unknown".into(),
/// };
/// assert_eq!(show(RecoveryTime::NotWithin(20.seconds())), "more than 20 s");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RecoveryTime {
    /// This long.
    After(Duration),
    /// Not within the watch, which lasted this long after the fault was gone (right-censored).
    NotWithin(Duration),
}

/// From the fault's removal to the first good sample of a stable window in which errors and latency are back in
/// the baseline's tolerance; `None` when the fault was never removed.
///
/// A sample is normal when it is good and not slower than [`Baseline::tolerance`]; a stable window (see
/// [`outages`](super::outages)) starts with a normal sample and has at most a tenth of good but slower ones.
pub(super) fn recovery(
    stream: &Stream,
    baseline: &Baseline,
    marks: &Marks,
    objectives: &Objectives,
) -> Option<RecoveryTime> {
    let (removed, ended) = (marks.removed?, marks.ended?);
    let back = first_normal(stream, baseline, marks, objectives, |windows, i| windows.starts_at(i, ended));
    Some(match back {
        Some(at) => RecoveryTime::After(at.saturating_sub(removed)),
        None => RecoveryTime::NotWithin(ended.saturating_sub(removed)),
    })
}

/// The least that the recovery time can be where it was not seen: to the first sample from which all that was seen might
/// still become stable service, else to the end of the watch.
pub(super) fn recovery_at_least(
    stream: &Stream,
    baseline: &Baseline,
    marks: &Marks,
    objectives: &Objectives,
) -> Option<Duration> {
    let (removed, ended) = (marks.removed?, marks.ended?);
    let possible = first_normal(stream, baseline, marks, objectives, |windows, i| windows.may_start_at(i));
    Some(possible.unwrap_or(ended).saturating_sub(removed))
}

/// When the first normal sample since the removal came with which that begins.
fn first_normal(
    stream: &Stream,
    baseline: &Baseline,
    marks: &Marks,
    objectives: &Objectives,
    begins: impl Fn(&Windows<'_>, usize) -> bool,
) -> Option<Duration> {
    let (removed, ended) = (marks.removed?, marks.ended?);
    let stable = Stable::of(stream, objectives.recovery.stable_for(), bad_share(objectives));
    let tolerance = baseline.tolerance(objectives);
    let slow = |sample: &Sample| sample.latency > tolerance;
    let samples = &stream.samples[..stream.samples.partition_point(|sample| sample.at < ended)];
    let first = samples.partition_point(|sample| sample.at < removed);
    let samples = &samples[first..];
    let windows = Windows::of(samples, stable, stream.interval, &slow);
    let normal = |sample: &Sample| sample.is_good() && !slow(sample);
    let back = (0..samples.len()).find(|&i| normal(&samples[i]) && begins(&windows, i))?;
    Some(samples[back].at)
}

/// Whether a watch may end: the stream has recovered, nothing is down, and the chaos phase has been over for as long as
/// stable service takes to show. Without the last two, a service that falls over at the end of the chaos phase would go
/// unseen.
///
/// ```
/// use chaos_test::model::{Objectives, Trace};
/// use chaos_test::slo::{baseline, has_settled};
///
/// // Whether every stream has settled by `trace.marks.ended`.
/// fn all_settled(trace: &Trace, objectives: &Objectives) -> bool {
///     let Ok(normals) = baseline(trace, objectives) else { return false };
///     let scheduled = trace.streams.iter().filter(|stream| stream.kind.is_scheduled());
///     scheduled.zip(&normals).all(|(stream, normal)| has_settled(stream, normal, &trace.marks, objectives))
/// }
/// ```
pub fn has_settled(stream: &Stream, baseline: &Baseline, marks: &Marks, objectives: &Objectives) -> bool {
    let (Some(chaos_ended), Some((from, ended))) = (marks.chaos_ended, marks.exposed()) else { return false };
    let bad_share = bad_share(objectives);
    let stable_for = objectives.recovery.stable_for();
    let recovered = matches!(recovery(stream, baseline, marks, objectives), Some(RecoveryTime::After(_)));
    let watched = ended >= chaos_ended.saturating_add(Stable::of(stream, stable_for, bad_share).span);
    let down = outages(stream, from, ended, stable_for, bad_share).iter().any(|outage| outage.end.is_none());
    recovered && watched && !down
}
