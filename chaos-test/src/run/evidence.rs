use std::time::Duration;

use super::Inconclusive;
use super::experiment::{BodyKind, Experiment};
use super::record::Draft;
use crate::engine::Sequential;
use crate::model::{Carried, CarriedShare, Fault, Trace};
use crate::slo::{Evaluation, Judgement, Reason, Verdict};

/// By how much a chaos phase is made longer at most, where more samples could tell.
const AT_MOST: u32 = 3;

/// Whether evidence is looked at as it comes in, and what there is already.
pub(super) fn sequential(experiment: &Experiment, draft: &Draft) -> Option<Sequential> {
    let at_most = at_most(experiment)?;
    Some(Sequential {
        at_most: (at_most > experiment.scenario.duration).then_some(at_most),
        carried: draft.earlier_try().and_then(|earlier| carried(&earlier.judgement, &earlier.trace)),
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
fn carried(judgement: &Judgement, trace: &Trace) -> Option<Carried> {
    let undecided = judgement.verdict == Verdict::Inconclusive
        && matches!(judgement.weightiest(), Some(Reason::NeedsMoreSamples { .. }));
    if !undecided {
        return None;
    }
    // Of samples that are only counted it cannot be taken off any more what a late host took from them: such a try leaves
    // nothing but that it was looked at.
    let noisy = |evaluation: &Evaluation| matches!(evaluation.reason, Some(Reason::NoisyHost { .. }));
    let clean = !judgement.evaluations.iter().any(noisy);
    let deciding = judgement.evaluations.iter().filter(|evaluation| clean && evaluation.decides());
    let shares = deciding.filter_map(|evaluation| {
        let seen = evaluation.evidence.as_ref()?.seen;
        Some(CarriedShare {
            stream: evaluation.stream.clone(),
            indicator: evaluation.indicator.key(),
            samples: seen.n,
            bad: seen.k,
            runs: seen.runs,
        })
    });
    let before = trace.carried.as_ref();
    let tries = before.map_or(0, |carried| carried.tries).saturating_add(1);
    let looks = before.map_or(0, Carried::all_looks).saturating_add(1 + u32::from(trace.extended));
    let mechanism = Some(trace.delivery.as_ref()?.mechanism.clone());
    Some(Carried { tries, looks, mechanism, shares: shares.collect() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Delivery, DoseUnit, Phase, Severity};
    use crate::slo::{EvidenceTrail, Figure, Indicator};
    use crate::stats::Tally;

    const TOO_FEW: Reason = Reason::NeedsMoreSamples { more: Some(62) };

    /// A share that a hundred samples could not decide.
    fn undecided(indicator: Indicator, bad: u64) -> Evaluation {
        let seen = Tally { n: 100, k: bad, runs: bad, last_was_bad: false };
        Evaluation {
            indicator,
            stream: "app".into(),
            limit: Figure::Share(0.05),
            measured: None,
            interval: None,
            counts: Some((bad, 100)),
            verdict: Verdict::Inconclusive,
            reason: Some(TOO_FEW),
            note: None,
            severity: Severity::Blocking,
            evidence: Some(EvidenceTrail { error: 0.0005, seen, decided_after: None, points: Vec::new() }),
        }
    }

    fn of(evaluations: Vec<Evaluation>) -> Judgement {
        Judgement {
            verdict: Verdict::Inconclusive,
            reasons: vec![TOO_FEW],
            evaluations,
            confidence: 0.999,
            streams: Vec::new(),
            findings: Vec::new(),
            apart_from_cleanup: None,
        }
    }

    fn trace() -> Trace {
        let delivery = Delivery {
            mechanism: "proxy".into(),
            detail: "a fault".into(),
            passed_over: Vec::new(),
            unit: DoseUnit::Down,
            readings: Vec::new(),
            failed_readings: 0,
            last_failure: None,
        };
        Trace { delivery: Some(delivery), ..Trace::default() }
    }

    #[test]
    fn what_a_try_has_seen_goes_into_the_next() {
        let judgement = of(vec![undecided(Indicator::ErrorRate, 1)]);
        let first = carried(&judgement, &trace()).expect("it could not tell");
        assert_eq!((first.tries, first.looks, first.mechanism.as_deref()), (1, 1, Some("proxy")));
        assert_eq!((first.shares[0].samples, first.shares[0].bad), (100, 1));
        let again = carried(&judgement, &Trace { carried: Some(first), ..trace() });
        assert_eq!(again.map(|second| (second.tries, second.looks)), Some((2, 2)));
        assert_eq!(carried(&Judgement { verdict: Verdict::Fail, ..judgement }, &trace()), None);
    }

    #[test]
    fn a_phase_that_was_made_longer_was_looked_at_twice() {
        let judgement = of(vec![undecided(Indicator::ErrorRate, 1)]);
        let long = Trace { extended: true, ..trace() };
        let first = carried(&judgement, &long).expect("it could not tell");
        assert_eq!((first.tries, first.looks), (1, 2));
        let again = carried(&judgement, &Trace { carried: Some(first), ..long });
        assert_eq!(again.map(|second| (second.tries, second.looks)), Some((2, 4)));
        // An older record says nothing of looks.
        let old = Carried { tries: 3, ..Carried::default() };
        let next = carried(&judgement, &Trace { carried: Some(old), ..trace() });
        assert_eq!(next.map(|next| (next.tries, next.looks)), Some((4, 4)));
    }

    #[test]
    fn what_a_late_host_did_to_a_try_is_in_no_other() {
        let late = Reason::NoisyHost {
            stream: "app".into(),
            phase: Phase::Chaos,
            lag: Duration::from_millis(45),
            windows: 9,
            of: 20,
            pressure: None,
            steal: None,
        };
        let noisy = Evaluation { reason: Some(late), ..undecided(Indicator::LatencyDegradation, 50) };
        let judgement = of(vec![undecided(Indicator::ErrorRate, 0), noisy]);
        assert_eq!(judgement.weightiest(), Some(&TOO_FEW));
        let next = carried(&judgement, &trace()).expect("it could not tell");
        assert_eq!((next.looks, next.shares), (1, Vec::new()));
    }

    #[test]
    fn a_warning_leaves_nothing_to_the_next_try() {
        let warning =
            Evaluation { severity: Severity::Warning, ..undecided(Indicator::LatencyDegradation, 8) };
        let judgement = of(vec![undecided(Indicator::LatencyDegradation, 0), warning]);
        let shares = carried(&judgement, &trace()).expect("it could not tell").shares;
        assert_eq!(shares.iter().map(|share| share.bad).collect::<Vec<_>>(), [0]);
    }
}
