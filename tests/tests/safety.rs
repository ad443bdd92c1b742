//! What an experiment may do: the blast radius, confirmations, the floor, and the time of a whole run.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "starts programs")]

use std::path::Path;
use std::process::Command;

use chaos_test::ErrorKind;
use chaos_test::prelude::*;
use chaos_test::units::ByteSize;
use suite::{Noted, Stub};

/// What the program prints, with these variables set.
async fn experiment(args: &[&str], variables: &[(&str, &str)]) -> String {
    let dir = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_experiment"));
    command.args(args).envs(variables.iter().copied());
    for name in ["CHAOS_TEST_DIR", "CHAOS_TEST_LOCK_DIR"] {
        if !variables.iter().any(|(given, _)| *given == name) {
            command.env(name, dir.path());
        }
    }
    let output =
        tokio::task::spawn_blocking(move || command.output()).await.expect("no panic").expect("it runs");
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    println!("{text}");
    text
}

/// A stub by an address that is not of the loopback, but leads to it all the same.
async fn elsewhere() -> (Stub, String) {
    let stub = Stub::start(0).await.expect("a free port");
    let url = stub.url().replace("127.0.0.1", "0.0.0.0");
    (stub, url)
}

#[tokio::test]
async fn a_target_outside_the_blast_radius_gets_nothing() {
    let (stub, url) = elsewhere().await;
    let text = experiment(&["--url", &url], &[]).await;
    assert!(text.contains("error: \"app\" at 0.0.0.0:"), "{text}");
    assert!(text.contains("outside the blast radius"), "{text}");
    assert!(!text.lines().any(|line| line.starts_with("in ")), "{text}");
    assert!(
        text.contains("CHAOS_TEST_ALLOW=0.0.0.0") && text.contains("allowed_targets: [\"0.0.0.0\"]"),
        "{text}"
    );
    assert!(stub.served().is_empty(), "not one request reached it");
}

#[tokio::test]
async fn a_target_is_allowed_by_a_variable() {
    let (stub, url) = elsewhere().await;
    let text = experiment(&["--url", &url], &[("CHAOS_TEST_ALLOW", "db.example, 0.0.0.0/32")]).await;
    assert!(text.contains("\nout ") && !text.contains("error: "), "{text}");
    assert!(!stub.served().is_empty());
    let text = experiment(&["--url", &url], &[("CHAOS_TEST_ALLOW", "http://0.0.0.0")]).await;
    assert!(text.contains("error: CHAOS_TEST_ALLOW: expected a host such as"), "{text}");
}

/// An experiment with the stub as its target, by the rules of this catalogue.
async fn by_catalogue(catalogue: &str, scenario: &str, url: &str) -> (Experiment, Noted) {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("chaos.yml");
    std::fs::write(&file, catalogue).expect("the folder can be written");
    let (noted, url) = (Noted::default(), url.to_owned());
    let environment = move || async move {
        Environment::builder().url("app", url).probe("app", Probe::http("/").every(50.ms())).start().await
    };
    let experiment = Experiment::scenario_of(&file, scenario)
        .expect("a known scenario")
        .environment(environment)
        .target("app")
        .injector(noted.clone())
        .duration(300.ms())
        .baseline(1500.ms())
        .watch(200.ms());
    (experiment, noted)
}

#[tokio::test]
async fn a_target_is_allowed_by_the_catalogue() {
    let (_stub, url) = elsewhere().await;
    let (experiment, noted) =
        by_catalogue("safety: {allowed_targets: []}", "Light Network Delay", &url).await;
    let error = experiment.run().await.expect_err("it is refused");
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    assert!(noted.lines().is_empty());
    let (experiment, noted) =
        by_catalogue("safety: {allowed_targets: [0.0.0.0]}", "Light Network Delay", &url).await;
    let report = experiment.run().await.expect("it is carried out");
    assert_eq!(noted.lines().len(), 2, "{}", report.headline());
}

#[tokio::test]
async fn a_database_outage_at_a_running_target_wants_a_confirmation() {
    let stub = Stub::start(0).await.expect("a free port");
    let (experiment, noted) = by_catalogue("safety: {}", "Database Brief Outage", &stub.url()).await;
    let error = experiment.run().await.expect_err("it is refused").to_string();
    for part in ["\"Database Brief Outage\" is a database_down", "\"app\"", "require_confirmation"] {
        assert!(error.contains(part), "{part}: {error}");
    }
    assert!(
        error.contains("CHAOS_TEST_CONFIRM=\"Database Brief Outage\"") && error.contains(".confirmed(true)")
    );
    assert!(noted.lines().is_empty() && stub.served().is_empty());
    let (experiment, noted) = by_catalogue("safety: {}", "Database Brief Outage", &stub.url()).await;
    experiment.confirmed(true).run().await.expect("it is carried out");
    assert_eq!(noted.lines().len(), 2);
}

#[tokio::test]
async fn a_confirmation_is_by_the_exact_name() {
    let stub = Stub::start(0).await.expect("a free port");
    let url = stub.url();
    let args = ["--url", url.as_str(), "--kind", "database"];
    let text = experiment(&args, &[("CHAOS_TEST_CONFIRM", "database_down, Database Brief Outage")]).await;
    assert!(text.contains("error: scenario \"database_down (Hang)\" is a database_down"), "{text}");
    let text = experiment(&args, &[("CHAOS_TEST_CONFIRM", "x,database_down (Hang) ")]).await;
    assert!(text.contains("\nout "), "{text}");
}

#[tokio::test]
async fn what_this_run_started_wants_no_confirmation() {
    let environment = || {
        let stub = Process::cargo_bin("stub").args(["--port", "{port}"]);
        let probe = Probe::http("/").every(50.ms());
        Environment::builder().process("app", stub.ready(probe)).start()
    };
    let noted = Noted::default();
    Experiment::scenario("Database Brief Outage")
        .expect("a known scenario")
        .environment(environment)
        .target("app")
        .injector(noted.clone())
        .duration(300.ms())
        .baseline(1500.ms())
        .watch(200.ms())
        .run()
        .await
        .expect("it is carried out");
    assert_eq!(noted.lines().len(), 2);
}

#[tokio::test]
async fn a_fault_that_takes_all_memory_is_not_run() {
    let stub = Stub::start(0).await.expect("a free port");
    let noted = Noted::default();
    let report = Experiment::fault(Fault::MemoryLeak { size: ByteSize::new(1 << 50) }, 1.seconds())
        .expect("the catalogue is in order")
        .against(stub.url())
        .injector(noted.clone())
        .run()
        .await
        .expect("a record");
    let text = report.headline();
    assert!(text.contains("1024 TiB of memory asked") && text.contains("floor"), "{text}");
    assert!(!report.passed() && noted.lines().is_empty() && stub.served().is_empty(), "{text}");
}

#[tokio::test]
async fn a_profile_runs_only_the_scenarios_it_allows() {
    let stub = Stub::start(0).await.expect("a free port");
    let refused = Experiment::scenario("Heavy Network Delay")
        .expect("a known scenario")
        .against(stub.url())
        .slo("production")
        .run()
        .await
        .expect_err("production does not allow it")
        .to_string();
    assert!(
        refused.contains("\"Heavy Network Delay\" may not run under the SLO profile \"production\""),
        "{refused}"
    );
    assert!(refused.contains("Light Network Delay") && stub.served().is_empty(), "{refused}");
}

/// Of a test that is killed the record is made of the pending one: without it nothing is started.
#[tokio::test]
async fn without_a_pending_record_nothing_is_started() {
    let stub = Stub::start(0).await.expect("a free port");
    let dir = tempfile::tempdir().expect("a folder");
    let variables =
        [("CHAOS_TEST_RUN_ID", "the-run"), ("CHAOS_TEST_DIR", dir.path().to_str().expect("UTF-8"))];
    let (url, folder) = (stub.url(), dir.path().join("the-run"));
    let args = ["--url", url.as_str(), "--name", "unkept"];
    let text = experiment(&args, &variables).await;
    assert!(text.contains("\nout "), "{text}");
    let mut files = std::fs::read_dir(&folder).expect("records").map(|entry| entry.expect("an entry").path());
    let record = files.find(|file| file.to_string_lossy().ends_with("unkept.json")).expect("a record");
    std::fs::remove_file(&record).expect("it is ours");
    // A folder in its place: the disk takes everything but this one file.
    let stem = record.file_stem().expect("a name").to_string_lossy();
    let pending = folder.join(format!(".{stem}.pending.json"));
    std::fs::create_dir(&pending).expect("it can be made");
    let before = stub.served().len();
    let text = experiment(&args, &variables).await;
    let path = pending.display().to_string();
    for part in ["nothing was started: cannot write ", path.as_str(), "irectory"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("\nin ") && !text.starts_with("in ") && stub.served().len() == before, "{text}");
    let told = std::fs::read_to_string(&record).expect("it has a record");
    assert!(told.contains("nothing was started"), "{told}");
}

#[tokio::test]
async fn two_programs_from_one_shell_are_two_runs() {
    let stub = Stub::start(0).await.expect("a free port");
    let dir = tempfile::tempdir().expect("a folder");
    let program = env!("CARGO_BIN_EXE_experiment");
    let script = format!("{program} --url {0}; {program} --url {0}", stub.url());
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &script])
        .env("CHAOS_TEST_DIR", dir.path())
        .env("CHAOS_TEST_LOCK_DIR", dir.path().join("locks"));
    shell.env_remove("NEXTEST_RUN_ID").env_remove("CHAOS_TEST_RUN_ID");
    tokio::task::spawn_blocking(move || shell.output()).await.expect("no panic").expect("a shell");
    let runs = |dir: &Path| {
        let names =
            std::fs::read_dir(dir).expect("records").map(|entry| entry.expect("an entry").file_name());
        names.filter(|name| name.to_string_lossy().starts_with("local-")).count()
    };
    assert_eq!(runs(dir.path()), 2);
}

/// It has no record, and what is reported is that run all the same and not the one before it.
#[tokio::test]
async fn a_run_has_begun_whose_first_test_is_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path();
    let broken = dir.join("broken.yml");
    std::fs::write(&broken, "scenarios: {").expect("it can be written");
    let wrong = [("run-1", &["--slo", "stagin"][..], None), ("run-2", &[], broken.to_str())];
    for (run, args, catalogue) in wrong {
        let mut variables =
            vec![("CHAOS_TEST_RUN_ID", run), ("CHAOS_TEST_DIR", dir.to_str().expect("UTF-8"))];
        variables.extend(catalogue.map(|file| ("CHAOS_TEST_CATALOGUE", file)));
        let text = experiment(&[&["--url", "http://127.0.0.1:9"], args].concat(), &variables).await;
        assert!(!text.contains("\nin "), "nothing is injected: {text}");
        let left = std::fs::read_dir(dir.join(run))
            .expect("the run has begun")
            .map(|entry| entry.expect("one").file_name());
        assert_eq!(left.collect::<Vec<_>>(), ["run.json"]);
    }
}

#[tokio::test]
async fn a_test_that_begins_after_the_time_of_its_run_is_refused() {
    let stub = Stub::start(0).await.expect("a free port");
    let dir = tempfile::tempdir().expect("a folder");
    let variables =
        [("CHAOS_TEST_RUN_ID", "the-run"), ("CHAOS_TEST_DIR", dir.path().to_str().expect("UTF-8"))];
    let url = stub.url();
    let file = dir.path().join("the-run/run.json");
    let text = experiment(&["--url", &url], &variables).await;
    assert!(text.contains("\nout ") && file.is_file(), "the first test begins the run: {text}");
    // As if that had been on a day long ago.
    std::fs::write(&file, r#"{"format":1,"started":1000000000.0}"#).expect("it can be written");
    let before = stub.served().len();
    let text = experiment(&["--url", &url], &variables).await;
    for part in ["the run the-run began at 01:46:40 UTC", "`safety.max_total_duration_seconds`", "30 min 0 s"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("\nin ") && stub.served().len() == before, "nothing was done: {text}");
    std::fs::write(&file, "{\"format\":1,\"sta").expect("it can be written");
    let text = experiment(&["--url", &url], &variables).await;
    assert!(text.contains("\nout "), "a torn file is replaced: {text}");
}
