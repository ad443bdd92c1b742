use std::time::Duration;

use super::Inconclusive;
use super::experiment::{BodyKind, Experiment};
use super::record::Draft;
use crate::engine::Sequential;
use crate::model::{Carried, CarriedShare, Fault};
use crate::report::Report;
use crate::slo::{Reason, Verdict};

/// By how much a chaos phase is made longer at most, where more samples could tell.
const AT_MOST: u32 = 3;

/// Whether evidence is looked at as it comes in, and what there is already.
pub(super) fn sequential(experiment: &Experiment, draft: &Draft) -> Option<Sequential> {
    let at_most = at_most(experiment)?;
    Some(Sequential {
        at_most: (at_most > experiment.scenario.duration).then_some(at_most),
        carried: draft.earlier_try().as_ref().and_then(carried),
    })
}

/// The longest chaos phase, where evidence is looked at as it comes in.
pub(super) fn at_most(experiment: &Experiment) -> Option<Duration> {
    let times = if experiment.inconclusive == Inconclusive::Extends { AT_MOST } else { 1 };
    let longest = experiment.scenario.duration.saturating_mul(times).min(Duration::from_secs(86_400));
    is_in_order(experiment).then_some(longest)
}

/// Whether shares may be decided on the way: the fault is a state that lasts, and nobody needs the whole of it.
fn is_in_order(experiment: &Experiment) -> bool {
    let lasts = |fault: &Fault| !fault.makes_an_outage() && !fault.is_an_event();
    experiment.sequential
        // What it looks at is known when all is over.
        && experiment.asked.custom.is_empty()
        && lasts(&experiment.scenario.fault)
        && !matches!(experiment.body, BodyKind::Once(_))
}

/// What an earlier try of the same test has seen, where it could not tell for want of samples.
fn carried(earlier: &Report) -> Option<Carried> {
    let judgement = &earlier.judgement;
    let undecided = judgement.verdict == Verdict::Inconclusive
        && matches!(judgement.weightiest(), Some(Reason::NeedsMoreSamples { .. }));
    if !undecided {
        return None;
    }
    let shares = judgement.evaluations.iter().filter_map(|evaluation| {
        let seen = evaluation.evidence.as_ref()?.seen;
        Some(CarriedShare {
            stream: evaluation.stream.clone(),
            indicator: evaluation.indicator.key(),
            samples: seen.n,
            bad: seen.k,
            runs: seen.runs,
        })
    });
    let tries = earlier.trace.carried.as_ref().map_or(0, |carried| carried.tries).saturating_add(1);
    let mechanism = Some(earlier.trace.delivery.as_ref()?.mechanism.clone());
    Some(Carried { tries, mechanism, shares: shares.collect() })
}
