//! Steps of the workflow, run as a runner runs them: with the real `cargo-chaos`, and other programs that only pretend.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::Command;

use chaos_test::report::Report;
use chaos_test::report::render::COMMENT_MARKER;
use tempfile::TempDir;

use crate::synthetic::{Story, delayed, ms};
use crate::{github, steps_of};

/// A folder as a job finds it, after its downloads.
struct Runner {
    dir: TempDir,
}

/// What a step left.
#[derive(Debug)]
struct Ended {
    code: Option<i32>,
    told: String,
}

impl Runner {
    fn new() -> Self {
        let runner = Self { dir: tempfile::tempdir().unwrap() };
        fs::create_dir_all(runner.path("bin")).unwrap();
        fs::create_dir_all(runner.path("ci/build")).unwrap();
        symlink(env!("CARGO_BIN_EXE_cargo-chaos"), runner.path("ci/build/cargo-chaos")).unwrap();
        runner
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// A program that writes what it was asked into `asked`, then does that.
    fn pretend(&self, name: &str, script: &str) {
        // It may be a link to the real one.
        let _ = fs::remove_file(self.path(name));
        self.write(name, &format!("#!/usr/bin/env bash\necho \"$*\" >>\"$ASKED\"\n{script}\n"));
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Keeps a record where the first shard would.
    fn keep(&self, report: &Report) {
        let name = format!("ci/shards/shard-1/records/{}/{}.json", report.run_id, report.test);
        self.write(&name, &report.to_json().unwrap());
    }

    fn step(&self, job: &str, name: &str, inputs: &[(&str, &str)]) -> Ended {
        let workflow = github();
        let step = steps_of(&workflow, job).iter().find(|step| step["name"] == name);
        let script = step.and_then(|step| step["run"].as_str());
        let script = script.unwrap_or_else(|| panic!("{job} has no script {name:?}"));
        let path = format!("{}:{}", self.path("bin").display(), std::env::var("PATH").unwrap());
        let output = Command::new("bash")
            .args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script])
            .current_dir(self.dir.path())
            .env_remove("CHAOS_TEST_DIR")
            .env_remove("CHAOS_TEST_DRY_RUN")
            .envs([("PATH", path.as_str()), ("CHAOS_CI", "ci"), ("SHARDS", "3"), ("PACKAGE", "shop")])
            .envs([("GITHUB_REPOSITORY", "a-team/shop"), ("GITHUB_SERVER_URL", "https://github.example")])
            .env("GITHUB_RUN_ID", "7")
            .env("GITHUB_WORKFLOW_REF", "a-team/shop/.github/workflows/chaos.yml@refs/heads/main")
            .env("ASKED", self.path("asked"))
            .env("GITHUB_OUTPUT", self.path("outputs"))
            .env("GITHUB_STEP_SUMMARY", self.path("step_summary.md"))
            .envs(inputs.iter().copied())
            .output()
            .unwrap();
        let told = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        Ended { code: output.status.code(), told: told.concat() }
    }

    fn judged(&self, fail_on_violation: &str) -> Ended {
        self.step("resilience_validation", "Judge", &[("FAIL_ON_VIOLATION", fail_on_violation)])
    }
}

fn pass() -> Report {
    Story::new("checkout").chaos(delayed).report()
}

fn fail() -> Report {
    Story::new("checkout").chaos(|_, sample| sample.latency += ms(804)).report()
}

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
fn there_is_one_comment_which_is_updated_in_place() {
    let commented = |script: &str| {
        let runner = Runner::new();
        runner.write("ci/comparison/pr_comment.md", COMMENT_MARKER);
        runner.pretend("bin/gh", script);
        let ended = runner.step("summary", "Comment on the pull request", &[("PR", "5")]);
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
    for (results, code) in [("setup=success cleanup=success", 0), ("setup=success deploy_service=skipped", 1)]
    {
        let runner = Runner::new();
        assert_eq!(runner.step("summary", "Result", &[("RESULTS", results)]).code, Some(code));
        assert!(runner.read("step_summary.md").contains("| setup | success |"));
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
