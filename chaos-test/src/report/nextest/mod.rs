//! What nextest wrote of a run: its JUnit file beside our records.
//!
//! Purpose: tests that ended without a record, because they crashed or were killed, become entries of verdict Error, and so
//! do those that failed although their record passed; and one file shows nextest's tests with what our records say of them.
//! Invariants: what nextest wrote is kept, and reading a merged file again comes to the same.
//! Not here: files (the caller reads and writes them); JUnit without nextest (that is `render::junit`).

mod merge;
mod missing;
mod overruled;

use quick_junit::{Report as Junit, ReportUuid, TestCase, TestCaseStatus};

use super::Entry;
pub use merge::merged;

/// Of a setup script, which nextest lists like a test binary.
const SETUP: &str = "@setup-script";
/// What nextest said of a test, where our text stands in its place.
const TYPE: &str = "nextest.type";
const MESSAGE: &str = "nextest.message";
/// What stands before nextest's text where it follows ours.
const SAID: &str = "\n\nnextest:\n";

/// A JUnit file of nextest.
///
/// ```
/// use chaos_test::report::nextest::NextestJunit;
/// let junit = br#"<testsuites><testsuite name="shop::checkout"><testcase name="buys::medium_cpu_stress">
///     <failure type="test abort"/></testcase></testsuite></testsuites>"#;
/// let lost = NextestJunit::read(junit)?.without_record(&[]);
/// assert_eq!(lost[0].scenario, "Medium CPU Stress");
/// assert_eq!(lost[0].reason.as_deref(), Some("the test left no record: test abort"));
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextestJunit(Junit);

impl NextestJunit {
    /// Reads one.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        if bytes.trim_ascii().is_empty() {
            return Err("the file is empty".into());
        }
        let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
        Junit::deserialize_from_str(text).map(Self).map_err(|error| error.to_string())
    }

    /// Whether an entry is of the run that this file is of.
    ///
    /// The file's uuid is nextest's run id, and so is ours, unless a run was named otherwise (`CHAOS_TEST_RUN_ID`): then
    /// nothing speaks against it but the records of `cargo test`, which is not nextest.
    ///
    /// ```
    /// use chaos_test::report::{Entry, nextest::NextestJunit};
    ///
    /// /// Those that the file says nothing of.
    /// fn of_other_runs<'e>(file: &NextestJunit, entries: &'e [Entry]) -> Vec<&'e Entry> {
    ///     entries.iter().filter(|entry| !file.has(entry)).collect()
    /// }
    /// ```
    pub fn has(&self, entry: &Entry) -> bool {
        let Some(uuid) = self.0.uuid else { return true };
        match entry.run_id.parse::<ReportUuid>() {
            Ok(run) => run == uuid,
            Err(_) => !entry.run_id.starts_with("local-"),
        }
    }

    /// Whether its tests were run: where a setup script of nextest's fails, none is.
    ///
    /// ```
    /// use chaos_test::report::nextest::NextestJunit;
    /// let list = br#"<testsuites><testsuite name="@setup-script:build"><testcase name="build"><failure/></testcase>
    ///     </testsuite></testsuites>"#;
    /// assert!(!NextestJunit::read(list)?.ran());
    /// # Ok::<(), String>(())
    /// ```
    pub fn ran(&self) -> bool {
        let mut scripts = self.0.test_suites.iter().filter(|suite| suite.name.starts_with(SETUP));
        !scripts.any(|suite| suite.test_cases.iter().any(failed))
    }
}

/// Whether our figures are in it already: the file was merged before.
fn is_merged(case: &TestCase) -> bool {
    case.properties.iter().any(|property| property.name.starts_with("chaos."))
}

/// Whether all its tries came to nothing, by nextest's account.
fn failed(case: &TestCase) -> bool {
    matches!(case.status, TestCaseStatus::NonSuccess { .. })
}

/// Why it failed, in one line; a message of several lines says the most in its first.
fn why(ty: Option<String>, message: Option<String>) -> String {
    let why = message.or(ty).unwrap_or_else(|| "it failed".into());
    why.lines().next().unwrap_or_default().to_owned()
}

/// The type and the message that nextest gave it.
fn told(case: &TestCase) -> (Option<String>, Option<String>) {
    let value = |name: &str| {
        let property = case.properties.iter().find(|property| *property.name == *name)?;
        Some(property.value.to_string())
    };
    match &case.status {
        _ if is_merged(case) => (value(TYPE), value(MESSAGE)),
        TestCaseStatus::NonSuccess { ty, message, .. } => {
            (ty.as_deref().map(str::to_owned), message.as_deref().map(str::to_owned))
        }
        _ => (None, None),
    }
}

/// What nextest shows of the output of a test that failed.
fn said(case: &TestCase) -> Option<String> {
    let TestCaseStatus::NonSuccess { description: Some(said), .. } = &case.status else { return None };
    if is_merged(case) {
        return Some(said.split_once(SAID)?.1.to_owned());
    }
    Some(said.to_string())
}
