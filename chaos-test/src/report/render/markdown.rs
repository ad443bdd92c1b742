use std::fmt::Write;

use super::super::summary::Given;
use super::super::{Report, Summary, Violation, curve, harness, noise, resources, show, streams};
use super::changes::{self, Extras};
use super::text::{because, body, dose, ladder, notes, timeline, warnings};
use crate::slo::Verdict;
use crate::units::show_duration;

/// A summary as Markdown: the outcome, one line a test, every violation, and each test in detail.
///
/// ```
/// use chaos_test::report::Summary;
/// use chaos_test::report::render::markdown;
///
/// let text = markdown(&Summary::of(Vec::new()));
/// assert_eq!(text, "# Chaos report\n\n**nothing ran**: 0 of 0 tests passed\n\n");
/// ```
pub fn markdown(summary: &Summary) -> String {
    markdown_with(summary, &Extras::default())
}

/// The same with what changed since a base, and how the tests fared over their history.
///
/// ```
/// use chaos_test::report::render::{Extras, markdown_with};
/// use chaos_test::report::{HistoryLine, Summary, trends};
///
/// fn with_history(summary: &Summary, history: &[HistoryLine]) -> String {
///     let extras = Extras { trends: trends(summary, history), ..Extras::default() };
///     markdown_with(summary, &extras)
/// }
/// ```
pub fn markdown_with(summary: &Summary, extras: &Extras) -> String {
    let mut out = all_of_them(summary, extras);
    summary.tests.iter().for_each(|test| out.push_str(&test.markdown));
    out
}

/// What is said of all tests together.
pub(super) fn all_of_them(summary: &Summary, extras: &Extras) -> String {
    let mut out = String::from("# Chaos report\n\n");
    let _ = writeln!(out, "**{}**: {}\n", summary.word(), escape(&summary.sentence()));
    overview(&mut out, summary);
    remarks(&mut out, summary);
    past(&mut out, "Violations", &summary.violations());
    past(&mut out, "Warnings", &summary.warnings());
    recommendations(&mut out, summary);
    if let Some((base, comparison)) = &extras.comparison {
        changes::comparison(&mut out, base, comparison);
    }
    changes::trends(&mut out, &extras.trends);
    out
}

fn overview(out: &mut String, summary: &Summary) {
    if summary.tests.is_empty() {
        return;
    }
    out.push_str("| test | scenario | SLO | verdict | what happened |\n|---|---|---|---|---|\n");
    for test in &summary.tests {
        let row = [
            code(&test.test),
            escape(&test.scenario),
            escape(&test.slo),
            format!("{} {}", symbol(test.verdict), escape(&test.label)),
            escape(&test.headline),
        ];
        let _ = writeln!(out, "| {} |", row.join(" | "));
    }
    out.push('\n');
}

/// What the verdicts alone do not tell: tries that do not count, records that are missing.
pub(super) fn remarks(out: &mut String, summary: &Summary) {
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
fn past(out: &mut String, title: &str, violations: &[&Violation]) {
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

/// What to do, and what says so; the same advice is given once, with the first finding that led to it.
pub(super) fn recommendations(out: &mut String, summary: &Summary) {
    let given = summary.recommendations();
    if given.is_empty() {
        return;
    }
    out.push_str("## Recommendations\n\n");
    for Given { recommendation, test, times } in given.iter().take(Given::MOST) {
        let also = if *times > 1 { format!(", and {} more", times - 1) } else { String::new() };
        let (what, because) = (escape(&recommendation.what), escape(&recommendation.because));
        let _ = writeln!(out, "- {what} ({}: {because}{also})", code(test));
    }
    if given.len() > Given::MOST {
        let _ = writeln!(out, "- and {} more, at the tests", given.len() - Given::MOST);
    }
    out.push('\n');
}

/// One test's part of a Markdown report.
///
/// ```
/// use chaos_test::report::Report;
/// use chaos_test::report::render::markdown_of;
///
/// fn of_what_did_not_pass(reports: &[Report]) -> String {
///     reports.iter().filter(|report| !report.passed()).map(markdown_of).collect()
/// }
/// ```
pub fn markdown_of(report: &Report) -> String {
    let mut out = String::new();
    detail(&mut out, report);
    out
}

fn detail(out: &mut String, report: &Report) {
    let _ = writeln!(
        out,
        "## {}\n\n{} {}\n",
        code(&report.test),
        symbol(report.verdict()),
        escape(&report.headline())
    );
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
                escape(&show::measured_in(report, evaluation)),
                show::verdict(evaluation, &report.judgement),
                show::counts(evaluation)
            );
        }
        out.push('\n');
    }
    if let (Verdict::Skipped, Some(plan)) = (report.verdict(), &report.plan) {
        let plan = super::plan(plan).replace("```", "'''");
        let lines: Vec<String> = plan.split('\n').map(show::printable).collect();
        let _ = writeln!(out, "```text\n{}\n```\n", lines.join("\n"));
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
    for line in streams::lines(report) {
        let _ = writeln!(out, "- stream: {}", escape(&line));
    }
    if let Some(line) = harness::line(report) {
        let _ = writeln!(out, "- harness: {}", escape(&line));
    }
    if let Some(line) = noise::line(report) {
        let _ = writeln!(out, "- host: {line}");
    }
    for line in curve::lines(report) {
        // In no table, where a bar would have to be escaped.
        let _ = writeln!(out, "- curve: `{}`", show::printable(&line).replace('`', "'"));
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
    for note in notes(report) {
        let _ = writeln!(out, "- note: {}", escape(&note));
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

pub(super) fn symbol(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Skipped => "⏭",
        Verdict::Pass => "✅",
        Verdict::Inconclusive => "❔",
        Verdict::Aborted => "⏹",
        Verdict::Fail | Verdict::Error => "❌",
    }
}

/// A text that Markdown shows as it is, also inside a table.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in show::printable(text).chars() {
        match c {
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '~' | '&' | '$' => out.extend(['\\', c]),
            // A name behind it would be told that it was named; the space has no width.
            '@' => out.push_str("@\u{200b}"),
            _ => out.push(c),
        }
    }
    out
}

/// A text as code, also inside a table. There a backslash before a bar would leave the bar bare.
pub(super) fn code(text: &str) -> String {
    match show::printable(text).trim() {
        "" => "(no name)".into(),
        text => format!("`{}`", text.replace('`', "'").replace("\\|", "│").replace('|', "\\|")),
    }
}
