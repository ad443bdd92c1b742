use std::fs;
use std::io::Read;

use chaos_test::model::{BodyEnd, Stage};
use chaos_test::report::Report;
use insta::assert_snapshot;
use serde_json::Value;

use crate::sandbox::{Sandbox, age, ended};
use crate::synthetic::{Story, delayed, ms};

pub(crate) fn pass(test: &str) -> Story {
    Story::new(test).chaos(delayed)
}

pub(crate) fn fail(test: &str) -> Story {
    Story::new(test).chaos(|_, sample| sample.latency += ms(804))
}

pub(crate) fn inconclusive(test: &str) -> Story {
    pass(test).chaos(|_, sample| sample.lag = ms(45))
}

pub(crate) fn error(test: &str) -> Story {
    Story::new(test).trouble(Stage::Setup, "service `app` was not ready within 30 s")
}

pub(crate) fn body_failed(test: &str) -> Story {
    pass(test).body(BodyEnd::Failed("the order | is *lost*\nsecond line".into()))
}

pub(crate) fn in_run(mut story: Story, run: &str) -> Report {
    story.run_id = run.into();
    story.report()
}

#[test]
fn all_that_passed_is_zero_with_and_without_the_gate() {
    let sandbox = Sandbox::new();
    sandbox.keep(&pass("survives").report());
    for args in [&["report"][..], &["report", "--fail-on-violation"], &["chaos", "report"]] {
        let ended = sandbox.run(args);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(ended.stdout.starts_with("# Chaos report\n\n**passed**: 1 of 1 test passed\n"), "{ended:?}");
        assert_eq!(ended.stderr, "1 of 1 test passed; validation: runs/run-1/resilience_validation.json\n");
    }
}

#[test]
fn whatever_did_not_pass_is_one_behind_the_gate() {
    for story in [fail("t"), error("t"), inconclusive("t"), body_failed("t")] {
        let sandbox = Sandbox::new();
        sandbox.keep(&pass("survives").report());
        sandbox.keep(&story.report());
        assert_eq!(sandbox.run(&["report"]).code, Some(0));
        let gate = sandbox.run(&["report", "--fail-on-violation"]);
        assert_eq!(gate.code, Some(1), "{gate:?}");
        assert!(gate.stdout.contains("**failed**: 1 of 2 tests passed"), "{gate:?}");
    }
}

#[test]
fn an_inconclusive_test_that_may_pass_passes() {
    let sandbox = Sandbox::new();
    sandbox.keep(&inconclusive("t").with(|story| story.inconclusive_passes = true).report());
    assert_eq!(sandbox.run(&["report", "--fail-on-violation"]).code, Some(0));
}

#[test]
fn nothing_found_is_four() {
    let sandbox = Sandbox::new();
    let ended = sandbox.run(&["report"]);
    assert_eq!(ended.code, Some(4));
    assert_snapshot!(ended.stderr, @r#"
    error: no records found in runs: every chaos test that runs leaves one; run them first (`cargo nextest run` or `cargo test`), or name the place with --results
    "#);
    // Not everything in a run folder is a record.
    sandbox.write("runs/run-1/ledger-17.jsonl", "{}");
    sandbox.write("runs/run-1/.hidden.json", "{}");
    sandbox.write("runs/run-1/logs/app.json", "{}");
    sandbox.write("runs/run-1/notes.txt", "");
    sandbox.write("runs/run-1/chaos_results.json", "{}");
    sandbox.write("runs/run-1/resilience_validation.json", "{}");
    sandbox.write("runs/run-1/run.json", r#"{"format":1,"started":1700000000.5}"#);
    let ended = sandbox.run(&["report"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(4), ""), "{ended:?}");
}

#[test]
fn wrong_usage_is_two() {
    let sandbox = Sandbox::new();
    for args in [&[][..], &["report", "--result", "x"], &["report", "--results", "nowhere"], &["run"]] {
        let ended = sandbox.run(args);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{ended:?}");
    }
    let ended = sandbox.run(&["report", "--results", "nowhere"]);
    assert_snapshot!(ended.stderr, @r#"
    error: --results nowhere: there is no such file or directory; name a run folder, a folder of run folders or a record (by default it is runs)
    "#);
}

#[test]
fn an_output_that_cannot_be_written_is_two() {
    let sandbox = Sandbox::new();
    sandbox.keep(&pass("survives").report());
    sandbox.write("file", "");
    for option in ["--report", "--validation"] {
        let ended = sandbox.run(&["report", option, "file/below.md"]);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains("error: cannot write file/below.md: "), "{ended:?}");
        assert!(ended.stderr.contains(&format!("name another file with {option}")), "{ended:?}");
    }
}

#[test]
fn unreadable_records_are_named_and_the_rest_is_reported() {
    let sandbox = Sandbox::new();
    let record = pass("survives").report();
    sandbox.keep(&record);
    let json = record.to_json().unwrap();
    sandbox.write("runs/run-1/cut.json", &json[..json.len() / 2]);
    sandbox.write("runs/run-1/empty.json", "");
    sandbox.write("runs/run-1/foreign.json", r#"{"name": "somebody else's"}"#);
    sandbox.write("runs/run-1/list.json", "[1, 2]");
    sandbox.write("runs/run-1/newer.json", r#"{"format_version": 99, "anything": true}"#);
    sandbox.write("runs/run-1/garbage.json", "\u{1}\u{2}");
    sandbox.write("runs/run-1/damaged.json", &json.replace("\"slo\":", "\"oops\":"));
    let ended = sandbox.run(&["report", "--fail-on-violation"]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    insta::with_settings!({filters => vec![(r"parsing a \w+ at line 1 column \d+", "parsing it at line 1 column N"), (r"column \d{3,}", "column N")]}, {
        assert_snapshot!(ended.stderr, @r#"
    error: runs/run-1/cut.json is not reported: cut short: EOF while parsing it at line 1 column N
    error: runs/run-1/damaged.json is not reported: a damaged record: missing field `slo` at line 1 column N
    error: runs/run-1/empty.json is not reported: the file is empty
    error: runs/run-1/foreign.json is not reported: not a chaos-test record: it has no number `format_version`
    error: runs/run-1/garbage.json is not reported: not a chaos-test record: it is no JSON object
    error: runs/run-1/list.json is not reported: not a chaos-test record: it is no JSON object
    error: runs/run-1/newer.json is not reported: a record of format 99, and this version reads formats 1 to 2: use the cargo-chaos of the chaos-test that wrote it
    help: remove a file that is no record; for a damaged record, run its test again (exit code 3)
    1 of 1 test passed, 7 records could not be read; validation: runs/run-1/resilience_validation.json
    "#);
    });
    assert!(ended.stdout.starts_with("# Chaos report\n\n**incomplete**: 1 of 1 test passed, 7 records"));
    assert!(ended.stdout.contains("`runs/run-1/cut.json` could not be read and is missing here"));
    let validation: Value =
        serde_json::from_str(&sandbox.read("runs/run-1/resilience_validation.json")).unwrap();
    assert_eq!(validation["passed"], false, "nobody knows what the other seven came to");

    // A violation counts more.
    sandbox.keep(&fail("breaks").report());
    assert_eq!(sandbox.run(&["report", "--fail-on-violation"]).code, Some(1));
    assert_eq!(sandbox.run(&["report"]).code, Some(3));
}

#[test]
fn a_test_that_left_no_record_is_an_error() {
    let sandbox = Sandbox::new();
    sandbox.keep(&pass("survives").report());
    // As far as it came: it would be a pass.
    sandbox.keep_as(&pass("was_killed").report(), ".was_killed.pending");
    // And one whose record was written in the end.
    sandbox.keep_as(&pass("survives").report(), ".survives.pending");
    let ended = sandbox.run(&["report", "--fail-on-violation"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("1 of 2 tests passed (1 Error)"), "{ended:?}");
    assert!(ended.stdout.contains("it has left no record: it still runs, or it was killed"), "{ended:?}");
    let only = Sandbox::new();
    only.keep_as(&pass("was_killed").report(), ".was_killed.pending");
    assert_eq!(only.run(&["report", "--fail-on-violation"]).code, Some(1));
}

#[test]
fn only_unreadable_records_are_three() {
    let sandbox = Sandbox::new();
    sandbox.write("runs/run-1/cut.json", "{");
    let ended = sandbox.run(&["report"]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.stdout.contains("**incomplete**: 0 of 0 tests passed, 1 record could not be read"));
}

#[test]
fn the_last_try_of_a_test_counts_and_the_others_are_told() {
    let sandbox = Sandbox::new();
    sandbox.keep(&fail("flaky").report());
    let second = pass("flaky").with(|story| story.started_at += 60.0).report();
    sandbox.keep_as(&second, "flaky__attempt-2");
    // The same record twice is no third try.
    let again = sandbox.keep_as(&second, "copy");
    let ended = sandbox.run(&["report", "--fail-on-violation", "--results", "runs", again.to_str().unwrap()]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.contains("- `flaky` was tried 2 times: Fail, then Pass; the last one counts\n"));
}

#[test]
fn the_newest_run_counts_unless_all_are_asked_for() {
    let sandbox = Sandbox::new();
    age(&sandbox.keep(&in_run(fail("breaks"), "a-old")), 7200);
    age(&sandbox.keep(&in_run(fail("breaks"), "z-old")), 3600);
    sandbox.keep(&in_run(pass("survives"), "m-new"));
    let newest = sandbox.run(&["report", "--fail-on-violation"]);
    assert_eq!(newest.code, Some(0), "{newest:?}");
    assert!(
        newest.stderr.starts_with("note: runs/m-new is the newest of 3 runs in runs; --all takes them all\n"),
        "{newest:?}"
    );
    let all = sandbox.run(&["report", "--fail-on-violation", "--all"]);
    assert_eq!(all.code, Some(1), "{all:?}");
    assert!(all.stdout.contains("1 of 3 tests passed (2 Fail)"), "{all:?}");
    assert!(sandbox.path("runs/resilience_validation.json").is_file(), "beside the runs");
    // What was written there does not hide the runs the next time.
    assert!(sandbox.run(&["report"]).stderr.contains("m-new"));
}

#[test]
fn results_may_be_run_folders_and_single_records() {
    let sandbox = Sandbox::new();
    let old = sandbox.keep(&in_run(fail("breaks"), "old"));
    age(&old, 3600);
    sandbox.keep(&in_run(pass("survives"), "new"));
    let folder = sandbox.run(&["report", "--results", "runs/old"]);
    assert!(folder.stdout.contains("`breaks`") && !folder.stdout.contains("`survives`"), "{folder:?}");
    let file = sandbox.run(&["report", "--results", "runs/old/breaks.json"]);
    assert_eq!(file.stdout, folder.stdout);
    let start = sandbox.write("runs/new/run.json", r#"{"format":1,"started":1700000000.5}"#);
    let start = start.display().to_string();
    let both = sandbox.run(&["report", "--results", "runs/old", "runs/new/survives.json", &start]);
    assert!(both.stdout.contains("1 of 2 tests passed"), "{both:?}");
    assert!(both.stderr.ends_with("validation: resilience_validation.json\n"), "{both:?}");
}

#[test]
fn report_and_validation_go_where_they_are_told() {
    let sandbox = Sandbox::new();
    sandbox.keep(&fail("breaks").report());
    let args = ["report", "--report", "out/chaos_report.md", "--validation", "runs/run-1/mine.json"];
    let first = sandbox.run(&args);
    assert_eq!(
        first.stdout,
        "0 of 1 test passed (1 Fail); validation: runs/run-1/mine.json; report: out/chaos_report.md\n"
    );
    assert_eq!(first.stderr, "");
    assert!(sandbox.read("out/chaos_report.md").starts_with("# Chaos report\n"));
    // Its own validation is not a foreign record the next time, whatever it is called.
    assert_eq!(sandbox.run(&["report"]).code, Some(0));
    assert_eq!(sandbox.run(&["report", "--report", "/dev/null"]).code, Some(0));
    assert!(!fs::metadata("/dev/null").unwrap().is_file(), "a device is written to, not replaced");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let sandbox = Sandbox::new();
    for n in 0..40 {
        sandbox.keep(&fail(&format!("breaks_{n}")).report());
    }
    for args in [&["report"][..], &["list"], &["--help"]] {
        let mut child = sandbox.command(args).spawn().unwrap();
        drop(child.stdout.take());
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0), "{stderr}");
        assert!(!stderr.contains("panicked"), "{stderr}");
    }
}

#[test]
fn a_full_disk_is_an_error() {
    let sandbox = Sandbox::new();
    sandbox.keep(&pass("survives").report());
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let ended = ended(sandbox.command(&["report"]).stdout(full));
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.starts_with("error: cannot write to stdout: "), "{ended:?}");
}
