use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::{Entry, Recommendation, Report, show};
use crate::model::Objectives;
use crate::slo::Verdict;

/// Many reports, merged.
///
/// It is made one report at a time ([`Merge`]) and keeps no samples, so it may be of many thousands.
///
/// ```
/// use chaos_test::report::{Report, Summary};
/// fn exit_code(reports: Vec<Report>) -> i32 {
///     let summary = Summary::of(reports);
///     println!("{}", summary.sentence());
///     if summary.passed() { 0 } else { 1 }
/// }
/// assert_eq!(exit_code(Vec::new()), 1); // no test at all is no pass
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Summary {
    /// One entry per test: those that did not pass first, the worst verdict before the others, then by name.
    pub tests: Vec<Entry>,
    /// The SLO profiles that were judged by, by name; of two of one name that of the test further up.
    pub profiles: Vec<(String, Objectives)>,
    /// The tests that were tried more than once.
    pub retried: Vec<Retried>,
    /// Records that could not be read. With one of them, nobody can say that everything passed.
    pub unreadable: Vec<Unreadable>,
}

/// A test that was tried more than once in a run; its last report is the one that counts.
///
/// ```
/// use chaos_test::report::{Retried, Summary};
/// use chaos_test::slo::Verdict;
/// fn passed_at_last(summary: &Summary) -> Vec<&Retried> {
///     summary.retried.iter().filter(|one| one.verdicts.last() == Some(&Verdict::Pass)).collect()
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Retried {
    /// The test.
    pub test: String,
    /// The test binary.
    #[serde(default)]
    pub binary: String,
    /// The run.
    #[serde(default)]
    pub run_id: String,
    /// What each try came to, the first one first.
    pub verdicts: Vec<Verdict>,
}

/// A file that should have been a record.
///
/// ```
/// use chaos_test::report::{Report, Summary, Unreadable};
/// let reason = Report::from_json(b"").unwrap_err();
/// let unreadable = Unreadable { file: "checkout.json".into(), reason };
/// let summary = Summary::default().with_unreadable(vec![unreadable]);
/// assert_eq!(summary.word(), "incomplete");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Unreadable {
    /// The file, as the caller named it.
    pub file: String,
    /// Why it could not be read.
    pub reason: String,
}

/// One broken objective of one test.
///
/// ```
/// use chaos_test::report::{Summary, Violation};
/// fn list(summary: &Summary) -> Vec<String> {
///     let line = |one: &Violation| format!("{}: {} {}, allowed {}", one.test, one.objective, one.measured, one.limit);
///     summary.violations().into_iter().map(line).collect()
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
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

/// A summary in the making.
///
/// ```
/// use chaos_test::report::{Merge, Report, Summary};
/// fn sum_up(records: impl Iterator<Item = Vec<u8>>) -> Result<Summary, String> {
///     let mut merge = Merge::default();
///     for record in records {
///         merge.add(&Report::from_json(&record)?);
///     }
///     Ok(merge.finish())
/// }
/// assert_eq!(sum_up(std::iter::empty()).map(|summary| summary.word()), Ok("nothing ran"));
/// ```
#[derive(Debug, Default)]
pub struct Merge {
    entries: Vec<Entry>,
}

impl Merge {
    /// Takes what a summary keeps of a report.
    pub fn add(&mut self, report: &Report) {
        self.entries.push(Entry::of(report));
    }

    /// Takes what was made of a report elsewhere, or a test that left none.
    pub fn add_entry(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    /// What was taken so far, in the order it came.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Takes what nextest wrote of a run: the chaos tests that failed and left no record become entries of verdict Error,
    /// and so do those that failed although their record passed.
    #[cfg(feature = "reports")]
    pub fn add_nextest(&mut self, file: &super::nextest::NextestJunit) {
        file.overrule(&mut self.entries);
        self.entries.extend(file.without_record(&self.entries));
    }

    /// The summary. Of several records of one test in one run (retries), the last one counts.
    pub fn finish(self) -> Summary {
        let mut entries = self.entries;
        entries.sort_by(|a, b| a.key().cmp(&b.key()).then(b.started_at.total_cmp(&a.started_at)));
        let retried = entries.chunk_by(|a, b| a.key() == b.key()).filter_map(retried).collect();
        entries.dedup_by(|a, b| a.key() == b.key());
        entries.sort_by(|a, b| {
            let rank = |entry: &Entry| (!entry.passed, entry.verdict);
            rank(b).cmp(&rank(a)).then_with(|| a.key().cmp(&b.key()))
        });
        let of_profile = |entry: &Entry| Some((entry.slo.clone(), entry.allowed.clone()?));
        let mut profiles: Vec<(String, Objectives)> = entries.iter().filter_map(of_profile).collect();
        profiles.sort_by(|(a, _), (b, _)| a.cmp(b));
        profiles.dedup_by(|(a, _), (b, _)| a == b);
        Summary { tests: entries, profiles, retried, unreadable: Vec::new() }
    }
}

impl Summary {
    /// Merges reports. Of several records of one test in one run (retries), the last one counts.
    pub fn of(reports: Vec<Report>) -> Self {
        let mut merge = Merge::default();
        reports.iter().for_each(|report| merge.add(report));
        merge.finish()
    }

    /// The same with records that could not be read.
    #[must_use]
    pub fn with_unreadable(mut self, unreadable: Vec<Unreadable>) -> Self {
        self.unreadable = unreadable;
        self
    }

    /// The worst verdict of all; `None` without a report.
    pub fn verdict(&self) -> Option<Verdict> {
        self.tests.iter().map(|test| test.verdict).max()
    }

    /// Whether every test passed. No test at all is no pass, nor are tests that were only skipped, nor is a record that
    /// could not be read.
    pub fn passed(&self) -> bool {
        let injected = self.tests.len() > self.count(Verdict::Skipped);
        injected && self.unreadable.is_empty() && self.tests.iter().all(|test| test.passed)
    }

    /// The outcome in a word or three: `passed`, `failed`, `incomplete`, `nothing ran`, `nothing was injected`.
    pub fn word(&self) -> &'static str {
        if self.passed() {
            "passed"
        } else if self.tests.iter().any(|test| !test.passed) {
            "failed"
        } else if !self.unreadable.is_empty() {
            "incomplete"
        } else if self.tests.is_empty() {
            "nothing ran"
        } else {
            "nothing was injected"
        }
    }

    /// The outcome in one line: `1 of 3 tests passed (1 Fail, 1 Inconclusive)`; where some were skipped, which is no
    /// pass, `2 passed, 1 Fail, 1 skipped (dry run)`.
    pub fn sentence(&self) -> String {
        let skipped = self.count(Verdict::Skipped);
        let passed = self.tests.iter().filter(|test| test.passed).count() - skipped;
        let mut failing: Vec<(Verdict, usize)> = Vec::new();
        for test in self.tests.iter().filter(|test| !test.passed) {
            match failing.last_mut() {
                Some((verdict, count)) if *verdict == test.verdict => *count += 1,
                _ => failing.push((test.verdict, 1)),
            }
        }
        let total = self.tests.len();
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
        let skipped = self.tests.iter().filter(|test| test.verdict == Verdict::Skipped);
        let mut why: Vec<String> =
            skipped.filter_map(|test| Some(show::one_line(inside(&test.label)?))).collect();
        why.sort();
        why.dedup();
        why
    }

    /// How many tests came to that verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.tests.iter().filter(|test| test.verdict == verdict).count()
    }

    /// Every broken objective.
    pub fn violations(&self) -> Vec<&Violation> {
        self.tests.iter().flat_map(|test| &test.violations).collect()
    }

    /// Every broken bound of those that only warn, whatever the test came to.
    pub fn warnings(&self) -> Vec<&Violation> {
        self.tests.iter().flat_map(|test| &test.warnings).collect()
    }
}

impl Summary {
    /// What to do, each once, in the order of the tests.
    pub(super) fn recommendations(&self) -> Vec<Given<'_>> {
        let (mut given, mut known) = (Vec::new(), HashMap::new());
        for test in &self.tests {
            for recommendation in &test.recommendations {
                let at = *known.entry(recommendation.what.as_str()).or_insert(given.len());
                match given.get_mut(at) {
                    Some(Given { times, .. }) => *times += 1,
                    None => given.push(Given { recommendation, test: &test.test, times: 1 }),
                }
            }
        }
        given
    }
}

/// A recommendation, the first test that led to it, and how many did.
pub(super) struct Given<'s> {
    pub(super) recommendation: &'s Recommendation,
    pub(super) test: &'s str,
    pub(super) times: usize,
}

impl Given<'_> {
    /// A list that people read to its end is no longer.
    pub(super) const MOST: usize = 50;
}

/// `dry run` of `Skipped(dry run)`.
fn inside(label: &str) -> Option<&str> {
    Some(label.split_once('(')?.1.trim_end_matches(')'))
}

/// Of the entries of one test, the last one first.
fn retried(entries: &[Entry]) -> Option<Retried> {
    // Two copies of one record are no two tries.
    let tries = entries.chunk_by(|a, b| a.started_at == b.started_at).rev().map(|copies| copies[0].verdict);
    let verdicts: Vec<Verdict> = tries.collect();
    let Entry { test, binary, run_id, .. } = &entries[0];
    (verdicts.len() > 1).then(|| Retried {
        test: test.clone(),
        binary: binary.clone(),
        run_id: run_id.clone(),
        verdicts,
    })
}
