use super::Report;
use crate::slo::{Finding, Indicator, Reason};

/// Where to look for the cause of a broken objective; one line per sort of objective.
pub(super) fn of_breaches(report: &Report) -> Vec<&'static str> {
    let broken = report.judgement.broken();
    let mut lines: Vec<&str> = broken.iter().filter_map(|broken| of_breach(broken.indicator)).collect();
    lines.dedup();
    lines
}

fn of_breach(indicator: Indicator) -> Option<&'static str> {
    Some(match indicator {
        Indicator::ErrorRate | Indicator::RequestErrorRate | Indicator::EndpointErrorRate => {
            "Errors: look at timeouts and retries of the calls that failed; a retry with backoff and a limit hides \
             short faults."
        }
        Indicator::Availability | Indicator::WorstTimeToRecover => {
            "Downtime: look at how soon the failure is noticed, restart time, and whether another instance could \
             take over."
        }
        Indicator::RecoveryTime => {
            "Recovery: look for connection pools, caches and queues that stay bad after their dependency is well \
             again."
        }
        Indicator::Throughput => {
            "Throughput: look at what was refused or timed out; a queue or a pool that is full turns the rest away."
        }
        latency if latency.is_latency() => {
            "Latency: look for calls made one after the other, and for a missing timeout, cache or bulkhead on the \
             slow path."
        }
        // What the test's own code looks for, its text says.
        _ => return None,
    })
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
        Reason::Metastable { .. } => {
            "Metastable: look for retries without a budget or a pause, for pools that keep broken connections, and for \
             caches that everybody fills at once; load that stays away for a moment often ends it."
        }
        Reason::BaselineUnhealthy(_) => {
            "Only a service that is well before a fault can be judged under it: mend that first."
        }
        _ => return None,
    })
}
