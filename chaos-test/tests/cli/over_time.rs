use std::fs;
use std::io::Write;

use chaos_test::model::Outcome;

use crate::reports::{body_failed, fail, in_run, pass};
use crate::sandbox::Sandbox;
use crate::synthetic::{Story, ms};

#[test]
fn a_base_is_a_former_validation() {
    let sandbox = Sandbox::new();
    sandbox.keep(&pass("checkout").report());
    assert_eq!(sandbox.run(&["report", "--out", "base"]).code, Some(0));
    sandbox.keep(&fail("checkout").report());
    for base in ["base", "base/resilience_validation.json"] {
        let ended = sandbox.run(&["report", "--compare", base]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(ended.stdout.contains("## Compared with base/resilience\\_validation.json\n"), "{ended:?}");
        assert!(ended.stdout.contains("| `checkout` | verdict | Pass | Fail | **worse** |"), "{ended:?}");
        assert!(
            ended.stdout.contains("| `checkout` | p95 degradation | 200 ms | 804 ms | **worse** |"),
            "{ended:?}"
        );
    }
    let gate = sandbox.run(&["report", "--compare", "base", "--fail-on-regression"]);
    assert_eq!(gate.code, Some(1), "{gate:?}");
    sandbox.keep(&pass("checkout").report());
    let gate = sandbox.run(&["report", "--compare", "base", "--fail-on-regression"]);
    assert_eq!(gate.code, Some(0), "{gate:?}");
}

/// The gate is for figures, and the one for verdicts is another.
#[test]
fn a_figure_that_is_worse_is_a_regression_and_another_verdict_is_none() {
    let sandbox = Sandbox::new();
    sandbox.keep(&pass("checkout").report());
    assert_eq!(sandbox.run(&["report", "--out", "base"]).code, Some(0));
    let gate = || sandbox.run(&["report", "--compare", "base", "--fail-on-regression"]);
    let violation = || sandbox.run(&["report", "--fail-on-violation"]);
    // 200 ms more than before, and still allowed.
    sandbox.keep(&Story::new("checkout").chaos(|_, sample| sample.latency += ms(400)).report());
    assert_eq!((gate().code, violation().code), (Some(1), Some(0)), "{:?}", gate());
    let cut = sandbox.write("runs/run-1/cut.json", "{");
    assert_eq!((gate().code, violation().code), (Some(1), Some(3)), "{:?}", gate());
    fs::remove_file(cut).unwrap();
    sandbox.keep(&body_failed("checkout").report());
    assert_eq!((gate().code, violation().code), (Some(0), Some(1)), "{:?}", gate());
}

/// The worst that can happen has no interval.
#[test]
fn a_service_that_does_not_come_back_is_a_regression() {
    let sandbox = Sandbox::new();
    sandbox.keep(&pass("checkout").report());
    assert_eq!(sandbox.run(&["report", "--out", "base"]).code, Some(0));
    let never_back = pass("checkout").recovery(|_, sample| sample.outcome = Outcome::ConnectError);
    sandbox.keep(&never_back.report());
    let gate = sandbox.run(&["report", "--compare", "base", "--fail-on-regression"]);
    assert_eq!(gate.code, Some(1), "{gate:?}");
    for (objective, was) in
        [("availability", "100 %"), ("worst time to recover", "no outage"), ("recovery time", "under 20 ms")]
    {
        let row = format!("| `checkout` | {objective} | {was}");
        let row = gate.stdout.lines().find(|line| line.starts_with(&row));
        assert!(row.is_some_and(|row| row.ends_with(" | **worse** |")), "{objective} in {gate:?}");
    }
}

#[test]
fn what_is_no_base_is_said() {
    let sandbox = Sandbox::new();
    sandbox.keep(&pass("checkout").report());
    sandbox.write("foreign.json", "{}");
    sandbox
        .write("old.json", r#"{"passed":true,"timestamp":0,"slo_targets":[],"metrics":[],"violations":[]}"#);
    for (base, why) in [
        ("nowhere.json", "cannot be read: "),
        ("foreign.json", "not a summary: missing field"),
        (
            "old.json",
            "a summary of an older format, which has no intervals; name a resilience_validation.json",
        ),
    ] {
        let ended = sandbox.run(&["report", "--compare", base]);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{ended:?}");
        assert!(ended.stderr.contains(&format!("error: --compare {base}: {why}")), "{ended:?}");
    }
}

#[test]
fn a_history_grows_by_a_line_a_run_and_keeps_what_is_damaged_apart() {
    let sandbox = Sandbox::new();
    let report = |sandbox: &Sandbox| {
        let ended = sandbox.run(&["report", "--history", "history/chaos.jsonl", "--revision", "abc"]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended
    };
    let lines = |sandbox: &Sandbox| sandbox.read("history/chaos.jsonl").lines().count();
    sandbox.keep(&pass("checkout").report());
    assert!(!report(&sandbox).stdout.contains("## History"), "one run is no trend");
    // The same run again is no second run.
    report(&sandbox);
    assert_eq!(lines(&sandbox), 1);
    // A process that was killed while it wrote.
    let file = sandbox.path("history/chaos.jsonl");
    fs::File::options()
        .append(true)
        .open(file)
        .unwrap()
        .write_all(br#"{"format_version":1,"timest"#)
        .unwrap();
    sandbox.keep(&fail("checkout").with(|story| story.started_at += 60.0).report());
    let ended = report(&sandbox);
    assert!(ended.stderr.contains("note: history/chaos.jsonl line 2: "), "{ended:?}");
    assert!(
        ended.stdout.contains("| `checkout` | ✅❌ | p95 degradation | ▁█ | 804 ms (limit 500 ms) |"),
        "{ended:?}"
    );
    assert_eq!(lines(&sandbox), 3, "the torn line, and one of its own");
    assert!(sandbox.read("history/chaos.jsonl").contains(r#""revision":"abc""#));
}

#[test]
fn everything_goes_into_one_directory() {
    let sandbox = Sandbox::new();
    sandbox.keep(&fail("checkout").report());
    let ended = sandbox.run(&["report", "--out", "out"]);
    assert_eq!(ended.stdout, "0 of 1 test passed (1 Fail); all in out\n");
    let raw: serde_json::Value = serde_json::from_str(&sandbox.read("out/chaos_results.json")).unwrap();
    assert_eq!(raw["reports"][0]["test"], "checkout");
    assert!(raw["reports"][0]["trace"]["streams"][0]["samples"].as_array().unwrap().len() > 1000);
    assert!(
        sandbox
            .read("out/pr_comment.md")
            .starts_with("<!-- chaos-test report -->\n### Chaos tests: failed\n")
    );
    assert!(sandbox.read("out/chaos_report.md").contains("## Recommendations"));
    // What was written is no record the next time.
    let again = sandbox.run(&["report", "--results", "out", "runs"]);
    assert!(again.stdout.contains("0 of 1 test passed"), "{again:?}");
}

#[test]
fn a_step_summary_is_added_to() {
    let sandbox = Sandbox::new();
    sandbox.keep(&fail("checkout").report());
    let summary = sandbox.write("summary.md", "what another step has said\n");
    let mut command = sandbox.command(&["report", "--step-summary", "--quiet"]);
    let ended = crate::sandbox::ended(command.env("GITHUB_STEP_SUMMARY", &summary));
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (Some(0), "", ""), "{ended:?}");
    let text = sandbox.read("summary.md");
    assert!(text.starts_with("what another step has said\n# Chaos report\n\n**failed**"), "{text}");
    let mut command = sandbox.command(&["report", "--step-summary"]);
    let elsewhere = crate::sandbox::ended(command.env_remove("GITHUB_STEP_SUMMARY"));
    assert_eq!(elsewhere.code, Some(2), "{elsewhere:?}");
    assert!(elsewhere.stderr.contains("elsewhere use --report FILE"), "{elsewhere:?}");
}

#[test]
fn quiet_is_quiet_and_a_file_has_no_colours() {
    let sandbox = Sandbox::new();
    sandbox.keep(&fail("checkout").report());
    let quiet = sandbox.run(&["report", "--quiet", "--fail-on-violation"]);
    assert_eq!((quiet.code, quiet.stdout.as_str(), quiet.stderr.as_str()), (Some(1), "", ""), "{quiet:?}");
    let told = sandbox.run(&["report", "--report", "out.md"]);
    assert!(!told.stdout.contains('\u{1b}') && !told.stderr.contains('\u{1b}'), "{told:?}");
}

#[test]
fn a_terminal_has_colours_and_is_told_how_far_it_is() {
    let sandbox = Sandbox::new();
    let record = fail("checkout").report().to_json().unwrap();
    for n in 0..3 {
        sandbox.write(&format!("runs/run-1/{n}.json"), &record);
    }
    let report = |more: &str, variables: &[(&str, &str)]| {
        sandbox.at_a_terminal(&format!("report --report out.md{more}"), variables, "").stdout
    };
    let told = report("", &[]);
    assert!(told.contains("\u{1b}[31m") && told.contains("\u{1b}[0m"), "{told}");
    let (_, progress) = told.split_once("read ").expect("it says how far it is");
    assert!(progress.contains(" of 3\u{1b}[K\r"), "{told}");
    let plain = report("", &[("NO_COLOR", "1")]);
    assert!(plain.contains("read 1 of 3") && !plain.contains("\u{1b}[31m"), "{plain}");
    let quiet = report(" --quiet", &[]);
    assert_eq!(quiet, "");
}

#[test]
fn a_run_reported_again_is_the_last_of_its_trend() {
    let sandbox = Sandbox::new();
    sandbox.keep(&in_run(pass("checkout"), "0"));
    sandbox.keep(&in_run(pass("checkout"), "a"));
    sandbox.keep(&in_run(fail("checkout"), "b"));
    let report =
        |run: &str| sandbox.run(&["report", "--results", &format!("runs/{run}"), "--history", "h.jsonl"]);
    for run in ["0", "a", "b"] {
        report(run);
    }
    let again = report("a").stdout;
    assert!(
        again.contains("| `checkout` | ✅✅ | p95 degradation | ▁▁ | 200 ms (limit 500 ms) |"),
        "{again}"
    );
}
