use std::time::Duration;

use super::super::{Report, show};
use super::Recommendation;
use super::calls::Calls;
use super::seen::{How, Seen};
use crate::model::{Phase, REQUESTS};
use crate::slo::{Evaluation, Indicator, RecoveryTime, StreamFigures};
use crate::units::show_duration;

/// What to do about one broken objective.
pub(super) fn of(report: &Report, broken: &Evaluation) -> Option<Recommendation> {
    let several = report.judgement.streams.len() > 1;
    let breach = show::breach(broken, several);
    let (what, evidence) = match broken.indicator {
        Indicator::ErrorRate | Indicator::RequestErrorRate | Indicator::EndpointErrorRate => {
            errors(report, broken)
        }
        Indicator::Availability | Indicator::WorstTimeToRecover => downtime(report, broken),
        Indicator::RecoveryTime => recovery(report, broken),
        Indicator::Throughput => throughput(report, broken),
        latency if latency.is_latency() => slow(report),
        // What the test's own code looks for, its text says.
        _ => return None,
    };
    let because = if evidence.is_empty() { breach } else { format!("{breach}; {evidence}") };
    Some(Recommendation { what: sentence(&what), because })
}

/// With a capital at its beginning and a full stop at its end.
fn sentence(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), rest.as_str()))
}

fn errors(report: &Report, broken: &Evaluation) -> (String, String) {
    let stream = match broken.indicator {
        Indicator::RequestErrorRate => REQUESTS,
        _ => &broken.stream,
    };
    let Some(seen) = Seen::of(report, stream, Phase::Chaos) else {
        return (
            "find out which calls failed, and what their callers could do instead".into(),
            String::new(),
        );
    };
    let target = report.target().unwrap_or("the target");
    let what = match seen.mostly() {
        Some(How::Refused) => format!(
            "connections were refused or cut off: retry idempotent calls to {target} a few times with a growing pause, or \
             send them to another instance"
        ),
        Some(How::Hung) => format!(
            "callers waited {} for nothing: give each call to {target} a time limit well below that and a fallback or a \
             circuit breaker, so that one slow dependency does not hold every caller",
            show_duration(seen.patience())
        ),
        Some(How::TurnedAway(status)) => format!(
            "the service turned requests away with {status}: let callers wait and try again (Retry-After), and look \
             whether its queue or pool is too small for this fault"
        ),
        Some(How::Status(status)) => format!(
            "the service answered {status}: it hands its dependency's failure on; catch it where {target} is called, and \
             answer from a cache, a default or a queue"
        ),
        Some(How::WrongBody) => {
            "answers came with the wrong content: a fallback that looks like success hides the failure from its callers; \
             say so in the status"
                .into()
        }
        Some(How::Failed) => {
            "the test body returned errors of its own: the notes of its record say why".into()
        }
        Some(How::Panicked) => "the test body panicked: mend it first, for it hides what the service did".into(),
        None => "find out which calls failed, and what their callers could do instead".into(),
    };
    (what, seen.sentence())
}

fn downtime(report: &Report, broken: &Evaluation) -> (String, String) {
    let held = report.trace.marks.injected.zip(report.trace.marks.removed);
    let held = held.map(|(from, to)| to.saturating_sub(from));
    let ended = report.trace.marks.ended.unwrap_or_default();
    let worst = figures(report, &broken.stream)
        .and_then(|stream| stream.outages.iter().max_by_key(|outage| outage.length(ended)));
    let (Some(held), Some(worst)) = (held, worst) else {
        return (
            "notice the failure sooner, start faster, or let another instance take over".into(),
            String::new(),
        );
    };
    let longest = worst.length(ended);
    let until = if worst.end.is_none() { " until the watch ended" } else { "" };
    let evidence =
        format!("down for {}{until}, the fault there for {}", show_duration(longest), show_duration(held));
    // Of what outlived the fault, the service's own way back is the cause.
    let what = if longest > held.saturating_add(held / 10).saturating_add(Duration::from_millis(500)) {
        format!(
            "the service stayed down for {} after the fault was gone: look at how soon its supervisor notices, at its start \
             (migrations, caches it fills first), and at clients that wait too long before they try again",
            show_duration(longest - held)
        )
    } else {
        "the service was down for as long as the fault: only another instance, a cache or a queue in front of it hides that"
            .into()
    };
    (what, evidence)
}

fn recovery(report: &Report, broken: &Evaluation) -> (String, String) {
    let time = figures(report, &broken.stream).and_then(|stream| stream.recovery_time);
    let took = time.map(|time| match time {
        RecoveryTime::After(time) => format!("itself again {} after the fault was gone", show_duration(time)),
        RecoveryTime::NotWithin(time) => {
            format!("not itself {} after the fault was gone", show_duration(time))
        }
    });
    let seen = Seen::of(report, &broken.stream, Phase::Recovery);
    let what = match seen.as_ref().and_then(Seen::mostly) {
        Some(How::Hung) => {
            "calls still hung after the fault was gone: connections that died quietly are kept in a pool; check them before \
             use, close those that are idle, set a keep-alive"
        }
        Some(How::Refused) => {
            "connections were still refused after the fault was gone: look at how soon the supervisor starts it again, and \
             at names that are resolved once and kept"
        }
        Some(How::TurnedAway(_) | How::Status(_)) => {
            "it still answered with errors after the fault was gone: look for a circuit breaker that stays open too long, \
             and for a pool that keeps broken connections"
        }
        _ => {
            "it was slow after the fault was gone: look for a backlog that is worked off first, for retries without a \
             budget, and for caches that have to fill again"
        }
    };
    let seen = seen.map(|seen| seen.sentence());
    (what.into(), took.into_iter().chain(seen).collect::<Vec<_>>().join("; "))
}

fn throughput(report: &Report, broken: &Evaluation) -> (String, String) {
    let seen = Seen::of(report, &broken.stream, Phase::Chaos);
    let what = match seen.as_ref().and_then(Seen::mostly) {
        Some(How::Hung) => {
            "what hangs holds a worker or a connection each: limit how long, and how many may wait"
        }
        Some(_) => "the rest was refused or failed: a queue or a pool that is full turns requests away",
        None => "nothing failed, it only took longer: look at what each request waits for",
    };
    (what.into(), seen.map(|seen| seen.sentence()).unwrap_or_default())
}

fn slow(report: &Report) -> (String, String) {
    match Calls::of(report) {
        Some(calls) => (calls.remedy(), calls.sentence()),
        None => (
            "answers took longer: look at what the slow path waits for, and give it a time limit, a cache or a \
             smaller share of what is scarce"
                .into(),
            String::new(),
        ),
    }
}

fn figures<'r>(report: &'r Report, stream: &str) -> Option<&'r StreamFigures> {
    report.judgement.streams.iter().find(|figures| figures.name == stream)
}
