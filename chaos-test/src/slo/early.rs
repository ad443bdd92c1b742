use super::evaluate::Subject;
use super::judge::tails;
use super::noise::without_noise;
use super::starvation::too_late;
use super::{Baseline, Evaluation, Figure, Proof, Rules, Verdict, baseline, proof};
use crate::model::{CountRule, Objectives, Severity, Trace};

/// What the chaos phase has come to before its end.
///
/// ```
/// use chaos_test::slo::SoFar;
///
/// fn goes_on(so_far: &SoFar, planned_length_is_over: bool) -> bool {
///     match so_far {
///         SoFar::Pass | SoFar::Fail => false,
///         SoFar::Open { undecided } => *undecided || !planned_length_is_over,
///         _ => true,
///     }
/// }
/// assert!(goes_on(&SoFar::Open { undecided: true }, true));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum SoFar {
    /// Every share is within its limit, the fault is proven, and the samples came in time: of them the rest of the phase
    /// would tell nothing new.
    Pass,
    /// A share is beyond its limit, the fault is proven, and the samples came in time.
    Fail,
    /// Neither yet. Whether more of the same could tell.
    Open {
        /// Whether a share would be inconclusive if the phase ended now, or void what is beyond its limit.
        undecided: bool,
    },
}

/// What a run that is under its fault has come to. Only what may be [decided in order](CountRule::Sequential) is.
///
/// ```
/// use chaos_test::slo::{SoFar, so_far};
/// use chaos_test::{report::Report, units::TimeUnits};
///
/// /// What a record had come to so many seconds into its chaos phase.
/// fn after(seconds: u32, report: &Report) -> SoFar {
///     let mut trace = report.trace.clone();
///     let end = trace.marks.injected.unwrap_or_default() + seconds.seconds();
///     trace.streams.iter_mut().for_each(|stream| stream.samples.retain(|sample| sample.at < end));
///     trace.delivery.iter_mut().for_each(|fault| fault.readings.retain(|reading| reading.at < end));
///     so_far(&trace, &report.slo.objectives)
/// }
/// ```
pub fn so_far(trace: &Trace, objectives: &Objectives) -> SoFar {
    let open = SoFar::Open { undecided: false };
    if trace.count_rule != CountRule::Sequential || trace.marks.injected.is_none() {
        return open;
    }
    let Ok(baselines) = baseline(trace, objectives) else { return open };
    let shares = shares(trace, objectives, &baselines);
    let proven = matches!(proof(trace.delivery.as_ref(), &trace.marks), Proof::Delivered { .. });
    // A run that ended before its fault is proven, or with samples that were too late, would say nothing of the service; and
    // of more samples fewer are late. What the service must be spared meanwhile the abort conditions say.
    let says_something = || proven && too_late(trace, objectives).is_empty();
    if any_failed(&shares) {
        if !says_something() {
            return SoFar::Open { undecided: true };
        }
        // What fails for the host's sake is no reason to stop.
        let stands = without_noise(trace)
            .is_none_or(|excused| any_failed(&self::shares(&excused, objectives, &baselines)));
        return if stands { SoFar::Fail } else { open };
    }
    // Requests are on no schedule; whoever has bounds on them has the whole phase for them.
    let on_schedule = objectives.endpoints.is_empty();
    // Without any share there is nothing that could be decided.
    let mut open = shares.iter().filter(|share| !cannot_fail(share)).peekable();
    let passed = open.peek().is_some() && open.all(|share| decided(share) == Some(Verdict::Pass));
    if on_schedule && passed && says_something() {
        return SoFar::Pass;
    }
    SoFar::Open { undecided: shares.iter().any(|share| share.verdict == Verdict::Inconclusive) }
}

/// What rests on shares of samples, in every scheduled stream.
fn shares(trace: &Trace, objectives: &Objectives, baselines: &[Baseline]) -> Vec<Evaluation> {
    let (tail, bounds) = (tails(trace, objectives, baselines.len()), &objectives.bounds());
    let severity = Severity::Blocking;
    let scheduled = trace.streams.iter().filter(|stream| stream.kind.is_scheduled());
    scheduled
        .zip(baselines)
        .flat_map(|(stream, normal)| {
            Subject {
                stream,
                trace,
                objectives,
                bounds,
                severity,
                tail,
                on_the_way: true,
                rules: Rules::CURRENT,
            }
            .shares(normal)
        })
        .collect()
}

/// The verdict of a share that was decided on the way.
fn decided(share: &Evaluation) -> Option<Verdict> {
    share.evidence.as_ref()?.decided_after.map(|_| share.verdict)
}

/// Where all samples may be bad, none says anything against it, and there is nothing to decide.
fn cannot_fail(share: &Evaluation) -> bool {
    matches!(share.limit, Figure::Share(limit) if limit >= 1.0)
}

fn any_failed(shares: &[Evaluation]) -> bool {
    shares.iter().any(|share| decided(share) == Some(Verdict::Fail))
}
