//! The pipelines that `cargo chaos init` writes into a service's repository: what stands in them, that nothing a
//! stranger says reaches a shell, and what their steps do.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "test code may touch files, processes and the clock"
)]

#[path = "workflow/gitlab.rs"]
mod gitlab;
#[path = "workflow/linted.rs"]
mod linted;
#[path = "workflow/prepared.rs"]
mod prepared;
#[path = "workflow/runner.rs"]
mod runner;
#[path = "workflow/steps.rs"]
mod steps;
mod synthetic;

use std::collections::BTreeSet;
use std::process::Command;

use chaos_test::model::Catalogue;
use chaos_test::report::render::COMMENT_MARKER;
use serde_json::{Value, json};

const GITHUB: &str = include_str!("../assets/github/chaos.yml");

/// In their order.
const JOBS: [&str; 7] = [
    "setup",
    "deploy_service",
    "chaos_injection",
    "resilience_validation",
    "performance_comparison",
    "cleanup",
    "summary",
];

/// A template as `cargo chaos init` fills it.
fn filled(template: &str) -> String {
    let text = template
        .replace("{{install}}", "cargo install chaos-test --version 0.1.0 --features cli --locked")
        .replace("{{package}}", "shop")
        .replace("{{shards}}", "3");
    assert!(!text.replace("${{", "").contains("{{"), "there is a placeholder that nobody fills");
    text
}

fn parsed(template: &str) -> Value {
    serde_yaml::from_str(&filled(template)).unwrap_or_else(|error| panic!("{error}"))
}

fn github() -> Value {
    parsed(GITHUB)
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().expect("it is a map").keys().map(String::as_str).collect()
}

fn texts(value: &Value) -> Vec<&str> {
    let each = value.as_array().map(Vec::as_slice).unwrap_or_default();
    each.iter().map(|text| text.as_str().expect("it is a text")).collect()
}

fn steps_of<'w>(workflow: &'w Value, job: &str) -> &'w [Value] {
    workflow["jobs"][job]["steps"].as_array().unwrap_or_else(|| panic!("{job} has no steps"))
}

/// Every step of every job, with the name of its job.
fn all_steps(workflow: &Value) -> impl Iterator<Item = (&'static str, &Value)> {
    JOBS.into_iter().flat_map(move |job| steps_of(workflow, job).iter().map(move |step| (job, step)))
}

fn scripts(workflow: &Value) -> Vec<(&'static str, &str)> {
    all_steps(workflow).filter_map(|(job, step)| Some((job, step["run"].as_str()?))).collect()
}

/// What an action is given, of all steps that use it.
fn given<'w>(workflow: &'w Value, action: &str) -> Vec<&'w Value> {
    let mut all = Vec::new();
    for (_, step) in all_steps(workflow) {
        if step["uses"].as_str().is_some_and(|uses| uses.starts_with(action)) {
            all.push(&step["with"]);
        }
    }
    all
}

/// What bash says of the syntax, and shellcheck of the rest where there is one; nothing is run.
fn is_bash(script: &str) -> Result<(), String> {
    let output = Command::new("bash").args(["-n", "-c", script]).output().expect("there is a bash");
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    if has("shellcheck") { shellcheck(script) } else { Ok(()) }
}

fn shellcheck(script: &str) -> Result<(), String> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("script");
    std::fs::write(&file, script).unwrap();
    let asked = Command::new("shellcheck").args(["--shell=bash", "--severity=warning"]).arg(&file).output();
    let output = asked.expect("there is a shellcheck");
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stdout).into_owned()) }
}

#[test]
fn shellcheck_looks() {
    if has("shellcheck") {
        let told = shellcheck("cd somewhere\nrm -- $1").expect_err("`cd` may fail");
        assert!(told.contains("SC2164"), "{told}");
    }
}

/// Whether there is that program. If not, it says so; and if `CHAOS_TEST_REQUIRE` names it, it fails instead.
fn has(program: &str) -> bool {
    let there = Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
    if !there {
        missing(program, "there is no such program");
    }
    there
}

fn missing(what: &str, why: &str) {
    let required = std::env::var("CHAOS_TEST_REQUIRE").unwrap_or_default();
    assert!(!required.split(',').any(|name| name.trim() == what), "{what} is required: {why}");
    eprintln!("SKIPPED: no {what}: {why}");
}

#[test]
fn it_runs_for_pull_requests_every_night_and_by_hand() {
    let workflow = github();
    let on = &workflow["on"];
    assert_eq!(keys(on), BTreeSet::from(["pull_request", "schedule", "workflow_dispatch"]));
    assert_eq!(on["pull_request"], json!({"branches": ["main", "develop"]}));
    assert_eq!(on["schedule"], json!([{"cron": "0 2 * * *"}]));

    let inputs = &on["workflow_dispatch"]["inputs"];
    assert_eq!(keys(inputs), BTreeSet::from(["fail_on_violation", "intensity", "target_url"]));
    let groups: Vec<&str> = Catalogue::builtin().groups().iter().map(|group| group.name.as_str()).collect();
    assert_eq!(inputs["intensity"]["type"], "choice");
    assert_eq!(BTreeSet::from_iter(texts(&inputs["intensity"]["options"])), BTreeSet::from_iter(groups));
    for (input, ty, default) in
        [("target_url", "string", json!("")), ("fail_on_violation", "boolean", json!(true))]
    {
        assert_eq!(inputs[input]["type"], ty);
        assert_eq!(inputs[input]["default"], default);
    }
}

#[test]
fn seven_jobs_come_one_after_the_other() {
    let workflow = github();
    assert_eq!(keys(&workflow["jobs"]), BTreeSet::from(JOBS));
    for (n, job) in JOBS.iter().enumerate() {
        let needs = texts(&workflow["jobs"][job]["needs"]);
        assert!(needs.iter().all(|need| JOBS[..n].contains(need)), "{job} needs {needs:?}");
        assert!(n == 0 || needs.contains(&JOBS[n - 1]), "{job} needs {needs:?}");
        assert!(workflow["jobs"][job]["timeout-minutes"].is_u64(), "{job} may take for ever");
    }
    for job in ["cleanup", "summary"] {
        assert_eq!(workflow["jobs"][job]["if"], "${{ always() }}");
    }
    // Where that job is skipped, the branch takes it for a success: what it says, it says of every job before it.
    let result = steps_of(&workflow, "summary").iter().find(|step| step["name"] == "Result").unwrap();
    assert_eq!(result["if"], "${{ always() }}");
    let said = result["env"]["RESULTS"].as_str().unwrap();
    let expected = JOBS[..6].iter().map(|job| format!("{job}=${{{{ needs.{job}.result }}}}"));
    assert_eq!(said, expected.collect::<Vec<_>>().join(" "));
    assert_eq!(texts(&workflow["jobs"]["summary"]["needs"]), JOBS[..6]);
    let strategy = &workflow["jobs"]["chaos_injection"]["strategy"];
    assert_eq!(strategy["matrix"]["shard"], "${{ fromJSON(needs.setup.outputs.shards) }}");
    assert_eq!(strategy["fail-fast"], false);
}

#[test]
fn a_new_push_ends_the_run_of_the_old_one_and_nothing_else_does() {
    let workflow = github();
    let concurrency = &workflow["concurrency"];
    assert_eq!(concurrency["cancel-in-progress"], "${{ github.event_name == 'pull_request' }}");
    assert_eq!(concurrency["group"], "${{ github.workflow }}-${{ inputs.target_url || github.ref }}");
}

#[test]
fn every_action_is_pinned_and_says_its_version() {
    let mut seen = 0;
    for line in GITHUB.lines().filter(|line| line.trim_start().trim_start_matches("- ").starts_with("uses:"))
    {
        let (_, pin) = line.split_once('@').unwrap_or_else(|| panic!("{line}"));
        let (commit, version) = pin.split_once(" # v").unwrap_or_else(|| panic!("{line}"));
        assert!(commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit()), "{line}");
        assert_eq!(version.split('.').filter(|part| part.parse::<u32>().is_ok()).count(), 3, "{line}");
        seen += 1;
    }
    let workflow = github();
    assert_eq!(seen, all_steps(&workflow).filter(|(_, step)| step["uses"].is_string()).count());
}

#[test]
fn a_job_may_do_what_it_needs_and_only_the_last_may_write() {
    let workflow = github();
    assert_eq!(workflow["permissions"], json!({}));
    for job in JOBS {
        let expected = match job {
            "setup" | "deploy_service" | "chaos_injection" => json!({"contents": "read"}),
            "performance_comparison" => json!({"actions": "read"}),
            "summary" => json!({"pull-requests": "write"}),
            _ => json!({}),
        };
        assert_eq!(workflow["jobs"][job]["permissions"], expected, "{job}");
    }
    // A token in the folder could be taken by what is built there.
    for with in given(&workflow, "actions/checkout@") {
        assert_eq!(with["persist-credentials"], false);
    }
    // The job that may write runs no program that was built from the sources of a pull request.
    for step in steps_of(&workflow, "summary") {
        let text = step.to_string();
        assert!(
            !text.contains("checkout") && !text.contains("chaos-build") && !text.contains("/build/"),
            "{text}"
        );
    }
}

#[test]
fn nothing_a_stranger_says_reaches_a_shell() {
    let workflow = github();
    for (job, script) in scripts(&workflow) {
        // Whatever comes from outside comes as a variable.
        assert!(!script.contains("${{"), "{job}: {script}");
        assert!(!script.contains("eval "), "{job}: {script}");
    }
    for word in ["pull_request_target", "workflow_run", "secrets.", "GITHUB_ENV", "GITHUB_PATH"] {
        assert!(!GITHUB.contains(word), "{word}");
    }
    let of_a_fork = steps_of(&workflow, "summary").iter().find(|step| step["env"]["PR"].is_string()).unwrap();
    let only = "github.event.pull_request.head.repo.full_name == github.repository";
    let condition = of_a_fork["if"].as_str().unwrap();
    assert!(condition.starts_with("${{ !cancelled() && ") && condition.contains(only), "{of_a_fork}");
}

#[test]
fn what_a_run_leaves_is_kept_for_thirty_days() {
    let workflow = github();
    let uploads = given(&workflow, "actions/upload-artifact@");
    for with in &uploads {
        // The programs are of use to their run only.
        let days = if with["name"] == "chaos-build" { 1 } else { 30 };
        assert_eq!(with["retention-days"], days, "{with}");
    }
    let kept: BTreeSet<&str> = uploads.iter().filter_map(|with| with["name"].as_str()).collect();
    let expected = ["chaos-build", "chaos-comparison", "chaos-report", "chaos-shard-${{ matrix.shard }}"];
    assert_eq!(kept, BTreeSet::from(expected));
    // What a killed test has written so far is a hidden file.
    let shard = uploads.iter().find(|with| with["name"] == expected[3]).unwrap();
    assert_eq!(shard["include-hidden-files"], true);
}

#[test]
fn every_script_is_bash_and_stops_at_the_first_error() {
    let workflow = github();
    assert_eq!(workflow["defaults"]["run"]["shell"], "bash");
    let scripts = scripts(&workflow);
    assert!(scripts.len() >= JOBS.len());
    for (job, script) in scripts {
        assert!(script.starts_with("set -euo pipefail\n"), "{job}: {script}");
        is_bash(script).unwrap_or_else(|error| panic!("{job}: {error}\n{script}"));
    }
}

#[test]
fn the_comment_is_found_by_the_marker_that_reports_have() {
    assert_eq!(GITHUB.matches(COMMENT_MARKER).count(), 2);
}

#[test]
fn every_option_exists() {
    let of_a_report = [
        "--results",
        "--all",
        "--out",
        "--nextest",
        "--merge",
        "--fail-on-violation",
        "--validation",
        "--report",
        "--html",
        "--pr-comment",
        "--compare",
    ];
    let used: [(&str, &[&str]); 5] = [
        ("list", &["--json"]),
        ("doctor", &[]),
        ("run", &["--target", "--group", "--dry-run"]),
        ("reap", &["--results"]),
        ("report", &of_a_report),
    ];
    for (command, options) in used {
        let help = help(command);
        for template in [GITHUB, gitlab::GITLAB] {
            assert!(template.contains(&format!("cargo-chaos\" {command}")), "{command}");
            for option in options {
                assert!(help.contains(option), "{command} has no {option}");
                assert!(template.contains(option), "{option} is not used any more");
            }
        }
    }
    assert!(help("report").contains("--step-summary") && GITHUB.contains("--step-summary"));
}

fn help(command: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_cargo-chaos")).args([command, "--help"]).output();
    String::from_utf8(output.expect("it starts").stdout).expect("it is text")
}
