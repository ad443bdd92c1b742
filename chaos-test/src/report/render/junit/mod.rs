//! A summary as JUnit XML: one suite a test binary, one test case a test.
//!
//! Purpose: what CI systems show in their list of tests. How verdicts are mapped, and what each property is called, is
//! a promise: `docs/junit.md`.
//! Invariants: whatever a record says, the XML is well-formed, and a reader sees every character of it or a sign in its
//! place.
//! Not here: what nextest wrote of the same run (that is `report::nextest`).

mod case;
mod figures;
mod visible;

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report as Junit, TestCase, TestCaseStatus, TestSuite};

use crate::report::{Summary, Unreadable};
pub(in crate::report) use case::case;
use figures::properties;
pub(in crate::report) use visible::line;
use visible::visible;

/// The suite of what should have been a record.
pub(in crate::report) const RECORDS: &str = "chaos-test records";

/// A summary as JUnit XML.
///
/// # Errors
/// It cannot be written; as far as is known, that never happens.
///
/// ```
/// use chaos_test::report::render::junit;
/// use chaos_test::report::{Summary, Unreadable};
///
/// let damaged = Unreadable { file: "checkout.json".into(), reason: "cut short".into() };
/// let xml = junit(&Summary::of(Vec::new()).with_unreadable(vec![damaged]))?;
/// assert!(xml.contains("Error(unreadable record)"));
/// # Ok::<(), String>(())
/// ```
pub fn junit(summary: &Summary) -> Result<String, String> {
    let mut suites: Vec<TestSuite> = Vec::new();
    for entry in &summary.tests {
        let (name, case) = (line(&entry.binary), case(entry, summary));
        match suites.iter_mut().find(|suite| *suite.name == *name) {
            Some(suite) => suite.add_test_case(case),
            None => {
                suites.push(TestSuite::new(name));
                suites.last_mut().expect("it was just put there").add_test_case(case)
            }
        };
    }
    suites.sort_by(|a, b| a.name.cmp(&b.name));
    suites.extend(records(&summary.unreadable));
    for suite in &mut suites {
        suite.time = sum(suite.test_cases.iter().filter_map(|case| case.time));
        suite.timestamp = suite.test_cases.iter().filter_map(|case| case.timestamp).min();
    }
    let mut report = Junit::new("chaos-test");
    report.uuid = run_of(summary).and_then(|run| run.parse().ok());
    report.timestamp = suites.iter().filter_map(|suite| suite.timestamp).min();
    report.time = sum(suites.iter().filter_map(|suite| suite.time));
    report.add_test_suites(suites);
    write(&report)
}

/// What could not be read as a record, a test case each.
pub(in crate::report) fn records(unreadable: &[Unreadable]) -> Option<TestSuite> {
    let mut suite = TestSuite::new(RECORDS);
    suite.add_test_cases(unreadable.iter().map(|one| {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        let reason = visible(&one.reason);
        status.set_type("Error(unreadable record)");
        status.set_message(format!("Error: this record could not be read: {}", line(&one.reason)));
        status.set_description(format!(
            "{reason}\n\nWhat its test came to is not known. Remove a file that is no record; for a damaged record, run its \
             test again."
        ));
        let mut case = TestCase::new(line(&one.file), status);
        case.set_classname(RECORDS);
        case
    }));
    (!unreadable.is_empty()).then_some(suite)
}

/// The report as XML.
pub(in crate::report) fn write(report: &Junit) -> Result<String, String> {
    report.to_string().map_err(|error| error.to_string())
}

/// The run of all tests, where it is one.
fn run_of(summary: &Summary) -> Option<&str> {
    let first = summary.tests.first()?;
    summary.tests.iter().all(|test| test.run_id == first.run_id).then_some(first.run_id.as_str())
}

/// All of them together; nothing where that is more than can be counted.
fn sum(mut times: impl Iterator<Item = Duration>) -> Option<Duration> {
    let sum = times.try_fold(Duration::ZERO, Duration::checked_add)?;
    // What is written as a number of seconds must be readable as one.
    Duration::try_from_secs_f64(sum.as_secs_f64()).ok()
}
