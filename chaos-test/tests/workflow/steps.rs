//! Steps of the workflow, run as a runner runs them: with the real `cargo-chaos`, and other programs that only pretend.

use std::fs;

use chaos_test::report::render::COMMENT_MARKER;
use serde_json::{Value, json};

use crate::has;
use crate::runner::{Runner, fail, pass};
use crate::synthetic::Story;

#[test]
fn only_a_run_by_hand_has_inputs() {
    let inputs = |event: &str, url: &str| {
        let runner = Runner::new();
        let given = [
            ("EVENT", event),
            ("INTENSITY", "smoke_test"),
            ("TARGET_URL", url),
            ("FAIL_ON_VIOLATION", "false"),
        ];
        let ended = runner.step("setup", "Inputs", &given);
        (ended.code, fs::read_to_string(runner.path("outputs")).unwrap_or_default())
    };
    let all = "intensity=all\ntarget_url=\nfail_on_violation=true\nshards=[1,2,3]\n";
    for event in ["pull_request", "schedule"] {
        assert_eq!(inputs(event, "http://127.0.0.1:80"), (Some(0), all.into()));
    }
    let by_hand = "intensity=smoke_test\ntarget_url=\nfail_on_violation=false\nshards=[1,2,3]\n";
    assert_eq!(inputs("workflow_dispatch", ""), (Some(0), by_hand.into()));
    let at_a_url = "intensity=smoke_test\ntarget_url=http://shop:80\nfail_on_violation=false\nshards=[1]\n";
    assert_eq!(inputs("workflow_dispatch", "http://shop:80"), (Some(0), at_a_url.into()));
    for refused in ["https://shop", "shop", "--help", "http://shop\nshards=[9]", "http://a b"] {
        assert_eq!(inputs("workflow_dispatch", refused), (Some(2), String::new()), "{refused}");
    }
}

#[test]
fn a_test_that_fails_is_judged_by_a_later_job() {
    let runner = Runner::new();
    runner.write("ci/build/filter", "all()\n");
    let injected = |code: i32| {
        let wrote = "mkdir -p target/nextest/chaos; echo '<testsuites/>' >target/nextest/chaos/junit.xml";
        runner.pretend("ci/build/cargo-nextest", &format!("{wrote}; exit {code}"));
        let inputs = [("SHARD", "2"), ("TARGET_URL", ""), ("INTENSITY", "all")];
        runner.step("chaos_injection", "Inject and measure", &inputs).code
    };
    assert_eq!(injected(0), Some(0));
    assert_eq!(injected(100), Some(0));
    assert_eq!(runner.read("ci/shards/shard-2/exit-code"), "100\n");
    assert_eq!(runner.read("ci/shards/shard-2/junit.xml"), "<testsuites/>\n");
    let asked = runner.read("asked");
    assert!(asked.contains("run --profile chaos ") && asked.contains(" --partition count:2/3 "), "{asked}");
    // What is no verdict ends the job: a binary that cannot be listed, wrong usage.
    for code in [1, 96, 104] {
        assert_eq!(injected(code), Some(code));
    }
}

#[test]
fn scenarios_at_a_target_are_run_by_the_command_line() {
    let runner = Runner::new();
    runner.write("ci/build/package-dir", ".\n");
    let injected = |code: i32| {
        runner.pretend("ci/build/cargo-chaos", &format!("echo \"$CHAOS_TEST_DIR\"; exit {code}"));
        let inputs = [("SHARD", "1"), ("TARGET_URL", "http://shop:80"), ("INTENSITY", "smoke_test")];
        runner.step("chaos_injection", "Inject and measure", &inputs)
    };
    let ended = injected(0);
    assert!(ended.code == Some(0) && ended.told.contains("/ci/shards/shard-1/records\n"), "{ended:?}");
    // No nextest: nobody pretends to be one.
    assert_eq!(runner.read("asked"), "run --target http://shop:80 --group smoke_test\n");
    // A scenario that did not pass is judged later; what is no verdict ends the job.
    for (code, expected) in [(1, 0), (2, 2), (100, 100)] {
        assert_eq!(injected(code).code, Some(expected));
        assert_eq!(runner.read("ci/shards/shard-1/exit-code"), format!("{code}\n"));
    }
}

#[test]
fn a_violation_fails_the_build_if_it_is_to() {
    let runner = Runner::new();
    runner.keep(&fail());
    let gate = runner.judged("true");
    assert_eq!(gate.code, Some(1), "{gate:?}");
    assert!(gate.told.contains(COMMENT_MARKER), "the log says why: {gate:?}");
    assert_eq!(runner.judged("false").code, Some(0));
    for name in ["chaos_report.md", "chaos_report.html", "resilience_validation.json", "junit.xml"] {
        assert!(!runner.read(&format!("ci/report/{name}")).is_empty(), "{name}");
    }

    let runner = Runner::new();
    runner.keep(&pass());
    runner.write("ci/shards/shard-1/exit-code", "0\n");
    assert_eq!(runner.judged("true").code, Some(0));
    // An ordinary test of another shard failed.
    runner.write("ci/shards/shard-2/exit-code", "100\n");
    assert_eq!(runner.judged("true").code, Some(1));
    assert_eq!(runner.judged("false").code, Some(0));
}

#[test]
fn a_run_in_which_nothing_was_injected_is_not_good() {
    let runner = Runner::new();
    runner.keep(&Story::new("checkout").dry().report());
    runner.write("ci/shards/shard-1/exit-code", "0\n");
    let gate = runner.judged("true");
    assert!(gate.code == Some(1) && gate.told.contains("nothing was injected"), "{gate:?}");
    assert_eq!(runner.judged("false").code, Some(0));
}

#[test]
fn a_run_without_a_record_is_never_good() {
    let runner = Runner::new();
    runner.write("ci/shards/shard-1/exit-code", "0\n");
    for gate in ["true", "false"] {
        assert_eq!(runner.judged(gate).code, Some(4));
    }
}

#[test]
fn what_changed_is_in_the_comment_and_in_the_summary_of_the_run() {
    let runner = Runner::new();
    runner.keep(&pass());
    assert_eq!(runner.judged("true").code, Some(0));
    fs::rename(runner.path("ci/report"), runner.path("ci/base")).unwrap();
    runner.keep(&fail());
    let ended = runner.step("performance_comparison", "Compare", &[]);
    assert_eq!(ended.code, Some(0), "a change alone fails nothing: {ended:?}");
    let comment = runner.read("ci/comparison/pr_comment.md");
    assert!(comment.starts_with(COMMENT_MARKER) && comment.contains("## Compared with "), "{comment}");
    assert!(runner.read("step_summary.md").contains("## Compared with "));
}

#[test]
fn without_a_base_there_is_a_report_all_the_same() {
    for base in [None, Some("{}"), Some("")] {
        let runner = Runner::new();
        runner.keep(&pass());
        if let Some(text) = base {
            runner.write("ci/base/resilience_validation.json", text);
        }
        let ended = runner.step("performance_comparison", "Compare", &[]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(!runner.read("ci/comparison/pr_comment.md").contains("Compared with"));
        assert_eq!(runner.read("step_summary.md").matches("# Chaos report").count(), 1);
    }
}

#[test]
fn the_base_is_the_last_good_run_that_is_not_of_a_pull_request() {
    let branches = [("BASE_BRANCH", "develop"), ("DEFAULT_BRANCH", "main")];
    let runner = Runner::new();
    let on_main = r#"case "$*" in
      "run list"*"--branch main"*) echo 42 ;;
      "run list"*) ;;
      "run download 42 "*) mkdir -p ci/base; echo '{}' >ci/base/resilience_validation.json ;;
    esac"#;
    runner.pretend("bin/gh", on_main);
    let found = runner.step("performance_comparison", "Find the base", &branches);
    assert_eq!(found.code, Some(0), "{found:?}");
    assert!(found.told.contains("the base is run 42 on main"), "{found:?}");
    let asked = runner.read("asked");
    let event = r#".event != "pull_request""#;
    for part in ["--workflow chaos.yml ", "--status success ", "--branch develop ", event] {
        assert!(asked.contains(part), "{part}: {asked}");
    }

    // Nobody answers, and there has been no run.
    for script in ["exit 1", "exit 0"] {
        let runner = Runner::new();
        runner.pretend("bin/gh", script);
        let none = runner.step("performance_comparison", "Find the base", &branches);
        assert_eq!(none.code, Some(0), "{none:?}");
        assert!(none.told.contains("no good run on develop"), "{none:?}");
    }
}

#[test]
fn a_run_by_hand_is_the_base_only_where_there_is_no_other() {
    if !has("jq") {
        return;
    }
    for (events, expected) in [
        ("workflow_dispatch pull_request schedule push", "the base is run 3 on main"),
        ("pull_request push schedule", "the base is run 2 on main"),
        ("pull_request workflow_dispatch workflow_dispatch", "the base is run 2 on main"),
        ("pull_request", "no good run on main"),
        ("", "no good run on main"),
    ] {
        let runner = Runner::new();
        let runs = (1..).zip(events.split_whitespace());
        let runs: Vec<Value> = runs.map(|(id, event)| json!({"databaseId": id, "event": event})).collect();
        runner.write("runs.json", &Value::from(runs).to_string());
        // What `--jq` says is the last that it is asked.
        let answers = r#"case "$1 $2" in
          "run list") jq -r "${!#}" runs.json ;;
          "run download") mkdir -p ci/base; echo '{}' >ci/base/resilience_validation.json ;;
        esac"#;
        runner.pretend("bin/gh", answers);
        let branches = [("BASE_BRANCH", "main"), ("DEFAULT_BRANCH", "main")];
        let ended = runner.step("performance_comparison", "Find the base", &branches);
        assert!(ended.code == Some(0) && ended.told.contains(expected), "{events}: {ended:?}");
    }
}

#[test]
fn there_is_one_comment_which_is_updated_in_place() {
    let commented = |script: &str| {
        let runner = Runner::new();
        runner.write("ci/comparison/pr_comment.md", COMMENT_MARKER);
        runner.pretend("bin/gh", script);
        let ended = runner.step("summary", "Comment on the pull request", &[("PR", "5"), ("HEAD", "ab12")]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        (runner.read("asked"), ended.told)
    };
    let (first, _) = commented("exit 0");
    assert!(first.contains("--method POST repos/a-team/shop/issues/5/comments "), "{first}");
    let (later, _) = commented(r#"[ "$2" != --paginate ] || printf '11\n12\n'"#);
    assert!(later.contains("--method PATCH repos/a-team/shop/issues/comments/11 "), "{later}");
    assert!(!later.contains("--method POST"), "{later}");
    // A token that may not write fails nothing.
    let (_, told) = commented("exit 1");
    assert!(told.contains("::warning::"), "{told}");

    // A newer push has ended this run, and has one of its own.
    let (asked, told) = commented(r#"[ "$2" != repos/a-team/shop/pulls/5 ] || echo cd34"#);
    assert!(!asked.contains("--method") && told.contains("is at cd34 by now"), "{asked}{told}");
    let (asked, _) = commented(r#"[ "$2" != repos/a-team/shop/pulls/5 ] || echo ab12"#);
    assert!(asked.contains("--method POST"), "{asked}");
}

#[test]
fn a_run_that_ended_early_says_so_in_the_comment() {
    let runner = Runner::new();
    assert_eq!(runner.step("summary", "Write the comment", &[]).code, Some(0));
    let comment = runner.read("ci/comparison/pr_comment.md");
    assert!(comment.starts_with(COMMENT_MARKER) && comment.contains("not reported"), "{comment}");
    assert!(comment.contains("https://github.example/a-team/shop/actions/runs/7"), "{comment}");
}

#[test]
fn the_last_job_fails_if_any_did() {
    for (last, code) in [("success", 0), ("failure", 1), ("cancelled", 1), ("skipped", 1)] {
        let runner = Runner::new();
        let results = format!("setup=success cleanup={last}");
        assert_eq!(runner.step("summary", "Result", &[("RESULTS", &results)]).code, Some(code), "{last}");
        let table = runner.read("step_summary.md");
        assert!(table.contains("| setup | success |"), "{table}");
        assert!(table.contains(&format!("| cleanup | {last} |")), "{table}");
    }
}

#[test]
fn the_cleanup_finds_the_ledgers_of_every_run_on_its_runner() {
    let runner = Runner::new();
    runner.pretend("ci/build/cargo-chaos", "exit 0");
    assert_eq!(runner.step("cleanup", "Pay what dead runs owe", &[]).code, Some(0));
    assert_eq!(runner.read("asked"), "reap\n");
    for folder in ["6-1/shards/shard-2/records", "7-1/shards/shard-1/records"] {
        fs::create_dir_all(runner.path("target/chaos-ci").join(folder)).unwrap();
    }
    assert_eq!(runner.step("cleanup", "Pay what dead runs owe", &[]).code, Some(0));
    let asked = runner.read("asked");
    let both = "6-1/shards/shard-2/records target/chaos-ci/7-1/shards/shard-1/records\n";
    assert!(asked.ends_with(&format!("reap --results target/chaos-ci/{both}")), "{asked}");
}
