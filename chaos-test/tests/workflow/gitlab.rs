use std::collections::BTreeSet;

use serde_json::{Value, json};

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
