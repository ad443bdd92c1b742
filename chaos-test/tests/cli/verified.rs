use chaos_test::report::Report;
use chaos_test::slo::Verdict;
use insta::assert_snapshot;

use crate::reports::{error, fail, in_run, inconclusive, pass};
use crate::sandbox::{Sandbox, age};
use crate::synthetic::Story;

/// A report whose record is in the file it names, as the sandbox keeps it.
fn in_place(story: Story) -> Report {
    let report = story.report();
    Report { path: Some(format!("runs/{}/{}.json", report.run_id, report.test)), ..report }
}

#[test]
fn records_that_say_what_their_samples_come_to_are_zero() {
    let sandbox = Sandbox::new();
    for story in [pass("survives"), fail("breaks"), inconclusive("late"), error("dead")] {
        sandbox.keep(&in_place(story));
    }
    let ended = sandbox.run(&["verify"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_snapshot!(ended.stdout, @r"
    same       Fail  runs/run-1/breaks.json
    same       Error(setup)  runs/run-1/dead.json
    same       Inconclusive(prober starved)  runs/run-1/late.json
    same       Pass  runs/run-1/survives.json
    4 records: 4 the same
    ");
    assert_eq!(ended.stderr, "");
    let quiet = sandbox.run(&["verify", "--quiet"]);
    assert_eq!((quiet.code, quiet.stdout.as_str(), quiet.stderr.as_str()), (Some(0), "", ""));
    let named = sandbox.run(&["verify", "runs/run-1/breaks.json", "runs/run-1/survives.json"]);
    assert!(named.stdout.ends_with("2 records: 2 the same\n"), "{named:?}");
}

#[test]
fn a_record_that_was_changed_is_six_and_told_field_by_field() {
    let sandbox = Sandbox::new();
    sandbox.keep(&in_place(pass("survives")));
    let mut better = in_place(fail("breaks"));
    better.judgement.verdict = Verdict::Pass;
    better.judgement.reasons.clear();
    sandbox.keep(&better);
    let ended = sandbox.run(&["verify"]);
    assert_eq!(ended.code, Some(6), "{ended:?}");
    assert_snapshot!(ended.stdout, @r#"
    different  Pass  runs/run-1/breaks.json
        reasons[0]: the record says nothing, its samples come to "objective_broken"
        verdict: the record says "pass", its samples come to "fail"
    same       Pass  runs/run-1/survives.json
    2 records: 1 the same, 1 different
    "#);
    assert!(ended.stderr.starts_with("help: a record that says something else"), "{ended:?}");
    let quiet = sandbox.run(&["verify", "-q"]);
    assert_eq!(quiet.code, Some(6));
    assert!(quiet.stdout.starts_with("different  ") && !quiet.stdout.contains("same   "), "{quiet:?}");
    // Of a whole other set of samples a few differences are enough.
    let mut other = in_place(pass("other"));
    other.trace.streams[0].samples.iter_mut().for_each(|sample| sample.latency *= 7);
    sandbox.keep(&other);
    let ended = sandbox.run(&["verify", "runs/run-1/other.json"]);
    assert_eq!((ended.code, ended.stdout.matches("the record says").count()), (Some(6), 20), "{ended:?}");
    assert!(ended.stdout.contains("    and "), "{ended:?}");
}

#[test]
fn a_record_in_another_ones_place_is_six() {
    let sandbox = Sandbox::new();
    sandbox.keep_as(&in_place(pass("survives")), "breaks");
    let ended = sandbox.run(&["verify"]);
    assert_eq!(ended.code, Some(6), "{ended:?}");
    assert!(
        ended
            .stdout
            .contains("    path: the record says runs/run-1/survives.json, and the file is breaks.json\n"),
        "{ended:?}"
    );
}

#[test]
fn an_unreadable_record_is_three_and_the_others_are_verified() {
    let sandbox = Sandbox::new();
    let record = in_place(pass("survives"));
    sandbox.keep(&record);
    let json = record.to_json().unwrap();
    sandbox.write("runs/run-1/cut.json", &json[..json.len() / 2]);
    sandbox.write("runs/run-1/newer.json", r#"{"format_version": 99, "anything": true}"#);
    let ended = sandbox.run(&["verify"]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.stdout.ends_with("3 records: 1 the same, 2 could not be read\n"), "{ended:?}");
    assert!(ended.stderr.contains("error: runs/run-1/cut.json is not verified: cut short: "), "{ended:?}");
    assert!(
        ended.stderr.contains(
            "error: runs/run-1/newer.json is not verified: a record of format 99, and this version reads formats 1 to 2: "
        ),
        "{ended:?}"
    );
    // What is different outweighs it.
    sandbox.keep_as(&record, "elsewhere");
    assert_eq!(sandbox.run(&["verify"]).code, Some(6));
}

#[test]
fn without_records_it_is_four_and_without_sense_two() {
    let sandbox = Sandbox::new();
    let ended = sandbox.run(&["verify"]);
    assert_eq!(ended.code, Some(4), "{ended:?}");
    assert!(ended.stderr.ends_with("or name the place with RECORD\n"), "{ended:?}");
    for args in [&["verify", "nowhere.json"][..], &["verify", "--loud"]] {
        let ended = sandbox.run(args);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{ended:?}");
    }
}

#[test]
fn of_several_runs_the_newest_counts_unless_all_are_wanted() {
    let sandbox = Sandbox::new();
    let in_place = |story, run: &str| {
        let report = in_run(story, run);
        Report { path: Some(format!("elsewhere/{}.json", report.test)), ..report }
    };
    let mut changed = in_place(fail("breaks"), "old");
    changed.judgement.verdict = Verdict::Pass;
    age(&sandbox.keep(&changed), 3600);
    sandbox.keep(&in_place(pass("survives"), "new"));
    sandbox.write("runs/new/resilience_validation.json", "{}");
    let newest = sandbox.run(&["verify"]);
    assert_eq!(newest.code, Some(0), "{newest:?}");
    assert!(newest.stderr.starts_with("note: runs/new is the newest of 2 runs in runs; "), "{newest:?}");
    assert_eq!(sandbox.run(&["verify", "--all"]).code, Some(6));
    assert_eq!(sandbox.run(&["verify", "runs/old"]).code, Some(6));
}
