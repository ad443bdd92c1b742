use super::{Report, show};
use crate::model::BodyEnd;
use crate::slo::{Evaluation, Judgement, Reason, Verdict};
use crate::units::show_duration;

/// The sentence a failure begins with. It is one line: CI systems show no more of a failure than that.
pub(super) fn of(report: &Report) -> String {
    let whole = show::one_line(&sentence(report, &report.judgement));
    // A clean-up that failed is the graver matter; what the run would have come to is told as well.
    match report.judgement.without_cleanup() {
        Some(rest) => format!("{whole}; apart from that: {}", show::one_line(&apart(report, &rest))),
        None => whole,
    }
}

/// What a run whose clean-up failed came to without that: `Fail, p95 latency degradation 812 ms > 500 ms`.
fn apart(report: &Report, rest: &Judgement) -> String {
    let under = format!(" under \"{}\"", report.scenario.name);
    let sentence = sentence(report, rest);
    match rest.verdict {
        Verdict::Pass => rest.label(),
        Verdict::Fail if !rest.broken().is_empty() => {
            let detail = sentence.split_once(&under).map_or("", |(_, detail)| detail);
            format!("{}, {}", rest.label(), detail.trim_start_matches([':', ' ']))
        }
        Verdict::Fail if !rest.lasting().is_empty() => sentence.replacen(&under, "", 1),
        Verdict::Fail => format!("{}, {}", rest.label(), sentence.replacen(&under, "", 1)),
        _ => sentence.replacen(&under, "", 1),
    }
}

fn sentence(report: &Report, judgement: &Judgement) -> String {
    let under = format!("under \"{}\"", report.scenario.name);
    let several = judgement.streams.len() > 1;
    match judgement.verdict {
        Verdict::Pass => format!("SLO \"{}\" held {under}{}", report.slo.name, warned(judgement, several)),
        Verdict::Fail => match judgement.broken().as_slice() {
            [] if judgement.lasting().is_empty() => {
                format!("{}: {}", body_failed(report, judgement, &under), body(report).unwrap_or_default())
            }
            [] => {
                let why = lasting(judgement);
                let detail = why.split_once(": ").map_or(why.as_str(), |(_, detail)| detail);
                format!("{} {under}: {detail}{}", judgement.label(), also(report))
            }
            broken => {
                let breaches: Vec<String> =
                    broken.iter().map(|broken| show::breach(broken, several)).collect();
                let mut parts = vec![breaches.join(", ")];
                parts.extend(Some(lasting(judgement)).filter(|why| !why.is_empty()));
                format!("SLO \"{}\" breached {under}: {}{}", report.slo.name, parts.join("; "), also(report))
            }
        },
        Verdict::Skipped | Verdict::Inconclusive | Verdict::Aborted | Verdict::Error => {
            let why = judgement.weightiest().map(ToString::to_string).unwrap_or_default();
            let label = judgement.label();
            // The label is the beginning of the reason; what follows it is the detail.
            let inside = label.split_once('(').map_or("", |(_, rest)| rest.strip_suffix(')').unwrap_or(rest));
            let sentence = match why.strip_prefix(inside).map(|detail| detail.trim_start_matches([':', ' ']))
            {
                Some("") => format!("{label} {under}"),
                Some(detail) => format!("{label} {under}: {detail}"),
                None => format!("{label} {under}: {why}"),
            };
            match undecided(judgement) {
                Some(which) => format!("{label} {under}: {}", undecided_objective(which, several)),
                None => sentence,
            }
        }
    }
}

/// What has not come back, or has not stayed: `metastable: app still slow 24.0 s after the fault was gone (…)`.
fn lasting(judgement: &Judgement) -> String {
    judgement.lasting().iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn also(report: &Report) -> String {
    body(report).map_or_else(String::new, |why| format!("; the test body failed too: {why}"))
}

/// `the test body failed under "…" while SLO "staging" held`, as far as that can be said.
fn body_failed(report: &Report, judgement: &Judgement, under: &str) -> String {
    let doubt = judgement.reasons.iter().find(|reason| !matches!(reason, Reason::BodyFailed(_)));
    match doubt {
        Some(doubt) => format!("the test body failed {under} ({})", doubt.label()),
        None if judgement.evaluations.is_empty() => format!("the test body failed {under}"),
        None => format!("the test body failed {under} while SLO \"{}\" held", report.slo.name),
    }
}

/// The first objective that could not be decided, where that is what the verdict rests on.
fn undecided(judgement: &Judgement) -> Option<&Evaluation> {
    let reason = judgement.weightiest()?;
    matches!(reason, Reason::NeedsMoreSamples { .. } | Reason::WithinResolution | Reason::StillDown)
        .then(|| judgement.evaluations.iter().find(|e| e.decides() && e.reason.as_ref() == Some(reason)))?
}

/// `error rate 4.6 % (2.71 % … 7.19 %), limit ≤ 5 %`.
fn undecided_objective(evaluation: &Evaluation, several: bool) -> String {
    let name = show::name(evaluation, several);
    format!("{name} {}, limit {}", show::measured(evaluation), show::limit(evaluation))
}

/// `, with a warning: error rate 3 % > 2 %`; nothing where there is none.
fn warned(judgement: &Judgement, several: bool) -> String {
    let parts: Vec<String> = judgement.warnings().iter().map(|past| show::breach(past, several)).collect();
    match parts.len() {
        0 => String::new(),
        1 => format!(", with a warning: {}", parts[0]),
        n => format!(", with {n} warnings: {}", parts.join(", ")),
    }
}

fn body(report: &Report) -> Option<String> {
    match report.trace.body.as_ref()? {
        BodyEnd::Ok => None,
        BodyEnd::Failed(why) => Some(why.clone()),
        BodyEnd::Panicked(why) => Some(format!("panicked at {why}")),
        BodyEnd::TimedOut(after) => Some(format!("still running {} after it started", show_duration(*after))),
    }
}
