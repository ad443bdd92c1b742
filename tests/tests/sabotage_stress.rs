//! Sabotage of the faults that take something from the host: nothing is injected, less than half of it, in the wrong
//! place, or somebody kills it in the middle. The verdict must say so, and never Pass.
//!
//! `CHAOS_TEST_SABOTAGE_ROUNDS=5` does each of them five times.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "test code may read files and send signals"
)]

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chaos_test::inject::{CpuExhaust, DiskStress, MemoryLeak, injector_for};
use chaos_test::model::Fault;
use chaos_test::port::{
    Dose, DynInjector, InjectError, Injector, ObserveError, Prepared, Presence, RevertError, RevertRecord,
    Support, Target,
};
use chaos_test::prelude::*;
use chaos_test::slo::{Proof, proof};
use chaos_test::units::ByteSize;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use suite::{OwnGroup, marked};

/// What is done behind the injector's back.
#[derive(Clone, Copy)]
enum Sabotage {
    /// Its workers do nothing.
    Idle,
    /// Something else is injected than was prepared.
    Instead(fn(&mut Value)),
    /// Its workers get that signal in the middle.
    Signal(Signal),
    /// Nothing is taken away, and the injector says that it was.
    Kept,
}

/// When in the middle.
const MIDDLE: Duration = Duration::from_millis(1200);

#[derive(Clone)]
struct Sabotaged {
    real: Arc<dyn DynInjector>,
    how: Sabotage,
    lies: Arc<AtomicBool>,
}

impl Sabotaged {
    fn new(fault: &Fault, how: Sabotage) -> Self {
        let real: Arc<dyn DynInjector> = match (how, fault) {
            (Sabotage::Idle, Fault::CpuExhaust { .. }) => Arc::new(CpuExhaust::with_idle_workers()),
            (Sabotage::Idle, Fault::MemoryLeak { .. }) => Arc::new(MemoryLeak::with_idle_workers()),
            (Sabotage::Idle, Fault::DiskStress { .. }) => Arc::new(DiskStress::with_idle_workers()),
            _ => injector_for(fault).into(),
        };
        Self { real, how, lies: Arc::default() }
    }
}

impl Injector for Sabotaged {
    fn support(&self, fault: &Fault, target: &Target) -> Support {
        self.real.support(fault, target)
    }
    async fn prepare(
        &self,
        fault: &Fault,
        target: &Target,
        mechanism: &str,
    ) -> Result<Prepared, InjectError> {
        self.real.prepare(fault, target, mechanism).await
    }
    async fn inject(&self, prepared: &Prepared) -> Result<(), InjectError> {
        let mut injected = prepared.clone();
        match self.how {
            Sabotage::Idle | Sabotage::Kept => {}
            Sabotage::Instead(change) => change(&mut injected.record.payload),
            Sabotage::Signal(signal) => {
                let mark = prepared.record.id.clone();
                std::thread::spawn(move || {
                    std::thread::sleep(MIDDLE);
                    for pid in marked(&mark) {
                        kill(Pid::from_raw(pid as i32), signal).expect("it runs, and is ours");
                    }
                });
            }
        }
        self.real.inject(&injected).await
    }
    async fn observe(&self, record: &RevertRecord) -> Result<Presence, ObserveError> {
        if self.lies.load(Ordering::Relaxed) {
            return Ok(Presence::Absent(Dose::new(1.0, 0.0)));
        }
        self.real.observe(record).await
    }
    async fn revert(&self, record: &RevertRecord) -> Result<(), RevertError> {
        if matches!(self.how, Sabotage::Kept) {
            self.lies.store(true, Ordering::Relaxed);
            return Ok(());
        }
        self.real.revert(record).await
    }
}

fn cpu(workers: u32, percent: f64) -> Fault {
    let load = Percent::new(percent).expect("a percentage");
    Fault::CpuExhaust { workers: NonZeroU32::new(workers).expect("some"), load }
}

fn memory() -> Fault {
    Fault::MemoryLeak { size: ByteSize::new(128 << 20) }
}

fn disk() -> Fault {
    Fault::DiskStress { workers: NonZeroU32::new(2).expect("some"), sync: None }
}

/// Runs it so often as is asked for; the service in a control group of its own if there is to be one.
async fn never_passes(what: &str, fault: Fault, how: Sabotage, own: Option<(&'static str, &'static str)>) {
    let rounds = std::env::var("CHAOS_TEST_SABOTAGE_ROUNDS").ok().and_then(|text| text.parse().ok());
    let group = match own {
        Some((controller, _)) => match OwnGroup::below(controller) {
            Some(group) => Some(Arc::new(group)),
            None => return,
        },
        None => None,
    };
    let (mut seen, mut tries) = (Vec::new(), 0);
    let rounds = rounds.unwrap_or(1_usize);
    while seen.len() < rounds {
        tries += 1;
        assert!(
            tries <= 4 * rounds,
            "{what}: this host is too busy for a baseline; {} rounds came to a fault",
            seen.len()
        );
        let group = group.clone();
        let environment = move || async move {
            let probe = Probe::http("/").every(80.ms());
            let app = Process::cargo_bin("stub").args(["--port", "{port}"]).ready(probe);
            let environment = Environment::builder().process("app", app).start().await?;
            if let Some(group) = group {
                group.take(environment.service("app").expect("just started").pid().expect("it runs"));
            }
            Ok::<_, Error>(environment)
        };
        // Held until the verdict is there: its workers end with it.
        let injector = Sabotaged::new(&fault, how);
        let mut experiment = Experiment::fault(fault.clone(), 3.seconds())
            .expect("well formed")
            .environment(environment)
            .injector(injector.clone())
            .name(what.to_owned())
            .baseline(2.seconds())
            .watch(300.ms())
            .progress(false);
        if let Some((_, mechanism)) = own {
            experiment = experiment.mechanism(mechanism);
        }
        let report = experiment.run().await.expect("well formed");
        println!("{what}: {}", report.headline());
        assert!(!report.passed(), "{}", report.text());
        if report.trace.marks.inject_started.is_none() {
            // It never came to the fault, which says nothing, as long as it is the host's doing.
            assert!(report.trace.trouble.is_none(), "{}", report.text());
            continue;
        }
        let label = report.judgement.label();
        // A host that is busy with something else has more than one reason.
        let honest: &[&str] = match how {
            Sabotage::Kept => &["Error(cleanup)"],
            _ => &[
                "Inconclusive(fault not delivered)",
                "Inconclusive(prober starved)",
                "Inconclusive(noisy host)",
            ],
        };
        assert!(honest.contains(&label.as_str()), "{}", report.text());
        if !matches!(how, Sabotage::Kept) {
            // Whatever else was wrong: the witness was not taken in.
            let proof = proof(report.trace.delivery.as_ref(), &report.trace.marks);
            assert!(matches!(proof, Proof::Missing(_)), "{proof:?}\n{}", report.text());
        } else {
            let left = report.trace.residue.join("; ");
            assert!(left.contains("process") && left.contains("of the fault"), "the audit found: {left}");
        }
        seen.push(label);
        drop(injector);
    }
    println!("{what}: {} rounds of {tries} came to the fault, 0 Pass: {seen:?}", seen.len());
}

#[tokio::test]
async fn cpu_exhaust_by_workers_that_sleep() {
    never_passes("cpu idle", cpu(2, 100.0), Sabotage::Idle, None).await;
}

#[tokio::test]
async fn cpu_exhaust_by_half_of_the_workers() {
    let half = |payload: &mut Value| payload["workers"] = json!(2);
    never_passes("cpu half of the workers", cpu(4, 100.0), Sabotage::Instead(half), None).await;
}

#[tokio::test]
async fn cpu_exhaust_by_workers_that_hardly_work() {
    let less = |payload: &mut Value| payload["load"] = json!(0.2);
    never_passes("cpu 20 % for 50 %", cpu(2, 50.0), Sabotage::Instead(less), None).await;
}

#[tokio::test]
async fn cpu_exhaust_by_workers_in_another_cgroup() {
    let elsewhere = |payload: &mut Value| payload["groups"] = json!([]);
    let own = Some(("cpu", "cgroup-workers"));
    never_passes("cpu in the wrong cgroup", cpu(2, 100.0), Sabotage::Instead(elsewhere), own).await;
}

#[tokio::test]
async fn cpu_exhaust_by_workers_that_are_killed() {
    never_passes("cpu killed", cpu(2, 100.0), Sabotage::Signal(Signal::SIGKILL), None).await;
}

#[tokio::test]
async fn cpu_exhaust_by_workers_that_are_stopped() {
    never_passes("cpu stopped", cpu(2, 100.0), Sabotage::Signal(Signal::SIGSTOP), None).await;
}

#[tokio::test]
async fn memory_leak_by_a_hog_that_takes_nothing() {
    never_passes("memory idle", memory(), Sabotage::Idle, None).await;
}

#[tokio::test]
async fn memory_leak_of_half_the_size() {
    let half = |payload: &mut Value| payload["size"] = json!(64 << 20);
    never_passes("memory half", memory(), Sabotage::Instead(half), None).await;
}

#[tokio::test]
async fn memory_leak_in_another_cgroup() {
    let elsewhere = |payload: &mut Value| payload["groups"] = json!([]);
    let own = Some(("memory", "cgroup-hog"));
    never_passes("memory in the wrong cgroup", memory(), Sabotage::Instead(elsewhere), own).await;
}

#[tokio::test]
async fn memory_leak_by_a_hog_that_is_killed() {
    never_passes("memory killed", memory(), Sabotage::Signal(Signal::SIGKILL), None).await;
}

#[tokio::test]
async fn disk_stress_by_workers_that_do_nothing() {
    never_passes("disk idle", disk(), Sabotage::Idle, None).await;
}

#[tokio::test]
async fn disk_stress_by_half_of_the_workers() {
    let half = |payload: &mut Value| payload["workers"] = json!(1);
    never_passes("disk half of the workers", disk(), Sabotage::Instead(half), None).await;
}

#[tokio::test]
async fn disk_stress_on_another_file_system() {
    let elsewhere = |payload: &mut Value| payload["dir"] = json!("/dev/shm");
    never_passes("disk elsewhere", disk(), Sabotage::Instead(elsewhere), None).await;
}

#[tokio::test]
async fn disk_stress_by_workers_that_are_killed() {
    never_passes("disk killed", disk(), Sabotage::Signal(Signal::SIGKILL), None).await;
}

#[tokio::test]
async fn disk_stress_by_workers_that_are_stopped() {
    never_passes("disk stopped", disk(), Sabotage::Signal(Signal::SIGSTOP), None).await;
}

#[tokio::test]
async fn cpu_exhaust_memory_leak_and_disk_stress_that_stay_are_found_by_the_audit() {
    never_passes("cpu kept", cpu(1, 50.0), Sabotage::Kept, None).await;
    never_passes("memory kept", memory(), Sabotage::Kept, None).await;
    never_passes("disk kept", disk(), Sabotage::Kept, None).await;
}
