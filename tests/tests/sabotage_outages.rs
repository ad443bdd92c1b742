//! Sabotage of the faults that take a service down: nothing is injected, half of it, at another service, or it is undone
//! behind the injector's back. The verdict never is Pass. `CHAOS_TEST_SABOTAGE_ROUNDS` repeats it.
#![allow(clippy::disallowed_methods, reason = "test code may send signals and read files")]

use std::sync::Arc;

use chaos_test::model::OutageMode;
use chaos_test::port::{DynInjector, InjectError, NetworkPath, PathShape, Prepared, ProcessControl, Target};
use chaos_test::prelude::*;
use chaos_test::report::Report;
use chaos_test::slo::Reason;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use suite::{Saboteur, Undermined, at_once, marked};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sabotage {
    /// None: the control.
    Sound,
    Nothing,
    /// Only to the first process of the service.
    Half,
    /// To the other service.
    WrongTarget,
    /// Undone 1.5 s later.
    Midway,
}

/// What is done in place of the fault, or against it.
#[derive(Debug, Clone, Copy)]
enum Means {
    Kill,
    Stop,
    Close,
}

/// Somebody at the service behind the injector's back.
struct AtTheService {
    how: Sabotage,
    means: Means,
    /// A service that is nobody's target.
    other: Environment,
}

fn all_of(process: &Arc<dyn ProcessControl>, signal: Signal) {
    marked(&process.mark()).into_iter().for_each(|pid| {
        let _ = kill(Pid::from_raw(pid as i32), signal);
    });
}

fn parts(target: &Target) -> (Arc<dyn ProcessControl>, Arc<dyn NetworkPath>) {
    (target.process.clone().expect("a process"), target.path.clone().expect("a door"))
}

impl Saboteur for AtTheService {
    async fn inject(
        &self,
        real: &dyn DynInjector,
        target: &Target,
        prepared: &Prepared,
    ) -> Result<(), InjectError> {
        let (app, door) = parts(target);
        let (other, others_door) = parts(&self.other.service("other").expect("it is there").target());
        let closed = PathShape { closed: Some(chaos_test::port::Closed::Refuse), ..PathShape::NONE };
        match (self.how, self.means) {
            (Sabotage::Nothing, _) => {}
            (Sabotage::Sound, _) => real.inject(prepared).await?,
            (Sabotage::Half, means) => {
                let signal = if matches!(means, Means::Stop) { Signal::SIGSTOP } else { Signal::SIGKILL };
                kill(Pid::from_raw(app.pid().expect("it is up") as i32), signal).expect("it is ours");
            }
            (Sabotage::WrongTarget, Means::Kill) => other.kill().expect("it is ours"),
            (Sabotage::WrongTarget, Means::Stop) => all_of(&other, Signal::SIGSTOP),
            (Sabotage::WrongTarget, Means::Close) => others_door.shape(closed),
            (Sabotage::Midway, means) => {
                real.inject(prepared).await?;
                tokio::spawn(async move {
                    tokio::time::sleep(1500.ms()).await;
                    match means {
                        Means::Kill => app.respawn().expect("it can be started"),
                        Means::Stop => all_of(&app, Signal::SIGCONT),
                        Means::Close => door.shape(PathShape::NONE),
                    }
                });
            }
        }
        Ok(())
    }

    /// What is left stopped would be residue, rightly, and is not what this is about.
    fn before_revert(&self, target: &Target) {
        if matches!((self.how, self.means), (Sabotage::Half, Means::Stop)) {
            all_of(&parts(target).0, Signal::SIGCONT);
        }
    }
}

/// A service of two processes: the one that serves is a child with a session of its own.
fn forked() -> Process {
    Process::cargo_bin("stub")
        .args(["--port", "{port}", "--fork", "session"])
        .ready(Probe::http("/").every(100.ms()))
}

/// One run that got as far as its injection. (On a host that is too busy for the baseline nothing is injected at all.)
async fn run(name: &str, fault: &Fault, means: Means, how: Sabotage) -> Report {
    for _ in 0..5 {
        let report = try_to_run(name, fault, means, how).await;
        if report.trace.marks.inject_started.is_some() {
            return report;
        }
        assert!(report.trace.trouble.is_none(), "{}", report.text());
    }
    panic!("this host is too busy for any run");
}

async fn try_to_run(name: &str, fault: &Fault, means: Means, how: Sabotage) -> Report {
    let other = Environment::builder().process("other", forked()).start().await.expect("a stub");
    let injector = Undermined::of(fault, AtTheService { how, means, other });
    let report = Experiment::fault(fault.clone(), 5.seconds())
        .expect("well formed")
        .name(format!("{name} {how:?}"))
        .environment(|| Environment::builder().process("app", forked()).start())
        .injector(injector)
        .baseline(2500.ms())
        .watch(300.ms())
        .progress(false)
        .run()
        .await
        .expect("well formed");
    println!("{how:?}: {}", report.headline());
    report
}

fn is_not_delivered(report: &Report) -> bool {
    report.judgement.reasons.iter().any(|reason| matches!(reason, Reason::FaultNotDelivered(_)))
}

/// The fault as it is and every sabotage of it, at the same time: none of them takes anything from the others.
async fn never_passes(name: &'static str, fault: Fault, means: Means, sabotages: &[Sabotage]) {
    let rounds =
        std::env::var("CHAOS_TEST_SABOTAGE_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    for round in 1..=rounds {
        println!("\n{fault}, round {round} of {rounds}");
        let ways = std::iter::once(Sabotage::Sound).chain(sabotages.iter().copied());
        let runs = ways.map(|how| {
            let fault = fault.clone();
            async move { (how, run(name, &fault, means, how).await) }
        });
        for (how, report) in at_once(runs).await {
            if matches!(how, Sabotage::Sound) {
                assert!(!is_not_delivered(&report), "the fault itself is proven: {}", report.text());
                continue;
            }
            assert!(!report.passed(), "{}", report.text());
            // That the host was busy as well may be said, too.
            assert!(is_not_delivered(&report), "{}", report.text());
            let began = report.trace.marks.injected.is_some();
            assert_eq!(began, how == Sabotage::Midway, "whether it was there at first: {}", report.text());
        }
    }
}

const ALL: [Sabotage; 4] = [Sabotage::Nothing, Sabotage::Half, Sabotage::WrongTarget, Sabotage::Midway];

fn outage(mode: OutageMode) -> Fault {
    Fault::DatabaseDown { database: None, mode, recovery_time_expected: None }
}

#[tokio::test]
async fn a_container_crash() {
    let fault =
        Fault::ContainerCrash { container: None, downtime: 4.seconds(), recovery_time_expected: None };
    never_passes("container_crash", fault, Means::Kill, &ALL).await;
}

#[tokio::test]
async fn a_database_that_crashes() {
    never_passes("database_down crash", outage(OutageMode::Crash), Means::Kill, &ALL).await;
}

#[tokio::test]
async fn a_database_that_hangs() {
    never_passes("database_down hang", outage(OutageMode::Hang), Means::Stop, &ALL).await;
}

#[tokio::test]
async fn a_database_behind_a_closed_door() {
    let sabotages = [Sabotage::Nothing, Sabotage::WrongTarget, Sabotage::Midway];
    never_passes("database_down refuse", outage(OutageMode::Refuse), Means::Close, &sabotages).await;
    never_passes("database_down partition", outage(OutageMode::Partition), Means::Close, &sabotages).await;
}

#[tokio::test]
async fn a_crash_that_others_recover_from() {
    // Its first process does not serve, so only the other is killed; who kills the first instead has missed it. To bring
    // it back is what is wanted, so nothing can be undone.
    let fault = Fault::ServiceRecovery { container: None, recovery_time_expected: None };
    let sabotages = [Sabotage::Nothing, Sabotage::Half, Sabotage::WrongTarget];
    never_passes("service_recovery", fault, Means::Kill, &sabotages).await;
}
