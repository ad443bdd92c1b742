use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use super::super::advice::{self, Calls};
use super::super::{Report, curve, harness, noise, resources, show};
use crate::model::{BodyEnd, Delivery, EventKind};
use crate::slo::{Evaluation, Figure, Finding, Indicator, Reason, RecoveryTime, Verdict, median, show_dose};
use crate::units::show_duration;

/// The whole text of a report: the sentence, the table, the fault, the timeline, the logs, the way back.
///
/// ```
/// use chaos_test::report::{Report, render};
///
/// fn of_what_did_not_pass(reports: &[Report]) -> Vec<String> {
///     reports.iter().filter(|report| !report.passed()).map(render::text).collect()
/// }
/// ```
pub fn text(report: &Report) -> String {
    let mut out = report.headline();
    out.push('\n');
    table(&mut out, report);
    out.push('\n');
    for (label, line) in facts(report) {
        let mut lines = line.lines();
        let _ = writeln!(out, "  {label:<10} {}", lines.next().unwrap_or_default());
        for more in lines {
            let _ = writeln!(out, "  {:<10} {more}", "");
        }
    }
    out.trim_end().to_owned()
}

fn table(out: &mut String, report: &Report) {
    let evaluations = &report.judgement.evaluations;
    if evaluations.is_empty() {
        return;
    }
    let level = format!("measured ({} % interval)", (report.judgement.confidence * 1e5).round() / 1e3);
    let mut rows = vec![["objective".into(), "limit".into(), level, "verdict".into(), "samples".into()]];
    rows.extend(condensed(report).into_iter().map(|(name, evaluation)| {
        [
            name,
            show::limit(evaluation),
            show::measured_in(report, evaluation),
            show::verdict(evaluation, &report.judgement),
            show::counts(evaluation),
        ]
    }));
    let widths: Vec<usize> =
        (0..5).map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0)).collect();
    out.push('\n');
    for row in rows {
        let mut line = String::from(" ");
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(line, " {cell:<width$}  ");
        }
        let _ = writeln!(out, "{}", line.trim_end());
    }
}

/// The rows of the table. Where several streams were judged, those of an objective that passed share one row, which
/// shows the worst of them.
fn condensed(report: &Report) -> Vec<(String, &Evaluation)> {
    let several = report.judgement.streams.len() > 1;
    let mut rows: Vec<(String, &Evaluation)> = Vec::new();
    // Once, and not for each: a damaged record may hold any number of them.
    let alike = |evaluation: &Evaluation| (evaluation.indicator.key(), evaluation.decides());
    let mut passing: BTreeMap<(String, bool), Vec<&Evaluation>> = BTreeMap::new();
    for evaluation in report.judgement.evaluations.iter().filter(|e| e.verdict == Verdict::Pass) {
        passing.entry(alike(evaluation)).or_default().push(evaluation);
    }
    for evaluation in &report.judgement.evaluations {
        let passed = passing.get(&alike(evaluation)).filter(|_| evaluation.verdict == Verdict::Pass);
        let passed = passed.map_or(&[][..], Vec::as_slice);
        let own = evaluation.indicator.is_of_endpoint() || evaluation.indicator == Indicator::Custom;
        if passed.len() < 2 || own {
            rows.push((show::name(evaluation, several), evaluation));
        } else if std::ptr::eq(passed[0], evaluation) {
            let badness = |e: &Evaluation| match e.measured {
                Some(Figure::Share(value) | Figure::PerSecond(value)) if e.indicator.is_floor() => -value,
                Some(Figure::Share(value) | Figure::Seconds(value) | Figure::PerSecond(value)) => value,
                Some(Figure::Holds(_)) | None => f64::MIN,
            };
            let worst =
                passed.iter().copied().max_by(|a, b| badness(a).total_cmp(&badness(b))).unwrap_or(evaluation);
            let (indicator, kind) = (evaluation.indicator, show::kind(evaluation));
            rows.push((format!("{indicator} (worst of {}){kind}", passed.len()), worst));
        }
    }
    rows
}

/// What there is to tell beside the table, each with its label.
pub(super) fn facts(report: &Report) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    if let Some(delivery) = &report.trace.delivery {
        facts.push(("fault", dose(delivery)));
        facts.extend(ladder(delivery).map(|line| ("ladder", line)));
    }
    facts.extend(timeline(report).map(|line| ("timeline", line)));
    facts.extend(curve::of_lasting(report).into_iter().map(|line| ("curve", line)));
    facts.extend(harness::line(report).map(|line| ("harness", line)));
    facts.extend(noise::line(report).map(|line| ("host", line)));
    facts.extend(resources::lines(report).into_iter().map(|line| ("usage", line)));
    facts.extend(resources::alerts(report).into_iter().map(|line| ("alert", line)));
    facts.extend(because(report).into_iter().map(|why| ("because", why)));
    facts.extend(warnings(report).into_iter().map(|line| ("warning", line)));
    // Of what is metastable the headline tells more.
    let told = |finding: &&Finding| !matches!(finding, Finding::Metastable { .. });
    for finding in report.judgement.findings.iter().filter(told) {
        facts.push(("finding", finding.to_string()));
    }
    facts.extend(Calls::of(report).map(|calls| ("hint", calls.sentence())));
    facts.extend(advice::of_doubts(report).into_iter().map(|line| ("hint", line.to_owned())));
    facts.extend(body(report).map(|why| ("body", why)));
    facts.extend(notes(report).into_iter().map(|note| ("note", note)));
    facts.extend(report.housekeeping.iter().map(|line| ("before", line.clone())));
    for service in &report.services {
        if !service.log_tail.is_empty() {
            facts.push(("log", format!("{}:\n{}", service.name, service.log_tail.join("\n"))));
        }
    }
    if let Some(path) = &report.path {
        facts.push(("record", path.clone()));
    }
    facts.push(("rerun", report.rerun.clone()));
    facts
}

/// The reasons that the reader does not know yet: what the headline says whole, what the table shows and what the body
/// says itself is not said twice.
pub(super) fn because(report: &Report) -> Vec<String> {
    let headline = report.headline();
    let untold = report.judgement.reasons.iter().filter_map(|reason| {
        let why = match reason {
            Reason::ObjectiveBroken | Reason::BodyFailed(_) => return None,
            Reason::Metastable { .. } | Reason::Relapse { .. } => return None,
            Reason::CouldNotRun(_, why) => why.clone(),
            reason => reason.to_string(),
        };
        let detail = why.strip_prefix(&reason.label()).unwrap_or(&why).trim_start_matches([':', ' ']);
        let told = headline.ends_with(detail) || headline.contains(&format!("{detail}; apart from that:"));
        (!told).then_some(why)
    });
    untold.collect()
}

/// The warning bounds that were broken, where the headline does not name them.
pub(super) fn warnings(report: &Report) -> Vec<String> {
    if report.verdict() == Verdict::Pass {
        return Vec::new();
    }
    let several = report.judgement.streams.len() > 1;
    report.judgement.warnings().iter().map(|past| show::breach(past, several)).collect()
}

/// How the body failed, where the headline does not say it whole.
pub(super) fn body(report: &Report) -> Option<String> {
    let why = match report.trace.body.as_ref()? {
        BodyEnd::Ok => return None,
        BodyEnd::Failed(why) => why.clone(),
        BodyEnd::Panicked(why) => format!("panicked at {why}"),
        BodyEnd::TimedOut(after) => format!("still running {} after it started", show_duration(*after)),
    };
    (!report.headline().ends_with(&why)).then_some(why)
}

/// The better rungs that were not used, and why; `None` if the best was.
pub(super) fn ladder(delivery: &Delivery) -> Option<String> {
    // Neighbours that are not to be had for the same reason share it.
    let passed_over: Vec<String> = delivery
        .passed_over
        .chunk_by(|one, next| one.reason == next.reason)
        .map(|rungs| {
            let names: Vec<&str> = rungs.iter().map(|rung| rung.mechanism.as_str()).collect();
            format!("not by {}: {}", names.join(" or "), rungs[0].reason)
        })
        .collect();
    (!passed_over.is_empty()).then(|| format!("by {}, {}", delivery.mechanism, passed_over.join("; ")))
}

/// The fault, how it was made, and what the witness saw.
pub(super) fn dose(delivery: &Delivery) -> String {
    let readings = &delivery.readings;
    let Some(first) = readings.first() else {
        return format!("{}: never measured", delivery.detail);
    };
    let enough = readings.iter().filter(|reading| reading.is_enough()).count();
    let total = readings.len() + delivery.failed_readings as usize;
    format!(
        "{}: asked {}, measured {} in {enough} of {total} checks",
        delivery.detail,
        show_dose(delivery.unit, first.asked),
        show_dose(delivery.unit, median(readings)),
    )
}

/// The phases in one line: `baseline 10.0 s │ inject 9.8 ms │ chaos 45.0 s │ revert 2.1 ms │ recovered after 0.4 s`;
/// `None` for a run that did not come so far as to have any.
pub(super) fn timeline(report: &Report) -> Option<String> {
    let marks = &report.trace.marks;
    let span = |from: Option<Duration>, to: Option<Duration>| Some(to?.saturating_sub(from?));
    let mut parts = Vec::new();
    let baseline_end = marks.inject_started.or(marks.ended).filter(|end| !end.is_zero())?;
    parts.push(format!("baseline {:.1} s", baseline_end.as_secs_f64()));
    let inject_end = marks.injected.or(marks.revert_started);
    parts.extend(span(marks.inject_started, inject_end).map(|s| format!("inject {}", show_duration(s))));
    parts.extend(span(marks.injected, marks.chaos_ended).map(|s| format!("chaos {:.1} s", s.as_secs_f64())));
    parts.extend(span(marks.revert_started, marks.removed).map(|s| format!("revert {}", show_duration(s))));
    // After an abort recovery is not watched.
    let watched = report.judgement.streams.iter().filter(|_| report.trace.abort.is_none());
    let watched = watched.filter_map(|stream| Some((stream.recovery_time?, stream)));
    let slowest = watched.max_by_key(|(time, _)| match time {
        RecoveryTime::After(time) => (0, *time),
        RecoveryTime::NotWithin(time) => (1, *time),
    });
    parts.extend(slowest.map(|(time, stream)| match time {
        RecoveryTime::After(time) => {
            format!("recovered {}", show::recovered(time, show::interval_of(report, stream)))
        }
        RecoveryTime::NotWithin(time) => format!("not recovered within {}", show_duration(time)),
    }));
    Some(parts.join(" │ "))
}

/// What the body said, each once with how often, in the order of its first time; at most eight.
pub(super) fn notes(report: &Report) -> Vec<String> {
    const SHOWN: usize = 8;
    let mut found: Vec<(String, usize)> = Vec::new();
    for event in report.trace.events.iter().filter(|event| event.kind == EventKind::Note) {
        let has_room = found.len() < SHOWN;
        match found.iter_mut().find(|(text, _)| *text == event.text) {
            Some((_, count)) => *count += 1,
            None if has_room => found.push((event.text.clone(), 1)),
            None => {}
        }
    }
    let told = |(note, count)| if count > 1 { format!("{note} × {count}") } else { note };
    found.into_iter().map(told).collect()
}
