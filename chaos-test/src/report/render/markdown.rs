use std::fmt::Write;

use super::super::{Report, Summary, Violation, advice, curve, harness, noise, resources, show};
use super::text::{because, body, dose, ladder, timeline, warnings};
use crate::slo::Verdict;
use crate::units::show_duration;

/// A summary as Markdown: the outcome, one line a test, every violation, and each test in detail.
pub fn markdown(summary: &Summary) -> String {
    let mut out = String::from("# Chaos report\n\n");
    let word = if summary.passed() {
        "passed"
    } else if summary.reports.iter().any(|report| !report.passed()) {
        "failed"
    } else if !summary.unreadable.is_empty() {
        "incomplete"
    } else if summary.reports.is_empty() {
        "nothing ran"
    } else {
        "nothing was injected"
    };
    let _ = writeln!(out, "**{word}**: {}\n", summary.sentence());
    overview(&mut out, summary);
    remarks(&mut out, summary);
    past(&mut out, "Violations", &summary.violations());
    past(&mut out, "Warnings", &summary.warnings());
    recommendations(&mut out, summary);
    for report in &summary.reports {
        detail(&mut out, report);
    }
    out
}

fn overview(out: &mut String, summary: &Summary) {
    if summary.reports.is_empty() {
        return;
    }
    out.push_str("| test | scenario | SLO | verdict | what happened |\n|---|---|---|---|---|\n");
    for report in &summary.reports {
        let row = [
            code(&report.test),
            escape(&report.scenario.name),
            escape(&report.slo.name),
            format!("{} {}", symbol(report), escape(&report.judgement.label())),
            escape(&report.headline()),
        ];
        let _ = writeln!(out, "| {} |", row.join(" | "));
    }
    out.push('\n');
}

/// What the verdicts alone do not tell: tries that do not count, records that are missing.
fn remarks(out: &mut String, summary: &Summary) {
    for retried in &summary.retried {
        let verdicts: Vec<String> = retried.verdicts.iter().map(ToString::to_string).collect();
        let _ = writeln!(
            out,
            "- {} was tried {} times: {}; the last one counts",
            code(&retried.test),
            verdicts.len(),
            verdicts.join(", then ")
        );
    }
    for unreadable in &summary.unreadable {
        let _ = writeln!(
            out,
            "- {} could not be read and is missing here: {}",
            code(&unreadable.file),
            escape(&unreadable.reason)
        );
    }
    if !(summary.retried.is_empty() && summary.unreadable.is_empty()) {
        out.push('\n');
    }
}

/// The bounds that were broken, of one severity.
fn past(out: &mut String, title: &str, violations: &[Violation]) {
    if violations.is_empty() {
        return;
    }
    let _ = writeln!(out, "## {title}\n\n| test | objective | limit | measured |\n|---|---|---|---|");
    for violation in violations {
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} |",
            code(&violation.test),
            escape(&violation.objective),
            violation.limit,
            escape(&violation.measured)
        );
    }
    out.push('\n');
}

/// What to look at first, each line resting on a violation, a reason or a finding of the records.
fn recommendations(out: &mut String, summary: &Summary) {
    let mut lines: Vec<&str> = Vec::new();
    let mut add = |line| {
        if !lines.contains(&line) {
            lines.push(line);
        }
    };
    for report in &summary.reports {
        advice::of_breaches(report).into_iter().for_each(&mut add);
        advice::of_doubts(report).into_iter().for_each(&mut add);
    }
    if !lines.is_empty() {
        out.push_str("## Where to look\n\n");
        lines.iter().for_each(|line| {
            let _ = writeln!(out, "- {line}");
        });
        out.push('\n');
    }
}

fn detail(out: &mut String, report: &Report) {
    let _ = writeln!(out, "## {}\n\n{} {}\n", code(&report.test), symbol(report), escape(&report.headline()));
    if !report.judgement.evaluations.is_empty() {
        let level = (report.judgement.confidence * 1e5).round() / 1e3;
        let _ = writeln!(
            out,
            "| objective | limit | measured ({level} % interval) | verdict | samples |\n|---|---|---|---|---|"
        );
        let several = report.judgement.streams.len() > 1;
        for evaluation in &report.judgement.evaluations {
            let _ = writeln!(
                out,
                "| {} | {} | {} | {} | {} |",
                escape(&show::name(evaluation, several)),
                show::limit(evaluation),
                escape(&show::measured(evaluation)),
                show::verdict(evaluation, &report.judgement),
                show::counts(evaluation)
            );
        }
        out.push('\n');
    }
    if let (Verdict::Skipped, Some(plan)) = (report.verdict(), &report.plan) {
        let _ = writeln!(out, "```text\n{}\n```\n", super::plan(plan).replace("```", "'''"));
    }
    if let Some(delivery) = &report.trace.delivery {
        let _ = writeln!(out, "- fault: {}", escape(&dose(delivery)));
        if let Some(line) = ladder(delivery) {
            let _ = writeln!(out, "- ladder: {}", escape(&line));
        }
    }
    if let Some(timeline) = timeline(report) {
        let _ = writeln!(out, "- timeline: {timeline}");
    }
    if let Some(line) = harness::line(report) {
        let _ = writeln!(out, "- harness: {}", escape(&line));
    }
    if let Some(line) = noise::line(report) {
        let _ = writeln!(out, "- host: {line}");
    }
    for line in curve::lines(report) {
        let _ = writeln!(out, "- curve: {}", escape(&line));
    }
    for line in resources::lines(report) {
        let _ = writeln!(out, "- usage: {}", escape(&line));
    }
    for line in resources::alerts(report) {
        let _ = writeln!(out, "- alert: {}", escape(&line));
    }
    for why in because(report) {
        let _ = writeln!(out, "- because: {}", escape(&why));
    }
    for line in warnings(report) {
        let _ = writeln!(out, "- warning: {}", escape(&line));
    }
    if let Some(why) = body(report) {
        let _ = writeln!(out, "- body: {}", escape(&why));
    }
    for finding in &report.judgement.findings {
        let _ = writeln!(out, "- finding: {}", escape(&finding.to_string()));
    }
    for line in &report.housekeeping {
        let _ = writeln!(out, "- before: {}", escape(line));
    }
    let (binary, run) = (code(&report.binary), code(&report.run_id));
    let _ = writeln!(out, "- test binary {binary}, run {run}, took {}", show_duration(report.took));
    if let Some(path) = &report.path {
        let _ = writeln!(out, "- record: {}", code(path));
    }
    let _ = writeln!(out, "- rerun: {}\n", code(&report.rerun));
}

fn symbol(report: &Report) -> &'static str {
    match report.verdict() {
        Verdict::Skipped => "⏭",
        Verdict::Pass => "✅",
        Verdict::Inconclusive => "❔",
        Verdict::Aborted => "⏹",
        Verdict::Fail | Verdict::Error => "❌",
    }
}

/// A text that Markdown shows as it is, also inside a table.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '<' => out.extend(['\\', c]),
            '\n' | '\r' => out.push(' '),
            _ => out.push(c),
        }
    }
    out
}

/// A text as code, also inside a table.
fn code(text: &str) -> String {
    format!("`{}`", text.replace('`', "'").replace('|', "\\|").replace('\n', " "))
}
