use super::{Report, show};
use crate::model::BodyEnd;
use crate::slo::{Evaluation, Indicator, Verdict};

/// The sentence a failure begins with. It is one line: CI systems show no more of a failure than that.
pub(super) fn of(report: &Report) -> String {
    let under = format!("under \"{}\"", report.scenario.name);
    let judgement = &report.judgement;
    let sentence = match report.verdict() {
        Verdict::Pass => format!("SLO \"{}\" held {under}", report.slo.name),
        Verdict::Fail => match judgement.broken().as_slice() {
            [] => {
                return one_line(&format!(
                    "the test body failed {under}: {}",
                    body(report).unwrap_or_default()
                ));
            }
            broken => {
                let parts: Vec<String> = broken.iter().map(|evaluation| breach(evaluation)).collect();
                let also =
                    body(report).map_or_else(String::new, |why| format!("; the test body failed too: {why}"));
                format!("SLO \"{}\" breached {under}: {}{also}", report.slo.name, parts.join(", "))
            }
        },
        Verdict::Inconclusive | Verdict::Aborted | Verdict::Error => {
            let why = judgement.weightiest().map(ToString::to_string).unwrap_or_default();
            let label = judgement.label();
            // The label is the beginning of the reason; what follows it is the detail.
            let inside = label.split_once('(').map_or("", |(_, rest)| rest.trim_end_matches(')'));
            match why.strip_prefix(inside).map(|detail| detail.trim_start_matches([':', ' '])) {
                Some("") => format!("{label} {under}"),
                Some(detail) => format!("{label} {under}: {detail}"),
                None => format!("{label} {under}: {why}"),
            }
        }
    };
    one_line(&sentence)
}

/// One broken objective: `p95 latency degradation 812 ms > 500 ms`.
fn breach(evaluation: &Evaluation) -> String {
    let name = match evaluation.indicator {
        Indicator::LatencyDegradation => "p95 latency degradation".into(),
        other => other.to_string(),
    };
    let sign = if evaluation.indicator == Indicator::Availability { "<" } else { ">" };
    let measured = evaluation.measured.map_or_else(|| "unknown".into(), show::figure);
    let least = if evaluation.note.is_some() && evaluation.interval.is_none() { "≥ " } else { "" };
    format!("{name} {least}{measured} {sign} {}", show::figure(evaluation.limit))
}

fn body(report: &Report) -> Option<String> {
    match report.trace.body.as_ref()? {
        BodyEnd::Ok => None,
        BodyEnd::Failed(why) => Some(why.clone()),
        BodyEnd::Panicked(why) => Some(format!("panicked at {why}")),
        BodyEnd::TimedOut(_) => Some("it did not end in time".into()),
    }
}

fn one_line(text: &str) -> String {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default().to_owned();
    match lines.next() {
        Some(_) => first + " …",
        None => first,
    }
}
