use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::baseline::latencies;
use super::curve::{CurveStep, StepState, bad_share};
use super::figures::StreamFigures;
use super::noise::{blamed, without_noise};
use super::outage::Stable;
use super::{Baseline, Finding, Judgement, Reason, RecoveryTime, Rules, Verdict};
use crate::model::{Objectives, Sample, Stream, Trace};
use crate::stats::estimate;

/// How a service stays out of its baseline after the fault is gone.
///
/// ```
/// use chaos_test::report::Report;
/// use chaos_test::slo::{NonRecovery, Reason};
///
/// // The streams that answered to the end and stayed slow, as with a queue that does not drain.
/// fn still_slow(report: &Report) -> Vec<&str> {
///     let slow = report.judgement.lasting().into_iter().filter_map(|reason| match reason {
///         Reason::Metastable { stream, kind: NonRecovery::Slow, .. } => Some(stream.as_str()),
///         _ => None,
///     });
///     slow.collect()
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NonRecovery {
    /// Nothing but errors.
    Down,
    /// A share of errors above the limit.
    Failing,
    /// It answers, and slower than its baseline's tolerance.
    Slow,
    /// It comes and goes.
    Flapping,
}

impl fmt::Display for NonRecovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Down => "down",
            Self::Failing => "failing",
            Self::Slow => "slow",
            Self::Flapping => "flapping",
        })
    }
}

/// Why a stream is metastable; `None` where it is not, or where that cannot be said.
///
/// It is where the fault was seen gone, was then watched for as long as recovery may take twice over and for a stable
/// window at least, has not recovered in that time, and is out of its baseline's tolerance at the end of it. One that was
/// back before the end, too late for a stable window to show, is not.
fn metastable(
    stream: &Stream,
    figures: &StreamFigures,
    trace: &Trace,
    objectives: &Objectives,
) -> Option<Reason> {
    let Some(RecoveryTime::NotWithin(watched)) = figures.recovery_time else { return None };
    let (removed, ended) = (trace.marks.removed?, trace.marks.ended?);
    let window = Stable::of(stream, objectives.recovery.stable_for(), bad_share(objectives)).span;
    if watched < objectives.recovery.limit_or_usual().saturating_mul(2).max(window) {
        return None;
    }
    let last = ended.saturating_sub(window).max(removed);
    let kind = kind(&figures.curve, removed, last)?;
    let tail: Vec<&Sample> =
        stream.samples.iter().filter(|sample| sample.at >= last && sample.at < ended).collect();
    let latencies = latencies(tail.iter().copied(), stream.timeout);
    Some(Reason::Metastable {
        stream: stream.name.clone(),
        kind,
        lasting: watched,
        p95: estimate(&latencies, 0.95),
        normal_p95: figures.baseline?.p95,
        bad: tail.iter().filter(|sample| !sample.is_good()).count() as u64,
        of: tail.len() as u64,
    })
}

/// What kind of non-recovery a curve shows after the fault's removal, by how it ends: by its steps from `last` on.
fn kind(curve: &[CurveStep], removed: Duration, last: Duration) -> Option<NonRecovery> {
    let after: Vec<&CurveStep> =
        curve.iter().filter(|step| step.at >= removed && step.is_within().is_some()).collect();
    // The step in which the last window begins is its first one.
    let begin = after.partition_point(|step| step.at <= last).saturating_sub(1);
    let tail = &after[begin..];
    let out = |steps: &[&CurveStep]| steps.iter().filter(|step| step.state != StepState::Normal).count();
    let lost =
        after.windows(2).filter(|two| two[0].state == StepState::Normal && out(&two[1..]) == 1).count();
    let back = after.last()?.state == StepState::Normal;
    let often_normal = (after.len() - out(&after)) * 4 >= after.len();
    if lost >= 2 && out(tail) > 0 && (back || often_normal) {
        return Some(NonRecovery::Flapping);
    }
    if back || out(tail) * 2 <= tail.len() {
        return None;
    }
    let in_state = |state| tail.iter().filter(|step| step.state == state).count();
    Some(if tail.iter().all(|step| step.state == StepState::Down) {
        NonRecovery::Down
    } else if in_state(StepState::Slow) >= in_state(StepState::Failing) + in_state(StepState::Down) {
        NonRecovery::Slow
    } else {
        NonRecovery::Failing
    })
}

impl Judgement {
    /// Says of every stream that has not come back what there is to say, and fails what came back and did not stay, with
    /// or without a limit on the recovery time.
    pub(super) fn find_lasting(
        &mut self,
        trace: &Trace,
        objectives: &Objectives,
        baselines: &[Baseline],
        rules: Rules,
    ) {
        if self.streams.iter().any(|stream| stream.relapsed) {
            self.findings.push(Finding::Relapse);
        }
        // What says more about the host than about the service fails nobody.
        let reasons = if rules >= Rules::Second && !self.is_void() {
            reasons(&self.streams, trace, objectives)
        } else {
            Vec::new()
        };
        let (reasons, for_the_host) = self.standing(reasons, trace, objectives, baselines);
        let mut named = Vec::new();
        for reason in &reasons {
            if let Reason::Metastable { stream, kind, .. } = reason {
                named.push(stream.as_str());
                self.findings.push(Finding::Metastable { stream: stream.clone(), kind: *kind });
            }
        }
        let not_back =
            |figures: &StreamFigures| matches!(figures.recovery_time, Some(RecoveryTime::NotWithin(_)));
        if self.streams.iter().any(|figures| not_back(figures) && !named.contains(&figures.name.as_str())) {
            self.findings.push(Finding::StillBad);
        }
        reasons.into_iter().for_each(|reason| self.push(Verdict::Fail, reason));
        for_the_host.into_iter().for_each(|reason| self.push(Verdict::Inconclusive, reason));
    }

    /// Those of the reasons that stand on samples that are excused for what the host took from them, and what is said
    /// instead of the others.
    fn standing(
        &self,
        reasons: Vec<Reason>,
        trace: &Trace,
        objectives: &Objectives,
        baselines: &[Baseline],
    ) -> (Vec<Reason>, Vec<Reason>) {
        let excused = if reasons.is_empty() { None } else { without_noise(trace) };
        let Some(excused) = excused else { return (reasons, Vec::new()) };
        let mut again = Self { evaluations: Vec::new(), streams: Vec::new(), ..self.clone() };
        // By those rules alone there is something to take back.
        again.evaluate(&excused, objectives, baselines, Rules::Second);
        let still = self::reasons(&again.streams, &excused, objectives);
        let stands = |reason: &Reason| still.iter().any(|other| concerned(other) == concerned(reason));
        let (standing, fallen): (Vec<_>, Vec<_>) = reasons.into_iter().partition(stands);
        let stream_of = |reason: &Reason| {
            let name = concerned(reason)?;
            trace.streams.iter().find(|stream| stream.kind.is_scheduled() && stream.name == name)
        };
        let fallen = fallen.iter().filter_map(stream_of).map(|stream| blamed(trace, stream)).collect();
        (standing, fallen)
    }

    /// Why the service has not come back for good: metastable, or a relapse; each stream once.
    pub fn lasting(&self) -> Vec<&Reason> {
        let lasting = |reason: &&Reason| matches!(reason, Reason::Metastable { .. } | Reason::Relapse { .. });
        if self.is_void() { Vec::new() } else { self.reasons.iter().filter(lasting).collect() }
    }
}

/// The stream that did not come back for good.
fn concerned(reason: &Reason) -> Option<&str> {
    match reason {
        Reason::Metastable { stream, .. } | Reason::Relapse { stream, .. } => Some(stream),
        _ => None,
    }
}

/// Why each of those streams that has not come back for good fails.
fn reasons(streams: &[StreamFigures], trace: &Trace, objectives: &Objectives) -> Vec<Reason> {
    let judged = trace.streams.iter().filter(|stream| stream.kind.is_scheduled());
    let of_one = |(stream, figures): (&Stream, &StreamFigures)| {
        metastable(stream, figures, trace, objectives).or_else(|| relapse(figures, trace))
    };
    judged.zip(streams).filter_map(of_one).collect()
}

/// Why a stream that went down again fails.
fn relapse(figures: &StreamFigures, trace: &Trace) -> Option<Reason> {
    let Some(RecoveryTime::After(time)) = figures.recovery_time.filter(|_| figures.relapsed) else {
        return None;
    };
    let recovered = trace.marks.removed?.saturating_add(time);
    let again = figures.outages.iter().find(|outage| outage.start > recovered)?;
    Some(Reason::Relapse {
        stream: figures.name.clone(),
        after: again.start.saturating_sub(recovered),
        lasting: again.length(trace.marks.ended?),
        over: again.end.is_some(),
    })
}
