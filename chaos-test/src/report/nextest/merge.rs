use std::collections::{HashMap, HashSet};

use quick_junit::{FlakyOrRerun, Property, Report as Junit, TestCase, TestCaseStatus, TestSuite, XmlString};

use super::{MESSAGE, NextestJunit, SAID, TYPE, said, told};
use crate::report::{Entry, Summary, render};

/// One file of nextest's and our tests: nextest's files, one behind the other, each of our tests in its place.
///
/// ```
/// use chaos_test::report::Merge;
/// use chaos_test::report::nextest::{NextestJunit, merged};
/// fn one_file(junit: &[u8], mut merge: Merge) -> Result<String, String> {
///     let file = NextestJunit::read(junit)?;
///     merge.add_nextest(&file);
///     merged(&[file], &merge.finish())
/// }
/// ```
///
/// # Errors
/// It cannot be written; as far as is known, that never happens.
pub fn merged(files: &[NextestJunit], summary: &Summary) -> Result<String, String> {
    let mut placed: HashSet<usize> = HashSet::new();
    let mut suites: Vec<TestSuite> = Vec::new();
    for file in files {
        // The first of two alike, as in the list: it is the graver one.
        let ours: HashMap<(String, String), usize> = summary
            .tests
            .iter()
            .enumerate()
            .rev()
            .filter(|(_, entry)| file.has(entry))
            .map(|(n, entry)| ((render::line(&entry.binary), render::line(&entry.test)), n))
            .collect();
        for mut suite in file.0.test_suites.iter().filter(|suite| *suite.name != *render::RECORDS).cloned() {
            for case in &mut suite.test_cases {
                if let Some(&n) = ours.get(&(suite.name.to_string(), case.name.to_string())) {
                    placed.insert(n);
                    join(case, &summary.tests[n], summary);
                }
            }
            suites.push(suite);
        }
    }
    let left = summary.tests.iter().enumerate().filter(|(n, _)| !placed.contains(n));
    for (_, entry) in left {
        let (name, case) = (render::line(&entry.binary), render::case(entry, summary));
        match suites.iter_mut().find(|suite| *suite.name == *name) {
            Some(suite) => suite.test_cases.push(case),
            None => {
                suites.push(TestSuite::new(name));
                suites.last_mut().expect("it was just put there").test_cases.push(case);
            }
        }
    }
    suites.extend(render::records(&summary.unreadable));
    render::write(&with(head(files), suites))
}

/// What the files say of themselves, as far as it is true of all.
fn head(files: &[NextestJunit]) -> Junit {
    let mut head = files.first().map_or_else(Junit::unnamed, |file| file.0.clone());
    let rest = files.get(1..).unwrap_or_default();
    if rest.iter().any(|file| file.0.uuid != head.uuid) {
        head.uuid = None;
    }
    head.timestamp = files.iter().filter_map(|file| file.0.timestamp).min();
    head.time = rest.iter().fold(head.time, |sum, file| sum?.checked_add(file.0.time?));
    head
}

/// The report with those suites, everything counted anew.
fn with(head: Junit, suites: Vec<TestSuite>) -> Junit {
    let mut report = head;
    (report.tests, report.failures, report.errors, report.skipped, report.disabled) = (0, 0, 0, 0, None);
    report.test_suites.clear();
    for mut suite in suites {
        (suite.tests, suite.failures, suite.errors, suite.skipped) = (0, 0, 0, 0);
        let cases = std::mem::take(&mut suite.test_cases);
        suite.add_test_cases(cases);
        report.add_test_suite(suite);
    }
    report
}

/// A test case of nextest's with what our record says: its figures, and where it did not pass, why.
fn join(case: &mut TestCase, entry: &Entry, summary: &Summary) {
    let (ty, message) = told(case);
    let said = said(case);
    let ours = render::case(entry, summary);
    case.properties.retain(|property| !property.name.starts_with("chaos."));
    case.properties.extend(ours.properties);
    // What it has of its own stays.
    if case.system_out.is_none() && matches!(case.status, TestCaseStatus::Success { .. }) {
        case.system_out = ours.system_out;
    }
    match (&mut case.status, ours.status) {
        // Nothing of a dry run says how the service fares, so it must not look like a pass.
        (TestCaseStatus::Success { flaky_runs }, skipped @ TestCaseStatus::Skipped { .. }) => {
            if flaky_runs.is_empty() {
                case.status = skipped;
            }
        }
        // What nextest says of a test whose record passed happened after the record was written.
        (_, TestCaseStatus::Success { .. } | TestCaseStatus::Skipped { .. }) => {}
        (TestCaseStatus::Skipped { .. }, ours) => case.status = ours,
        (TestCaseStatus::Success { flaky_runs }, mut ours) => {
            let flaky = std::mem::take(flaky_runs);
            if let TestCaseStatus::NonSuccess { reruns, .. } = &mut ours
                && !flaky.is_empty()
            {
                (reruns.kind, reruns.runs) = (FlakyOrRerun::Flaky, flaky);
            }
            case.status = ours;
        }
        (TestCaseStatus::NonSuccess { reruns, .. }, mut ours) => {
            let tried = std::mem::take(reruns);
            if let TestCaseStatus::NonSuccess { description, reruns, .. } = &mut ours {
                keep_said(description, said, [&case.system_out, &case.system_err]);
                // nextest knows more of its tries than their verdicts.
                if !tried.runs.is_empty() {
                    *reruns = tried;
                }
            }
            case.status = ours;
            keep_told(&mut case.properties, ty, message);
        }
    }
}

/// What nextest shows of a test's output, unless it is in ours or stands in the output that the file holds.
fn keep_said(ours: &mut Option<XmlString>, said: Option<String>, outputs: [&Option<XmlString>; 2]) {
    let Some(said) = said else { return };
    let held = |text: &Option<XmlString>| text.as_ref().is_some_and(|text| text.contains(said.trim()));
    if !held(ours) && !outputs.into_iter().any(held) {
        let first = ours.as_deref().unwrap_or_default();
        *ours = Some(XmlString::new(format!("{first}{SAID}{said}")));
    }
}

/// What nextest called it, beside what we do.
fn keep_told(properties: &mut Vec<Property>, ty: Option<String>, message: Option<String>) {
    for (name, value) in [(TYPE, ty), (MESSAGE, message)] {
        properties.retain(|property| *property.name != *name);
        properties.extend(value.map(|value| Property::new(name, render::line(&value))));
    }
}
