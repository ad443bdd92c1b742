use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::prepared::chooses_by_the_catalogue;
use crate::runner::{Runner, fail, pass};
use crate::{JOBS, is_bash, keys, parsed, texts};

pub(crate) const GITLAB: &str = include_str!("../../assets/gitlab/chaos.yml");

/// A job's name there: other pipelines in the same project may have a job `setup`.
fn name(job: &str) -> String {
    if job == "chaos_injection" { job.to_owned() } else { format!("chaos_{job}") }
}

/// What a job is, with what it takes from those it extends.
fn with_inherited(pipeline: &Value, job: &str, key: &str) -> Value {
    let own = &pipeline[job];
    match (&own[key], own["extends"].as_str()) {
        (Value::Null, Some(base)) => with_inherited(pipeline, base, key),
        (value, _) => value.clone(),
    }
}

#[test]
fn the_same_seven_jobs_come_one_after_the_other() {
    let pipeline = parsed(GITLAB);
    let stages = texts(&pipeline["stages"]);
    // Jobs of a file that includes this one and has no `stages` are in GitLab's own.
    assert_eq!(stages[..3], ["build", "test", "deploy"]);
    let mut jobs = keys(&pipeline);
    jobs.retain(|key| pipeline[*key]["stage"].is_string());
    let names = JOBS.map(name);
    assert_eq!(jobs, names.iter().map(String::as_str).collect::<BTreeSet<_>>());
    let mut last = 0;
    for (n, job) in names.iter().enumerate() {
        let stage = pipeline[job]["stage"].as_str().unwrap();
        let place = stages.iter().position(|known| *known == stage);
        let place = place.unwrap_or_else(|| panic!("no stage {stage}"));
        assert!(place >= last, "{job} is too early");
        last = place;
        let needs = texts(&pipeline[job]["needs"]);
        let earlier = |need: &&str| names[..n].iter().any(|name| name.as_str() == *need);
        assert!(needs.iter().all(earlier), "{job} needs {needs:?}");
        // The log is told beside the cleanup: it needs nothing of it.
        let before =
            if n == 6 { "chaos_performance_comparison" } else { names[n.saturating_sub(1)].as_str() };
        assert!(n == 0 || needs.contains(&before), "{job} needs {needs:?}");
        assert!(pipeline[job]["timeout"].is_string(), "{job} may take for ever");
    }
}

#[test]
fn it_runs_for_merge_requests_by_schedule_and_by_hand() {
    let pipeline = parsed(GITLAB);
    for job in JOBS.map(name) {
        let rules = with_inherited(&pipeline, &job, "rules");
        let rules = rules.as_array().unwrap();
        assert_eq!(rules.len(), 3, "{job}");
        for (rule, source) in rules.iter().zip(["merge_request_event", "schedule", "web"]) {
            let condition = rule["if"].as_str().unwrap();
            assert!(
                condition.starts_with(&format!("$CI_PIPELINE_SOURCE == \"{source}\"")),
                "{job}: {condition}"
            );
        }
        let target = " && $CI_MERGE_REQUEST_TARGET_BRANCH_NAME =~ /^(main|develop)$/";
        assert!(rules[0]["if"].as_str().unwrap().ends_with(target), "{job}");
        let always = rules.iter().all(|rule| rule["when"] == "always");
        let after_a_failure = JOBS[3..].iter().any(|later| name(later) == job);
        assert_eq!(always, after_a_failure, "{job}");
    }
    let variables = &pipeline["variables"];
    let inputs = ["CHAOS_FAIL_ON_VIOLATION", "CHAOS_INTENSITY", "CHAOS_TARGET_URL"];
    assert_eq!(keys(variables), BTreeSet::from(inputs));
    let workflow = crate::github();
    let there = &workflow["on"]["workflow_dispatch"]["inputs"]["intensity"];
    assert_eq!(variables["CHAOS_INTENSITY"]["options"], there["options"]);
    assert_eq!(variables["CHAOS_INTENSITY"]["value"], there["default"]);
}

#[test]
fn it_is_sharded_and_what_it_leaves_is_kept_for_thirty_days() {
    let pipeline = parsed(GITLAB);
    assert_eq!(pipeline["chaos_injection"]["parallel"], 3);
    assert!(GITLAB.contains(r#"--partition "count:$shard/${CI_NODE_TOTAL:-1}""#));
    for job in JOBS.map(name) {
        let artifacts = &pipeline[&job]["artifacts"];
        if artifacts.is_null() {
            continue;
        }
        // The programs are of use to their pipeline only.
        let days = if job == "chaos_setup" { "1 day" } else { "30 days" };
        assert_eq!(artifacts["expire_in"], days, "{job}");
    }
    let reports = &pipeline["chaos_resilience_validation"]["artifacts"]["reports"];
    assert_eq!(reports, &json!({"junit": "target/chaos-ci/report/junit.xml"}));
}

#[test]
fn every_script_is_bash_and_stops_at_the_first_error() {
    let pipeline = parsed(GITLAB);
    for job in JOBS.map(name) {
        let scripts = texts(&pipeline[&job]["script"]);
        assert!(!scripts.is_empty(), "{job}");
        for script in scripts {
            assert!(script.starts_with("set -euo pipefail\n"), "{job}: {script}");
            is_bash(script).unwrap_or_else(|error| panic!("{job}: {error}\n{script}"));
        }
    }
}

/// What the first script of `chaos_setup` makes of these inputs.
fn resolved(runner: &Runner, source: &str, group: &str, url: &str, fail_on_violation: &str) -> Option<i32> {
    let inputs = [
        ("CI_PIPELINE_SOURCE", source),
        ("CHAOS_INTENSITY", group),
        ("CHAOS_TARGET_URL", url),
        ("CHAOS_FAIL_ON_VIOLATION", fail_on_violation),
    ];
    runner.gitlab("chaos_setup", 0, &inputs).code
}

#[test]
fn only_a_pipeline_by_hand_has_inputs() {
    let runner = Runner::new();
    for source in ["merge_request_event", "schedule"] {
        assert_eq!(resolved(&runner, source, "smoke_test", "http://shop:80", "false"), Some(0));
        let all = "INTENSITY=all\nTARGET_URL=''\nFAIL_ON_VIOLATION=true\n";
        assert_eq!(runner.read("ci/build/inputs"), all);
    }
    assert_eq!(resolved(&runner, "web", "smoke_test", "http://shop:80", "false"), Some(0));
    let by_hand = "INTENSITY=smoke_test\nTARGET_URL=http://shop:80\nFAIL_ON_VIOLATION=false\n";
    assert_eq!(runner.read("ci/build/inputs"), by_hand);
    for refused in ["https://shop", "--help", "http://shop\nFAIL_ON_VIOLATION=false", "http://a b"] {
        assert_eq!(resolved(&runner, "web", "all", refused, "true"), Some(2), "{refused}");
    }
    // What comes from outside is a word, whatever is in it.
    assert_eq!(resolved(&runner, "web", "$(touch taken); 'x", "", "true"), Some(0));
    runner.keep(&pass());
    assert_eq!(runner.gitlab("chaos_resilience_validation", 0, &[]).code, Some(0));
    assert!(!runner.path("taken").exists());
}

#[test]
fn what_runs_is_found_by_the_catalogue() {
    chooses_by_the_catalogue(|runner, group| {
        assert_eq!(resolved(runner, "web", group, "", "true"), Some(0));
        runner.gitlab("chaos_setup", 2, &[])
    });
}

#[test]
fn a_violation_fails_the_pipeline_if_it_is_to() {
    let judged = |runner: &Runner, fail_on_violation: &str| {
        assert_eq!(resolved(runner, "web", "all", "", fail_on_violation), Some(0));
        runner.gitlab("chaos_resilience_validation", 0, &[])
    };
    let runner = Runner::new();
    runner.write("ci/shards/shard-1/exit-code", "0\n");
    // There is no record at all.
    assert_eq!(judged(&runner, "false").code, Some(4));
    runner.keep(&fail());
    assert_eq!(judged(&runner, "true").code, Some(1));
    assert_eq!(judged(&runner, "false").code, Some(0));
    for name in ["chaos_report.md", "resilience_validation.json", "junit.xml"] {
        assert!(!runner.read(&format!("ci/report/{name}")).is_empty(), "{name}");
    }

    let runner = Runner::new();
    runner.keep(&pass());
    runner.write("ci/shards/shard-1/exit-code", "0\n");
    assert_eq!(judged(&runner, "true").code, Some(0));
    // An ordinary test of another shard failed.
    runner.write("ci/shards/shard-2/exit-code", "100\n");
    let gate = judged(&runner, "true");
    assert!(gate.code == Some(1) && gate.told.contains("that left no record"), "{gate:?}");
    assert_eq!(judged(&runner, "false").code, Some(0));
}
