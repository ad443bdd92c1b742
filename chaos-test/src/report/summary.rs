use serde::{Deserialize, Serialize};

use super::{Report, show};
use crate::slo::{Evaluation, Verdict};

/// Many reports, merged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The reports, those that did not pass first, the worst verdict before the others, then by name.
    pub reports: Vec<Report>,
    /// The tests that were tried more than once.
    pub retried: Vec<Retried>,
    /// Records that could not be read. With one of them, nobody can say that everything passed.
    pub unreadable: Vec<Unreadable>,
}

/// A test that was tried more than once in a run; its last report is the one that counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retried {
    /// The test.
    pub test: String,
    /// What each try came to, the first one first.
    pub verdicts: Vec<Verdict>,
}

/// A file that should have been a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unreadable {
    /// The file, as the caller named it.
    pub file: String,
    /// Why it could not be read.
    pub reason: String,
}

/// One broken objective of one test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Violation {
    /// The test.
    pub test: String,
    /// The scenario.
    pub scenario: String,
    /// The SLO profile.
    pub slo: String,
    /// The objective.
    pub objective: String,
    /// What it may be, with its unit.
    pub limit: String,
    /// What it was, with its unit and interval.
    pub measured: String,
}

impl Summary {
    /// Merges reports. Of several records of one test in one run (retries), the last one counts.
    pub fn of(mut reports: Vec<Report>) -> Self {
        reports.sort_by(|a, b| key(a).cmp(&key(b)).then(b.started_at.total_cmp(&a.started_at)));
        let retried = reports.chunk_by(|a, b| key(a) == key(b)).filter_map(retried).collect();
        reports.dedup_by(|a, b| key(a) == key(b));
        reports.sort_by(|a, b| {
            let rank = |report: &Report| (!report.passed(), report.verdict());
            rank(b).cmp(&rank(a)).then_with(|| key(a).cmp(&key(b)))
        });
        Self { reports, retried, unreadable: Vec::new() }
    }

    /// The same with records that could not be read.
    #[must_use]
    pub fn with_unreadable(mut self, unreadable: Vec<Unreadable>) -> Self {
        self.unreadable = unreadable;
        self
    }

    /// The worst verdict of all; `None` without a report.
    pub fn verdict(&self) -> Option<Verdict> {
        self.reports.iter().map(Report::verdict).max()
    }

    /// Whether every test passed. No test at all is no pass, nor are tests that were only skipped, nor is a record that
    /// could not be read.
    pub fn passed(&self) -> bool {
        let injected = self.reports.len() > self.count(Verdict::Skipped);
        injected && self.unreadable.is_empty() && self.reports.iter().all(Report::passed)
    }

    /// The outcome in one line: `1 of 3 tests passed (1 Fail, 1 Inconclusive)`; where some were skipped, which is no
    /// pass, `2 passed, 1 Fail, 1 skipped (dry run)`.
    pub fn sentence(&self) -> String {
        let skipped = self.count(Verdict::Skipped);
        let passed = self.reports.iter().filter(|report| report.passed()).count() - skipped;
        let mut failing: Vec<(Verdict, usize)> = Vec::new();
        for report in self.reports.iter().filter(|report| !report.passed()) {
            match failing.last_mut() {
                Some((verdict, count)) if *verdict == report.verdict() => *count += 1,
                _ => failing.push((report.verdict(), 1)),
            }
        }
        let total = self.reports.len();
        let parts: Vec<String> = failing.iter().map(|(verdict, n)| format!("{n} {verdict}")).collect();
        let mut sentence = match total {
            _ if skipped > 0 => {
                let skipped = format!("{skipped} skipped ({})", self.why_skipped().join(", "));
                let mut all = vec![format!("{passed} passed")];
                all.extend(parts.iter().cloned().chain([skipped]));
                all.join(", ")
            }
            1 => format!("{passed} of 1 test passed"),
            _ => format!("{passed} of {total} tests passed"),
        };
        if skipped == 0 && !parts.is_empty() {
            sentence += &format!(" ({})", parts.join(", "));
        }
        match self.warnings().len() {
            0 => {}
            1 => sentence += ", 1 warning",
            n => sentence += &format!(", {n} warnings"),
        }
        match self.unreadable.len() {
            0 => {}
            1 => sentence += ", 1 record could not be read",
            n => sentence += &format!(", {n} records could not be read"),
        }
        sentence
    }

    /// The reasons for which tests were skipped, each once.
    fn why_skipped(&self) -> Vec<String> {
        let skipped = self.reports.iter().filter(|report| report.verdict() == Verdict::Skipped);
        let mut why: Vec<String> =
            skipped.filter_map(|report| Some(report.judgement.weightiest()?.label())).collect();
        why.sort();
        why.dedup();
        why
    }

    /// How many tests came to that verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.reports.iter().filter(|report| report.verdict() == verdict).count()
    }

    /// Every broken objective.
    pub fn violations(&self) -> Vec<Violation> {
        let failed = |report: &&Report| {
            let judgement = &report.judgement;
            judgement.apart_from_cleanup.unwrap_or(judgement.verdict) == Verdict::Fail
        };
        let broken = |report| violations(report, report.judgement.broken());
        self.reports.iter().filter(failed).flat_map(broken).collect()
    }

    /// Every broken bound of those that only warn, whatever the test came to.
    pub fn warnings(&self) -> Vec<Violation> {
        self.reports.iter().flat_map(|report| violations(report, report.judgement.warnings())).collect()
    }
}

fn violations(report: &Report, broken: Vec<&Evaluation>) -> Vec<Violation> {
    let several = report.judgement.streams.len() > 1;
    let one = |evaluation: &Evaluation| Violation {
        test: report.test.clone(),
        scenario: report.scenario.name.clone(),
        slo: report.slo.name.clone(),
        objective: show::name(evaluation, several),
        limit: show::limit(evaluation),
        measured: show::measured(evaluation),
    };
    broken.into_iter().map(one).collect()
}

/// What makes two records those of one test in one run.
fn key(report: &Report) -> (&str, &str, &str) {
    (&report.run_id, &report.binary, &report.test)
}

/// Of the reports of one test, the last one first.
fn retried(reports: &[Report]) -> Option<Retried> {
    // Two copies of one record are no two tries.
    let tries = reports.chunk_by(|a, b| a.started_at == b.started_at).rev().map(|copies| copies[0].verdict());
    let verdicts: Vec<Verdict> = tries.collect();
    (verdicts.len() > 1).then(|| Retried { test: reports[0].test.clone(), verdicts })
}
