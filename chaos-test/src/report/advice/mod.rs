//! What to do about a run, and what of its record says so.
//!
//! Invariants: every line rests on a broken objective, a reason or a finding; where nothing is wrong there is none.
//! Not here: the reasons themselves, which are the judgement's.

mod breaches;
mod calls;
mod seen;

use serde::{Deserialize, Serialize};

use super::Report;
use crate::model::{AbortCause, Stage};
use crate::slo::{Finding, NonRecovery, Reason};

pub(super) use calls::Calls;

/// What to do, and the finding that says so.
///
/// ```
/// use chaos_test::report::{Entry, Recommendation, Report};
/// fn to_do(report: &Report) -> Vec<String> {
///     let line = |one: &Recommendation| format!("{} ({})", one.what, one.because);
///     let entry = Entry::of(report);
///     entry.recommendations.iter().map(line).collect()
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Recommendation {
    /// What to do.
    pub what: String,
    /// What of the record says so.
    pub because: String,
}

/// What to do about a run; nothing where nothing is wrong. The same is not said twice.
pub(super) fn of(report: &Report) -> Vec<Recommendation> {
    let breaches = report.judgement.broken().into_iter().filter_map(|broken| breaches::of(report, broken));
    let doubts = report.judgement.reasons.iter().filter_map(|reason| {
        Some(Recommendation {
            what: of_reason(reason).or_else(|| of_end(reason))?.into(),
            because: reason.to_string(),
        })
    });
    let mut all: Vec<Recommendation> = Vec::new();
    for one in breaches.chain(doubts) {
        if !all.iter().any(|known| known.what == one.what) {
            all.push(one);
        }
    }
    all
}

/// What to do about a run that could not tell, or that showed nothing.
pub(super) fn of_doubts(report: &Report) -> Vec<&'static str> {
    let mut lines: Vec<&str> = report.judgement.reasons.iter().filter_map(of_reason).collect();
    if report.judgement.findings.contains(&Finding::NoVisibleEffect) {
        lines.push(
            "No visible effect: check that the target is on the path that is measured, or raise the dose.",
        );
    }
    lines.dedup();
    lines
}

fn of_reason(reason: &Reason) -> Option<&'static str> {
    Some(match reason {
        Reason::NeedsMoreSamples { .. } => {
            "More samples decide it: lengthen the scenario (`duration`), or probe or repeat more often."
        }
        Reason::WithinResolution => {
            "A time is known to one interval at best: probe or repeat more often, or move the limit."
        }
        Reason::ProberStarved { .. } => {
            "The prober was starved: give the test its own machine, or stress with fewer workers than processors."
        }
        Reason::NoisyHost { .. } => {
            "The host was busy with something else: run it where less else runs, or again when it is quiet."
        }
        Reason::FaultNotDelivered(_) => {
            "Without proof of the fault a run says nothing about the service, good or bad: mend that first."
        }
        Reason::Metastable { kind, .. } => of_kind(*kind),
        Reason::Relapse { .. } => {
            "Relapse: what comes all at once when a service is back can take it down again: let waiting requests and \
             retries in little by little, and look at what it does a while after its start (caches, migrations, health \
             checks of its supervisor)."
        }
        Reason::BaselineUnhealthy(_) => {
            "Only a service that is well before a fault can be judged under it: mend that first."
        }
        _ => return None,
    })
}

/// What to do about a service that does not come back, by how it stays away.
fn of_kind(kind: NonRecovery) -> &'static str {
    match kind {
        NonRecovery::Down => {
            "Metastable: nothing answers although the fault is gone: look whether it still runs and whether anything \
             starts it again, and for what all of it may wait for: a lock, an empty pool, a dead connection."
        }
        NonRecovery::Failing => {
            "Metastable: look for pools that keep broken connections, for a circuit breaker that stays open, and for a \
             queue of requests whose callers have long given up; throw those away before they are worked off."
        }
        NonRecovery::Slow => {
            "Metastable: look for retries without a budget or a pause, for a backlog that is worked off first, and for \
             caches that everybody fills at once; load that stays away for a moment often ends it."
        }
        NonRecovery::Flapping => {
            "Metastable: it comes back and falls over again: look for callers that all return at the same time \
             (spread their pauses), and for a health check that takes it out under load and puts it back without."
        }
    }
}

/// What to do about a run that came to a bad end; the text of a failing test has its message, and needs no more.
fn of_end(reason: &Reason) -> Option<&'static str> {
    Some(match reason {
        Reason::BodyFailed(_) => {
            "The body checks what the objectives cannot see: its own message is the place to begin."
        }
        Reason::Aborted(
            AbortCause::ErrorRate { .. }
            | AbortCause::ConsecutiveFailures { .. }
            | AbortCause::ResponseTime { .. },
        ) => {
            "Stopped before more harm was done: begin with a smaller dose of the same fault, mend what that shows, then raise it."
        }
        Reason::CouldNotRun(Stage::Setup, _) => {
            "No fault has been injected: mend the start of the environment first."
        }
        Reason::CouldNotRun(Stage::Injection, _) => {
            "The fault could not be made: `cargo chaos doctor` says which ones this host can have, and what the \
             others need."
        }
        Reason::CouldNotRun(Stage::Cleanup, _) => {
            "Something was left behind: `cargo chaos reap` names it and puts it away."
        }
        Reason::CouldNotRun(Stage::Killed, _) => {
            "The test process ended before the run did: look at the runner's time limit and at the memory of this host."
        }
        _ => return None,
    })
}
