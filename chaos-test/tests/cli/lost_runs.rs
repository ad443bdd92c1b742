//! Runs of which no record, or not the last one, is there: none of them comes out well.
use std::fs;
use std::time::SystemTime;

use serde_json::Value;

use crate::reports::{fail, in_run, pass};
use crate::sandbox::{Sandbox, age};
use crate::synthetic::Story;

#[test]
fn a_run_or_a_shard_without_a_record_is_no_pass() {
    let sandbox = Sandbox::new();
    age(&sandbox.keep(&in_run(pass("survives"), "old")), 3600);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs_f64();
    let began = |ago: f64| format!(r#"{{"format":1,"started":{}}}"#, now - ago);
    sandbox.write("runs/new/run.json", &began(60.0));
    // What a reaper writes long after a run makes that no newer.
    sandbox.write("runs/older/run.json", &began(600.0));
    sandbox.keep(&in_run(pass("was_killed_long_ago"), "older"));
    let ended = sandbox.run(&["report", "--fail-on-violation"]);
    assert_eq!(ended.code, Some(4), "{ended:?}");
    assert!(ended.stderr.contains("no records found in runs/new"), "{ended:?}");
    fs::create_dir(sandbox.path("shard-2")).unwrap();
    let ended = sandbox.run(&["report", "--fail-on-violation", "--results", "runs/old", "shard-2"]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.stderr.contains("shard-2 is not reported: there is no record in it"), "{ended:?}");
    // Under its own name, as it says.
    sandbox.keep_as(&in_run(pass("survives"), "own"), "shop__checkout__survives");
    let ended = sandbox.run(&["verify", "runs/own", "shard-2"]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.stderr.contains("shard-2 is not verified: there is no record in it"), "{ended:?}");
}

#[test]
fn a_file_beside_run_folders_hides_none_of_them() {
    let sandbox = Sandbox::new();
    sandbox.keep(&in_run(fail("breaks"), "shard-1/records/a"));
    sandbox.write("runs/shard-1/all.json", r#"{"reports":[],"retried":[],"unreadable":[]}"#);
    sandbox.keep(&in_run(pass("survives"), "shard-2/records/b"));
    let ended = sandbox.run(&["report", "--all", "--fail-on-violation"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("1 of 2 tests passed"), "{ended:?}");
}

#[test]
fn the_record_of_an_earlier_run_says_nothing_of_one_that_was_killed() {
    let sandbox = Sandbox::new();
    age(&sandbox.keep(&pass("was_killed").report()), 60);
    let killed = pass("was_killed").with(|story| story.started_at += 60.0).report();
    sandbox.keep_as(&killed, ".was_killed.pending");
    let ended = sandbox.run(&["report", "--fail-on-violation", "--raw", "all.json"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let report = sandbox.run(&["report"]).stdout;
    assert!(report.contains("was tried 2 times: Pass, then Error"), "{report}");
    // And its raw record says what the report says.
    let raw: Value = serde_json::from_str(&sandbox.read("all.json")).unwrap();
    assert_eq!(raw["reports"][0]["judgement"]["verdict"], "error");
}

#[test]
fn a_leg_that_was_killed_is_no_try_of_another_leg() {
    let sandbox = Sandbox::new();
    let killed = in_run(pass("t"), "pipeline-7").to_json().unwrap();
    sandbox.write("leg-a/.t.pending.json", &killed);
    let later = pass("t").with(|story| story.started_at += 300.0);
    sandbox.write("leg-b/t.json", &in_run(later, "pipeline-7").to_json().unwrap());
    let ended = sandbox.run(&["report", "--fail-on-violation", "--results", "leg-a", "leg-b"]);
    assert_ne!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stderr.contains("give each run an id of its own"), "{ended:?}");
    assert!(ended.stdout.contains("**incomplete**: 1 of 1 test passed, 1 record"), "{ended:?}");
}

#[test]
fn a_list_of_one_shard_says_nothing_of_another() {
    let sandbox = Sandbox::new();
    let id = "00000000-0000-4000-8000-000000000001";
    sandbox.write("shard-1/t.json", &in_run(pass("t"), id).to_json().unwrap());
    fs::create_dir(sandbox.path("shard-2")).unwrap();
    sandbox.write("one.xml", &list(1, "shop::checkout", ""));
    let args = ["report", "--fail-on-violation", "--results", "shard-1", "shard-2", "--nextest", "one.xml"];
    let ended = sandbox.run(&args);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.stderr.contains("shard-2 is not reported: there is no record in it"), "{ended:?}");
    // Its own says that there was nothing in it to fail.
    sandbox.write("two.xml", &list(2, "shop::checkout", ""));
    let ended = sandbox.run(&[&args[..], &["two.xml"]].concat());
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[test]
fn two_runs_of_one_id_are_no_tries_of_each_other() {
    let later = |story: Story| story.with(|story| story.started_at += 5.0);
    for (first, second, code) in [(fail("t"), later(pass("t")), 1), (later(pass("t")), fail("t"), 3)] {
        let sandbox = Sandbox::new();
        for (leg, story) in [("leg-a", first), ("leg-b", second)] {
            sandbox.write(&format!("{leg}/t.json"), &in_run(story, "pipeline-7").to_json().unwrap());
        }
        let ended = sandbox.run(&["report", "--fail-on-violation", "--results", "leg-a", "leg-b"]);
        assert_eq!(ended.code, Some(code), "{ended:?}");
        assert!(ended.stderr.contains("give each run an id of its own"), "{ended:?}");
    }
}

/// What nextest lists: a suite, and what of it failed.
fn list(uuid: u32, suite: &str, failed: &str) -> String {
    let case = |name: &str| format!(r#"<testcase name="{name}"><failure type="test failure"/></testcase>"#);
    let failed: String = failed.split_whitespace().map(case).collect();
    format!(
        r#"<testsuites uuid="00000000-0000-4000-8000-{uuid:012}"><testsuite name="{suite}">{failed}</testsuite></testsuites>"#
    )
}

#[test]
fn records_of_one_run_say_nothing_of_what_a_list_of_another_says() {
    let sandbox = Sandbox::new();
    sandbox.keep(&in_run(pass("survives"), "00000000-0000-4000-8000-000000000001"));
    sandbox.write("today.xml", &list(2, "shop::checkout", "survives"));
    let ended = sandbox.run(&["report", "--fail-on-violation", "--nextest", "today.xml"]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(
        ended.stderr.contains("--nextest is not reported: it is of another run than the records"),
        "{ended:?}"
    );
    sandbox.write("own.xml", &list(1, "shop::checkout", ""));
    let ended = sandbox.run(&["report", "--fail-on-violation", "--nextest", "own.xml", "today.xml"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[test]
fn shards_of_one_name_are_as_many_as_their_folders() {
    let sandbox = Sandbox::new();
    sandbox.write("s1/t.json", &in_run(pass("t"), "pipeline-7").to_json().unwrap());
    sandbox.write("s2/u.json", &in_run(pass("u"), "pipeline-7").to_json().unwrap());
    fs::create_dir(sandbox.path("s3")).unwrap();
    let mut args = vec!["report", "--fail-on-violation", "--results", "s1", "s2", "s3", "--nextest"];
    for (n, file) in [(1, "one.xml"), (2, "two.xml"), (3, "three.xml")] {
        sandbox.write(file, &list(n, "shop::checkout", ""));
    }
    args.extend(["one.xml", "two.xml"]);
    let ended = sandbox.run(&args);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.stderr.contains("s3 is not reported: there is no record in it"), "{ended:?}");
    args.push("three.xml");
    let ended = sandbox.run(&args);
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[test]
fn a_shard_whose_setup_script_failed_has_run_no_test() {
    let sandbox = Sandbox::new();
    let id = "00000000-0000-4000-8000-000000000001";
    sandbox.write("s1/t.json", &in_run(pass("t"), id).to_json().unwrap());
    fs::create_dir(sandbox.path("s2")).unwrap();
    sandbox.write("one.xml", &list(1, "shop::checkout", ""));
    sandbox.write("two.xml", &list(2, "@setup-script:images", "images"));
    let args = ["report", "--fail-on-violation", "--results", "s1", "s2", "--nextest", "one.xml", "two.xml"];
    let ended = sandbox.run(&args);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.stderr.contains("s2 is not reported: there is no record in it"), "{ended:?}");
}

#[test]
fn outputs_are_no_records_whatever_they_are_called() {
    let sandbox = Sandbox::new();
    sandbox.keep(&in_run(pass("survives"), "shard-1"));
    // Beside the folders of runs: the next report still finds those.
    let outputs = ["report", "--fail-on-violation", "--validation", "runs/v.json", "--raw", "runs/all.json"];
    for _ in 0..2 {
        let ended = sandbox.run(&outputs);
        assert_eq!(ended.code, Some(0), "{ended:?}");
    }
    fs::create_dir(sandbox.path("shard-2")).unwrap();
    for name in ["v.json", "all.json"] {
        fs::rename(sandbox.path(&format!("runs/{name}")), sandbox.path(&format!("shard-2/{name}"))).unwrap();
    }
    let ended = sandbox.run(&["report", "--fail-on-violation", "--results", "runs/shard-1", "shard-2"]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.stderr.contains("shard-2 is not reported: there is no record in it"), "{ended:?}");
}
