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
    let list =
        |uuid: &str| format!(r#"<testsuites uuid="{uuid}"><testsuite name="shop::checkout"/></testsuites>"#);
    sandbox.write("one.xml", &list(id));
    let args = ["report", "--fail-on-violation", "--results", "shard-1", "shard-2", "--nextest", "one.xml"];
    let ended = sandbox.run(&args);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.stderr.contains("shard-2 is not reported: there is no record in it"), "{ended:?}");
    // Its own says that there was nothing in it to fail.
    sandbox.write("two.xml", &list("00000000-0000-4000-8000-000000000002"));
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
