use std::collections::BTreeSet;

use chaos_test::model::FaultKind;
use serde_json::Value;

use crate::sandbox::{Ended, Sandbox, ended};

/// Where there is no container engine.
const NOWHERE: &str = "unix:///nowhere/docker.sock";
const CONTAINERS: bool = cfg!(feature = "containers");

/// Asked where no container can be had.
fn without_engine(args: &[&str]) -> Ended {
    let ended = ended(Sandbox::new().command(args).env("DOCKER_HOST", NOWHERE));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    ended
}

fn answers(ended: &Ended) -> Vec<Value> {
    serde_json::from_str(&ended.stdout).expect("JSON")
}

#[test]
fn every_rung_of_every_fault_has_an_answer() {
    let answers = answers(&without_engine(&["doctor", "--json"]));
    let mut kinds = BTreeSet::new();
    for answer in &answers {
        let text = |key: &str| answer[key].as_str();
        let kind = text("fault").unwrap().split(' ').next().unwrap();
        let kind = FaultKind::ALL.into_iter().find(|known| known.name() == kind).expect("a known family");
        kinds.insert(kind);
        assert!(kind.mechanisms().contains(&text("mechanism").unwrap()), "{answer}");
        match text("answer").unwrap() {
            "used" | "yes" => assert_eq!(text("reason"), None, "{answer}"),
            "no" | "opt-in" => assert!(text("reason").is_some_and(|reason| reason.len() > 10), "{answer}"),
            other => panic!("{other}"),
        }
    }
    assert_eq!(kinds.len(), FaultKind::ALL.len(), "every family is in the table");
    // One answer at most is what a run takes.
    for target in ["process", "url"] {
        let mut used = BTreeSet::new();
        for answer in answers.iter().filter(|answer| answer["target"] == target && answer["answer"] == "used")
        {
            assert!(used.insert(answer["fault"].to_string()), "{answer}");
        }
        // No fault needs privileges on a process; a way to it is enough for these on a URL.
        let least = if target == "process" { 10 } else { 6 };
        assert!(used.len() >= least, "{target}: {used:?}");
    }
}

#[test]
fn the_table_is_for_people() {
    let ended = without_engine(&["doctor"]);
    assert!(ended.stdout.starts_with("Linux "), "{ended:?}");
    assert!(ended.stdout.contains("\n  FAULT "), "{ended:?}");
    assert!(ended.stdout.contains("container_crash") && ended.stdout.contains("USED"), "{ended:?}");
    assert!(ended.stdout.contains("was not started by this run, so it may not be killed"), "{ended:?}");
}

#[test]
fn without_an_engine_every_rung_of_a_container_says_so_and_people_are_told_once() {
    let json = without_engine(&["doctor", "--json"]);
    let answers: Vec<Value> =
        answers(&json).into_iter().filter(|answer| answer["target"] == "container").collect();
    let table = without_engine(&["doctor"]).stdout;
    if !CONTAINERS {
        assert!(answers.is_empty(), "{answers:?}");
        for said in [&table, &json.stderr] {
            let line = said.lines().find(|line| line.contains("containers were not looked at"));
            let line = line.expect("one line says so");
            assert!(line.contains("--features cli,containers"), "{line}");
        }
        return;
    }
    let mut kinds = BTreeSet::new();
    for answer in &answers {
        assert_eq!(answer["answer"], "no", "{answer}");
        let (reason, fix) = (answer["reason"].as_str().unwrap(), answer["fix"].as_str().unwrap());
        assert!(reason.contains("there is no container engine") && reason.contains("/nowhere"), "{answer}");
        assert!(fix.contains("DOCKER_HOST"), "{answer}");
        kinds.insert(answer["fault"].as_str().unwrap().split(' ').next().unwrap().to_owned());
    }
    assert_eq!(kinds.len(), FaultKind::ALL.len(), "every family is among them");
    assert_eq!(table.matches("there is no container engine").count(), 1, "{table}");
    assert!(table.contains("\n  every fault "), "{table}");
}

#[cfg(feature = "containers")]
#[test]
fn with_an_engine_containers_are_tried_and_nothing_is_left_of_them() {
    let docker = |args: &[&str]| std::process::Command::new("docker").args(args).output();
    if !docker(&["version"]).is_ok_and(|asked| asked.status.success()) {
        let required = std::env::var("CHAOS_TEST_REQUIRE").unwrap_or_default();
        assert!(!required.split(',').any(|name| name.trim() == "docker"), "docker is required");
        eprintln!("SKIPPED: this host has no docker");
        return;
    }
    let run = format!("doctor-{}", std::process::id());
    let ended = ended(Sandbox::new().command(&["doctor", "--json"]).env("CHAOS_TEST_RUN_ID", &run));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let answers = answers(&ended);
    let of = |fault: &str| {
        let mut these =
            answers.iter().filter(|answer| answer["target"] == "container" && answer["fault"] == fault);
        let is_there = |answer: &&Value| answer["answer"] != "no";
        these.find(is_there).unwrap_or_else(|| panic!("{fault}: {answers:#?}")).clone()
    };
    // Whatever the kernel has and the engine allows, these need nothing but an engine.
    for (fault, mechanism) in [
        ("container_crash", "engine-kill"),
        ("database_down (crash)", "engine-kill"),
        ("database_down (hang)", "engine-pause"),
        ("database_down (refuse)", "engine-stop"),
    ] {
        let answer = of(fault);
        assert_eq!(
            (&answer["mechanism"], &answer["answer"]),
            (&mechanism.into(), &"used".into()),
            "{answer}"
        );
    }
    let left = |what: &str, label: String| {
        let filter = format!("label={label}");
        let all: &[&str] = if what == "container" { &["--all"] } else { &[] };
        let list = docker(&[&[what, "ls", "--quiet", "--filter", &filter], all].concat()).unwrap();
        String::from_utf8(list.stdout).unwrap()
    };
    for what in ["container", "network", "volume"] {
        assert_eq!(left(what, format!("chaos-test.run={run}")), "", "{what}");
    }
    assert_eq!(left("image", format!("chaos-test.helper-of={}", origin())), "");
}

/// How an image says which program it was made of.
#[cfg(feature = "containers")]
fn origin() -> String {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_cargo-chaos")).canonicalize().unwrap();
    let mut hasher = DefaultHasher::new();
    program.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}
