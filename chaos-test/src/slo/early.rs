use super::evaluate::Subject;
use super::judge::tails;
use super::{Evaluation, Proof, Verdict, baseline, proof};
use crate::model::{CountRule, Objectives, Severity, Trace};

/// What the chaos phase has come to before its end.
#[derive(Debug, Clone, PartialEq)]
pub enum SoFar {
    /// Every share is within its limit, and the fault is proven: the rest of the phase would tell nothing new.
    Pass,
    /// A share is beyond its limit.
    Fail,
    /// Neither yet. Whether more of the same could tell.
    Open {
        /// Whether a share would be inconclusive if the phase ended now.
        undecided: bool,
    },
}

/// What a run that is under its fault has come to. Only what may be [decided in order](CountRule::Sequential) is.
pub fn so_far(trace: &Trace, objectives: &Objectives) -> SoFar {
    let open = SoFar::Open { undecided: false };
    if trace.count_rule != CountRule::Sequential || trace.marks.injected.is_none() {
        return open;
    }
    let Ok(baselines) = baseline(trace, objectives) else { return open };
    let (tail, bounds) = (tails(trace, objectives, baselines.len()), &objectives.bounds());
    let severity = Severity::Blocking;
    let scheduled = trace.streams.iter().filter(|stream| stream.kind.is_scheduled());
    let shares: Vec<Evaluation> = scheduled
        .zip(&baselines)
        .flat_map(|(stream, normal)| {
            Subject { stream, trace, objectives, bounds, severity, tail }.shares(normal)
        })
        .collect();
    let decided = |evaluation: &Evaluation| {
        let on_the_way = evaluation.evidence.as_ref().is_some_and(|trail| trail.decided_after.is_some());
        on_the_way.then_some(evaluation.verdict)
    };
    if shares.iter().any(|share| decided(share) == Some(Verdict::Fail)) {
        return SoFar::Fail;
    }
    let proven = matches!(proof(trace.delivery.as_ref(), &trace.marks), Proof::Delivered { .. });
    // Without any share there is nothing that could be decided.
    if proven && !shares.is_empty() && shares.iter().all(|share| decided(share) == Some(Verdict::Pass)) {
        return SoFar::Pass;
    }
    SoFar::Open { undecided: shares.iter().any(|share| share.verdict == Verdict::Inconclusive) }
}
