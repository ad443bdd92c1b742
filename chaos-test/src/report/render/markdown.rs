use std::fmt::Write;

use super::super::{Report, Summary, show};
use super::text::{dose, timeline};
use crate::slo::{Finding, Indicator, Reason, Verdict};

/// A summary as Markdown: the outcome, one line a test, every violation, and each test in detail.
pub fn markdown(summary: &Summary) -> String {
    let mut out = String::from("# Chaos report\n\n");
    let passed = summary.reports.iter().filter(|report| report.passed()).count();
    let total = summary.reports.len();
    let word = match summary.verdict() {
        None => "nothing ran",
        Some(_) if summary.passed() => "passed",
        Some(_) => "failed",
    };
    let _ = writeln!(out, "**{word}**: {passed} of {total} tests passed\n");
    overview(&mut out, summary);
    violations(&mut out, summary);
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

fn violations(out: &mut String, summary: &Summary) {
    let violations = summary.violations();
    if violations.is_empty() {
        return;
    }
    out.push_str("## Violations\n\n| test | objective | limit | measured |\n|---|---|---|---|\n");
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
        for broken in report.judgement.broken().iter().filter(|_| report.verdict() == Verdict::Fail) {
            add(match broken.indicator {
                Indicator::ErrorRate | Indicator::RequestErrorRate => {
                    "Errors: look at timeouts and retries of the calls that failed; a retry with backoff and a limit hides short faults."
                }
                Indicator::LatencyDegradation => {
                    "Latency: look for calls made one after the other, and for a missing timeout, cache or bulkhead on the slow path."
                }
                Indicator::Availability | Indicator::WorstTimeToRecover => {
                    "Downtime: look at how soon the failure is noticed, restart time, and whether another instance could take over."
                }
                Indicator::RecoveryTime => {
                    "Recovery: look for connection pools, caches and queues that stay bad after their dependency is well again."
                }
            });
        }
        for reason in &report.judgement.reasons {
            match reason {
                Reason::NeedsMoreSamples { .. } => {
                    add("Some verdicts need more samples: lengthen the scenario or raise the probe rate.")
                }
                Reason::ProberStarved { .. } => add(
                    "The prober was starved: give the test its own machine, or stress with fewer workers than processors.",
                ),
                Reason::FaultNotDelivered(_) => add(
                    "Some faults were not proven: those tests say nothing about the service until that is mended.",
                ),
                Reason::BaselineUnhealthy(_) => {
                    add("Some services were unwell before any fault: mend that first.")
                }
                _ => {}
            }
        }
        if report.judgement.findings.contains(&Finding::NoVisibleEffect) {
            add(
                "Some faults had no visible effect: check that the target is on the path that is measured, or raise the dose.",
            );
        }
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
                show::verdict(evaluation.verdict),
                show::counts(evaluation)
            );
        }
        out.push('\n');
    }
    if let Some(delivery) = &report.trace.delivery {
        let _ = writeln!(out, "- fault: {}", escape(&dose(delivery)));
    }
    let _ = writeln!(out, "- timeline: {}", timeline(report));
    for reason in &report.judgement.reasons {
        let _ = writeln!(out, "- because: {}", escape(&reason.to_string()));
    }
    for finding in &report.judgement.findings {
        let _ = writeln!(out, "- finding: {finding}");
    }
    if let Some(path) = &report.path {
        let _ = writeln!(out, "- record: {}", code(path));
    }
    let _ = writeln!(out, "- rerun: {}\n", code(&report.rerun));
}

fn symbol(report: &Report) -> &'static str {
    match report.verdict() {
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
