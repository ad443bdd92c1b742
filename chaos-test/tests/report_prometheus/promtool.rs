//! What `promtool` has to say.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::assets::{RULE_TESTS, RULES};
use crate::sandbox::Sandbox;
use crate::servers::{Programs, programs_or_skip};
use crate::{cannot_tell, goes_down, passes};

fn promtool(programs: &Programs, dir: &Path, args: &[&str], stdin: Stdio) -> Output {
    Command::new(&programs.promtool).args(args).current_dir(dir).stdin(stdin).output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

/// Names that users have queries for are kept, although these are said of them; nothing else is.
const KNOWN: [&str; 3] = [
    "chaos_latency_degradation_ms metric names should not contain abbreviated units",
    "chaos_scenarios_total non-counter metrics should not have \"_total\" suffix",
    "chaos_slo_violations_count non-histogram and non-summary metrics should not have \"_count\" suffix",
];

#[test]
fn the_metrics_are_as_they_should_be_but_for_the_names_that_are_kept() {
    let Some(programs) = programs_or_skip() else { return };
    let sandbox = Sandbox::new();
    let hostile = passes("a\"}\\ 1\nb \u{1b}[31m </script>");
    for (n, story) in
        [passes("survives"), goes_down("goes_down"), cannot_tell("late"), hostile].into_iter().enumerate()
    {
        sandbox.keep_as(&story.report(), &format!("record-{n}"));
    }
    let ended = sandbox.run(&["report", "--out", "out"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let metrics = fs::File::open(sandbox.path("out/chaos_metrics.prom")).unwrap();
    let checked = promtool(&programs, &sandbox.path("out"), &["check", "metrics"], metrics.into());
    let said = text(&checked);
    let mut lines: Vec<&str> = said.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, KNOWN, "{said}");
    // 3: read without an error, and something was said.
    assert_eq!(checked.status.code(), Some(3));
}

#[test]
fn the_rules_pass_their_tests() {
    let Some(programs) = programs_or_skip() else { return };
    let dir = tempfile::tempdir().unwrap();
    let (rules, tests) =
        (dir.path().join("chaos-test.rules.yml"), dir.path().join("chaos-test.rules.test.yml"));
    fs::write(&rules, RULES).unwrap();
    fs::write(&tests, RULE_TESTS).unwrap();
    let run = |args: &[&str]| promtool(&programs, dir.path(), args, Stdio::null());
    let checked = run(&["check", "rules", "chaos-test.rules.yml"]);
    assert!(
        checked.status.success() && text(&checked).contains("SUCCESS: 8 rules found"),
        "{}",
        text(&checked)
    );
    let tested = || run(&["test", "rules", "chaos-test.rules.test.yml"]);
    assert!(tested().status.success(), "{}", text(&tested()));
    // And would not if a rule were another.
    for (rule, another) in [
        ("chaos_scenario_success == 0", "chaos_scenario_success == 1"),
        ("chaos_slo_violations_count > 0", "chaos_slo_violations_count >= 0"),
        ("inconclusive|aborted|error", "inconclusive|fail"),
        ("chaos_fault_dose_ratio <= 0.55 or", "chaos_fault_dose_ratio < 0.55 or"),
        ("chaos_fault_checks_ratio < 0.8", "chaos_fault_checks_ratio <= 0.8"),
        ("severity=\"blocking\"}", "severity=~\".*\"}"),
        ("> 36 * 3600", "> 48 * 3600"),
        ("for: 1h", "for: 2h"),
        ("chaos_records_unreadable > 0", "chaos_records_unreadable > 3"),
    ] {
        assert!(RULES.contains(rule), "{rule}");
        fs::write(&rules, RULES.replace(rule, another)).unwrap();
        assert!(!tested().status.success(), "{another} passes the tests as well");
    }
}
