//! Programs of others: junitparser reads what we write, and lxml holds it against schemas.
//!
//! `CHAOS_TEST_PYTHON` is the python that has them, else `python3`; without it these tests say so and do nothing, unless
//! `CHAOS_TEST_REQUIRE` names `junitparser` or `lxml`. The common schema is Jenkins' (junit-10.xsd, which the sources of
//! pytest hold in `testing/example_scripts`); `CHAOS_TEST_JUNIT_XSD` says where it is, and `junit-xsd` requires it.

use std::path::Path;
use std::process::Command;

use chaos_test::report::render;
use quick_junit::{FlakyOrRerun, NonSuccessKind, Report as Junit, TestCaseStatus};
use serde_json::{Value, json};

use crate::verdicts::each;

fn here(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/junit").join(name).display().to_string()
}

fn python() -> String {
    std::env::var("CHAOS_TEST_PYTHON").unwrap_or_else(|_| "python3".into())
}

/// Whether python has a module. If not, it says so; and if `CHAOS_TEST_REQUIRE` names it, it fails instead.
fn has(module: &str) -> bool {
    let tried = Command::new(python()).args(["-c", &format!("import {module}")]).output();
    let missing = match tried {
        Ok(output) if output.status.success() => return true,
        Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        Err(error) => error.to_string(),
    };
    self::missing(module, &format!("{} has none (pip install {module}): {missing}", python()));
    false
}

fn missing(what: &str, why: &str) {
    let required = std::env::var("CHAOS_TEST_REQUIRE").unwrap_or_default();
    assert!(!required.split(',').any(|name| name.trim() == what), "{what} is required: {why}");
    eprintln!("SKIPPED: no {what}: {why}");
}

fn run(script: &str, args: &[&str], xml: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("junit.xml");
    std::fs::write(&file, xml).unwrap();
    let output = Command::new(python()).arg(here(script)).arg(&file).args(args).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}\n{xml}");
    String::from_utf8(output.stdout).unwrap()
}

/// What junitparser reads of it is what was written.
pub(crate) fn reads_the_same(xml: &str) {
    if !has("junitparser") {
        return;
    }
    let read: Value = serde_json::from_str(&run("read.py", &[], xml)).unwrap();
    let report = Junit::deserialize_from_str(xml).unwrap();
    let cases = report.test_suites.iter().flat_map(|suite| &suite.test_cases);
    let written: Vec<Value> = cases
        .map(|case| {
            let (result, message) = match &case.status {
                TestCaseStatus::Success { .. } => ("pass", None),
                TestCaseStatus::Skipped { message, .. } => ("Skipped", message.as_deref()),
                TestCaseStatus::NonSuccess { kind: NonSuccessKind::Failure, message, .. } => {
                    ("Failure", message.as_deref())
                }
                TestCaseStatus::NonSuccess { message, .. } => ("Error", message.as_deref()),
            };
            json!({
                "name": case.name.as_str(),
                "classname": case.classname.as_deref(),
                "result": result,
                "message": message,
                "tries": tries(&case.status),
                "properties": case.properties.iter()
                    .map(|property| [property.name.as_str(), property.value.as_str()]).collect::<Vec<_>>(),
            })
        })
        .collect();
    assert_eq!(read["cases"], Value::Array(written));
    assert_eq!(read["totals"], json!([report.tests, report.failures, report.errors, report.skipped]));
}

fn tries(status: &TestCaseStatus) -> Vec<[Option<&str>; 2]> {
    let (name, runs) = match status {
        TestCaseStatus::Success { flaky_runs } => ("flaky", flaky_runs),
        TestCaseStatus::NonSuccess { reruns, .. } if reruns.kind == FlakyOrRerun::Flaky => {
            ("flaky", &reruns.runs)
        }
        TestCaseStatus::NonSuccess { reruns, .. } => ("rerun", &reruns.runs),
        TestCaseStatus::Skipped { .. } => return Vec::new(),
    };
    let element = |kind| match (name, kind) {
        ("flaky", NonSuccessKind::Failure) => "FlakyFailure",
        ("flaky", NonSuccessKind::Error) => "FlakyError",
        (_, NonSuccessKind::Failure) => "RerunFailure",
        (_, NonSuccessKind::Error) => "RerunError",
    };
    runs.iter().map(|run| [Some(element(run.kind)), run.ty.as_deref()]).collect()
}

/// It is as the schemas say: ours, and where `CHAOS_TEST_JUNIT_XSD` names it the common one, but for what ours extends.
pub(crate) fn is_valid(xml: &str) {
    if has("lxml") {
        let common = std::env::var("CHAOS_TEST_JUNIT_XSD").unwrap_or_default();
        if common.is_empty() {
            missing("junit-xsd", "CHAOS_TEST_JUNIT_XSD names no copy of Jenkins' junit-10.xsd");
        }
        let told = run("validate.py", &[&here("junit.xsd"), &common], xml);
        eprint!("{told}");
    }
}

#[test]
fn junitparser_reads_every_verdict() {
    reads_the_same(&render::junit(&each()).unwrap());
}

#[test]
fn every_verdict_is_as_the_schema_says() {
    is_valid(&render::junit(&each()).unwrap());
}

/// The schema is not one that anything passes.
#[test]
fn the_schema_refuses_what_is_wrong() {
    if !has("lxml") {
        return;
    }
    let xml = render::junit(&each()).unwrap();
    for (right, wrong) in [
        ("<skipped message", "<passed message"),
        ("<property name", "<property nom"),
        ("failures=\"", "failures=\"-"),
        ("time=\"44.000\"", "time=\"long\""),
        ("classname=\"shop::checkout\"", "class=\"shop::checkout\""),
    ] {
        assert!(xml.contains(right), "{right}");
        let broken = xml.replace(right, wrong);
        let refused = std::panic::catch_unwind(|| run("validate.py", &[&here("junit.xsd")], &broken));
        assert!(refused.is_err(), "{wrong} is accepted");
    }
}
