//! A service is killed and not started again by the harness: its supervisor must do it, and how long that takes is measured.

use std::time::Duration;

use chaos_test::model::{EventKind, Fault};
use chaos_test::prelude::*;
use chaos_test::report::Report;
use chaos_test::slo::{Indicator, RecoveryTime};
use suite::unless_void;

fn percent(value: f64) -> Percent {
    Percent::new(value).expect("a percentage")
}

/// The fault, aimed at the environment's first service.
fn crash() -> Fault {
    Fault::ServiceRecovery { container: None, recovery_time_expected: None }
}

fn stub() -> Process {
    Process::cargo_bin("stub")
        .args(["--port", "{port}"])
        .ready(Probe::http("/").every(20.ms()).timeout(500.ms()))
}

/// A shell that starts the stub again whenever it has ended, and ends after it if `times` is 1.
fn looped(times: u32) -> Process {
    let program = env!("CARGO_BIN_EXE_stub");
    let script = format!("for n in $(seq {times}); do {program} --port $PORT; sleep 0.4; done; sleep 60");
    Process::new("sh").arg("-c").arg(script).ready(Probe::http("/").every(20.ms()).timeout(500.ms()))
}

async fn run(process: Process) -> Report {
    let report = unless_void(async || {
        let process = process.clone();
        Experiment::fault(crash(), 4.seconds())
            .expect("the built-in catalogue")
            .environment(move || Environment::builder().process("app", process).start())
            .baseline(1.seconds())
            .objective(Objective::RecoveryTime(2.seconds()))
            .objective(Objective::ErrorRate(percent(60.0)))
            .objective(Objective::Availability(percent(30.0)))
            .watch(8.seconds())
            .run()
            .await
            .expect("well formed")
    })
    .await;
    println!("{}\n", report.text());
    report
}

/// How long the one outage lasted.
fn outage(report: &Report) -> Duration {
    let figures = &report.judgement.streams[0];
    assert_eq!(figures.outages.len(), 1, "{}", report.text());
    figures.outages[0].end.expect("it ended") - figures.outages[0].start
}

#[tokio::test]
async fn a_service_that_its_restart_policy_brings_back_passes_with_its_time() {
    let report = run(stub().restart_after(Restart::OnFailure, 700.ms())).await;
    assert!(report.passed(), "{}", report.text());
    let took = outage(&report);
    assert!(took >= 650.ms(), "down for {took:?}, and the policy waits 700 ms");
    let told = report.trace.events.iter().find(|event| event.kind == EventKind::Service);
    let told = told.expect("the restart is on the timeline");
    assert!(told.text.starts_with("app was started again by its restart policy, "), "{told:?}");
    assert!(Some(told.at) > report.trace.marks.inject_started, "{told:?}");
    assert!(report.trace.delivery.as_ref().expect("it was delivered").readings.len() >= 3);
}

#[tokio::test]
async fn one_that_is_back_before_anybody_looks_is_proven_all_the_same() {
    let report = run(stub().restart_after(Restart::Always, Duration::ZERO)).await;
    assert!(report.passed(), "{}", report.text());
    assert!(report.trace.marks.injected.is_some());
}

#[tokio::test]
async fn a_supervisor_in_its_own_tree_is_left_alive_and_judged() {
    let report = run(looped(9)).await;
    assert!(report.passed(), "{}", report.text());
    let took = outage(&report);
    assert!(took >= 350.ms(), "down for {took:?}, and the shell waits 400 ms");
}

#[tokio::test]
async fn one_that_nobody_brings_back_fails() {
    let report = run(looped(1)).await;
    assert_eq!(report.judgement.label(), "Fail(metastable)", "{}", report.text());
    assert!(matches!(report.judgement.streams[0].recovery_time, Some(RecoveryTime::NotWithin(_))));
    let broken: Vec<Indicator> = report.judgement.broken().iter().map(|broken| broken.indicator).collect();
    assert!(broken.contains(&Indicator::RecoveryTime), "{broken:?}");
}

#[tokio::test]
async fn one_that_comes_back_too_late_fails() {
    let report = run(stub().restart_after(Restart::OnFailure, 4.seconds())).await;
    assert_eq!(report.judgement.label(), "Fail", "{}", report.text());
    assert!(matches!(
        report.judgement.streams[0].recovery_time,
        Some(RecoveryTime::After(time)) if time > 2.seconds()
    ));
}

#[tokio::test]
async fn one_without_a_supervisor_is_refused_with_what_to_do() {
    let report = run(stub()).await;
    assert_eq!(report.judgement.label(), "Error(injection)", "{}", report.text());
    let text = report.text();
    for part in ["nothing would bring app back", "Process::restart(Restart::OnFailure)"] {
        assert!(text.contains(part), "{text}");
    }
}

#[tokio::test]
async fn a_fault_that_holds_a_service_down_outweighs_its_policy() {
    let fault = Fault::ContainerCrash { container: None, downtime: 1500.ms(), recovery_time_expected: None };
    let report = unless_void(async || {
        Experiment::fault(fault.clone(), 6.seconds())
            .expect("the built-in catalogue")
            .environment(|| Environment::builder().process("app", stub().restart(Restart::Always)).start())
            .baseline(1.seconds())
            .objective(Objective::ErrorRate(percent(80.0)))
            .objective(Objective::Availability(percent(20.0)))
            .run()
            .await
            .expect("well formed")
    })
    .await;
    assert!(report.passed(), "{}", report.text());
    let took = outage(&report);
    assert!(took >= 1400.ms(), "down for {took:?}, and the fault holds it for 1.5 s");
    assert!(report.trace.events.iter().all(|event| event.kind != EventKind::Service), "{}", report.text());
}

#[tokio::test]
async fn a_policy_minds_how_a_service_ends() {
    // The stub ends by itself with exit code 0.
    let dies = |restart| {
        Process::cargo_bin("stub")
            .args(["--port", "{port}", "--die-after", "300ms"])
            .restart_after(restart, 50.ms())
            .ready(Probe::http("/"))
    };
    let started = Environment::builder()
        .process("always", dies(Restart::Always))
        .process("on-failure", dies(Restart::OnFailure))
        .start()
        .await;
    let environment = started.expect("two stubs");
    let (always, on_failure) =
        (environment.service("always").unwrap(), environment.service("on-failure").unwrap());
    let first = always.pid();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..200 {
        seen.extend(always.pid());
        tokio::time::sleep(10.ms()).await;
    }
    assert!(seen.len() >= 2, "{first:?} and then {seen:?}");
    assert_eq!(on_failure.pid(), None);
}
