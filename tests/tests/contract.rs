//! The contract every injector keeps: inject → present; revert → absent; revert twice; revert after the target died;
//! what is foreign survives; the ledger knows before the act; a cancel in the middle is reverted.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "test code may read files and start processes"
)]

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use chaos_test::inject::injector_for;
use chaos_test::model::{ConnectionFault, Fault, OutageMode, Pin, SyncFault};
use chaos_test::port::{
    DynInjector, InjectError, Injector, ObserveError, Prepared, Presence, RevertError, RevertRecord, Support,
    Target,
};
use chaos_test::prelude::*;
use chaos_test::units::ByteSize;

async fn two_services() -> Environment {
    let service = || {
        let stub = Process::cargo_bin("stub").args(["--port", "{port}"]).ready(Probe::http("/"));
        // For the crash that nothing of a fault undoes.
        let stub = stub.restart(Restart::Always).supervised_syncs();
        // `own_network_contract` is the same suite for services with a network of their own.
        if module_path!().starts_with("own_network") { stub.own_network() } else { stub }
    };
    let started = Environment::builder().process("app", service()).process("other", service()).start().await;
    started.expect("two stubs")
}

fn faults() -> Vec<Fault> {
    vec![
        Fault::CpuExhaust { workers: NonZeroU32::new(2).unwrap(), load: Percent::HUNDRED },
        Fault::NetworkDelay { delay: 100.ms(), jitter: Duration::ZERO, bandwidth: None, interface: None },
        Fault::NetworkDelay {
            delay: 100.ms(),
            jitter: Duration::ZERO,
            bandwidth: Some(ByteSize::new(1_000_000)),
            interface: None,
        },
        loss(None),
        loss(Some(ConnectionFault::Reset)),
        loss(Some(ConnectionFault::HalfOpen)),
        Fault::ContainerCrash { container: None, downtime: 1.seconds(), recovery_time_expected: None },
        Fault::MemoryLeak { size: ByteSize::new(64 << 20) },
        Fault::DiskStress { workers: NonZeroU32::MIN, sync: Some(SyncFault::Delay(50.ms())) },
        Fault::DiskStress { workers: NonZeroU32::MIN, sync: Some(SyncFault::Failed) },
        outage(OutageMode::Crash),
        outage(OutageMode::Hang),
        outage(OutageMode::Refuse),
        outage(OutageMode::Partition),
        Fault::ServiceRecovery { container: None, recovery_time_expected: None },
        Fault::DiskStress { workers: NonZeroU32::new(2).unwrap(), sync: None },
    ]
}

fn outage(mode: OutageMode) -> Fault {
    Fault::DatabaseDown { database: None, mode, recovery_time_expected: None }
}

fn loss(connections: Option<ConnectionFault>) -> Fault {
    Fault::NetworkLoss { loss: Percent::new(15.0).unwrap(), connections, interface: None }
}

async fn is_present(injector: &dyn DynInjector, record: &RevertRecord) -> bool {
    // Workers take a moment to be scheduled, and some faults grow.
    for _ in 0..100 {
        if let Presence::Present(dose) = injector.observe(record).await.expect("a reading")
            && dose.measured > dose.asked / 2.0
        {
            return true;
        }
        tokio::time::sleep(20.ms()).await;
    }
    false
}

async fn is_absent(injector: &dyn DynInjector, record: &RevertRecord) -> bool {
    for _ in 0..100 {
        if matches!(injector.observe(record).await.expect("a reading"), Presence::Absent(_)) {
            return true;
        }
        tokio::time::sleep(20.ms()).await;
    }
    false
}

async fn prepared(fault: &Fault, target: &Target) -> (Box<dyn DynInjector>, Prepared) {
    let injector = injector_for(fault);
    let choice = injector.support(fault, target).choose(fault.kind(), &Pin::default());
    let mechanism = choice.expect("there is a rung").mechanism;
    let prepared = injector.prepare(fault, target, mechanism).await.expect("it can be prepared");
    (injector, prepared)
}

#[tokio::test]
async fn injected_is_present_and_reverted_is_absent_twice() {
    for fault in faults() {
        let environment = two_services().await;
        let app = environment.service("app").unwrap();
        let (injector, prepared) = prepared(&fault, &app.target()).await;
        assert!(is_absent(&*injector, &prepared.record).await, "{fault}: preparing changes nothing");
        injector.inject(&prepared).await.expect("it can be injected");
        assert!(is_present(&*injector, &prepared.record).await, "{fault}: injected and not there");
        for time in ["once", "twice"] {
            injector.revert(&prepared.record).await.expect("it can be undone");
            assert!(
                is_absent(&*injector, &prepared.record).await,
                "{fault}: reverted {time} and still there"
            );
        }
        // Its restart policy may still be waiting.
        for _ in 0..100 {
            if app.pid().is_none() {
                tokio::time::sleep(20.ms()).await;
            }
        }
        assert!(app.pid().is_some(), "{fault}: the service runs");
    }
}

#[tokio::test]
async fn reverting_after_the_target_died_is_no_error() {
    for fault in faults() {
        let environment = two_services().await;
        let target = environment.service("app").unwrap().target();
        let (injector, prepared) = prepared(&fault, &target).await;
        injector.inject(&prepared).await.expect("it can be injected");
        drop(environment);
        let reverted = injector.revert(&prepared.record).await;
        // A crashed service is started again even when nobody waits for it: that undoes the fault.
        assert!(reverted.is_ok(), "{fault}: {reverted:?}");
        assert!(is_absent(&*injector, &prepared.record).await, "{fault}: still there");
    }
}

#[tokio::test]
async fn another_injector_can_revert_by_the_record_alone() {
    for fault in faults() {
        let environment = two_services().await;
        let (injector, prepared) = prepared(&fault, &environment.service("app").unwrap().target()).await;
        injector.inject(&prepared).await.expect("it can be injected");
        let text = serde_json::to_string(&prepared.record).expect("a record is data");
        let record: RevertRecord = serde_json::from_str(&text).expect("and can be read back");
        let stranger = injector_for(&fault);
        stranger.revert(&record).await.expect("it can be undone, or there is nothing to undo");
        if !record.undo.is_empty() {
            assert!(is_absent(&*injector, &record).await, "{fault}: what outlives us is found by its mark");
        }
        injector.revert(&record).await.expect("and again by the one that made it");
    }
}

/// A process that goes with the test, however that ends.
struct Foreign(Child);

impl Drop for Foreign {
    fn drop(&mut self) {
        let _ = self.0.kill().and_then(|()| self.0.wait());
    }
}

#[tokio::test]
async fn what_is_foreign_survives() {
    // Looks like a worker of ours and carries another fault's mark.
    let mut foreign = Command::new("sleep")
        .arg("600")
        .env("CHAOS_TEST_MARK", "somebody-elses")
        .stdout(Stdio::null())
        .spawn()
        .map(Foreign)
        .expect("`sleep` is on every Linux");
    for fault in faults() {
        let environment = two_services().await;
        let (app, other) = (environment.service("app").unwrap(), environment.service("other").unwrap());
        let other_pid = other.pid();
        // The same kind of fault on the other service is not ours to touch.
        let delay =
            Fault::NetworkDelay { delay: 80.ms(), jitter: Duration::ZERO, bandwidth: None, interface: None };
        let (theirs, their_fault) = prepared(&delay, &other.target()).await;
        theirs.inject(&their_fault).await.expect("it can be injected");
        let (injector, prepared) = prepared(&fault, &app.target()).await;
        injector.inject(&prepared).await.expect("it can be injected");
        injector.revert(&prepared.record).await.expect("it can be undone");
        assert!(
            foreign.0.try_wait().expect("it is our child").is_none(),
            "{fault}: the foreign process is gone"
        );
        assert_eq!(other.pid(), other_pid, "{fault}: the other service is another process now");
        assert!(is_present(&*theirs, &their_fault.record).await, "{fault}: the other fault is gone");
        theirs.revert(&their_fault.record).await.expect("it can be undone");
    }
}

/// A real injector that looks, at the moment of the act, whether the ledger knows of it, and then takes its time.
#[derive(Clone)]
struct Witnessed {
    real: Arc<dyn DynInjector>,
    slow: Duration,
    seen: Arc<Mutex<Vec<String>>>,
    ledger: PathBuf,
    /// What its entries in the ledger are called.
    id: Arc<OnceLock<String>>,
}

impl Witnessed {
    fn note(&self, what: &str) {
        self.seen.lock().unwrap().push(what.to_owned());
    }
}

impl Injector for Witnessed {
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
        self.id.get_or_init(|| prepared.record.id.clone());
        let text = std::fs::read_to_string(&self.ledger).unwrap_or_default();
        let owed = text.lines().any(|line| line.contains("owed") && line.contains(&prepared.record.id));
        self.note(if owed { "owed before the act" } else { "NOT owed before the act" });
        self.real.inject(prepared).await?;
        self.note("injected");
        tokio::time::sleep(self.slow).await;
        Ok(())
    }
    async fn observe(&self, record: &RevertRecord) -> Result<Presence, ObserveError> {
        self.real.observe(record).await
    }
    async fn revert(&self, record: &RevertRecord) -> Result<(), RevertError> {
        self.real.revert(record).await?;
        self.note("reverted");
        Ok(())
    }
}

/// The ledger of this process, beside the records of this run.
async fn ledger() -> PathBuf {
    let report = Experiment::scenario("Light Network Delay")
        .unwrap()
        .environment(|| async { Err::<Environment, _>(Error::setup("only to learn where records go")) })
        .name("where records go")
        .run()
        .await
        .expect("a setup error is in the report");
    suite::ledger_beside(&report.path.expect("it was written"))
}

#[tokio::test]
async fn a_cancel_during_inject_leaves_a_ledger_entry_and_no_fault() {
    let ledger = ledger().await;
    let fault = Fault::CpuExhaust { workers: NonZeroU32::new(2).unwrap(), load: Percent::HUNDRED };
    let injector = Witnessed {
        real: injector_for(&fault).into(),
        slow: 1500.ms(),
        seen: Arc::default(),
        ledger: ledger.clone(),
        id: Arc::default(),
    };
    let (seen, id) = (Arc::clone(&injector.seen), Arc::clone(&injector.id));
    let experiment = Experiment::fault(fault, 10.seconds())
        .unwrap()
        .environment(|| async { Ok::<_, Error>(two_services().await) })
        .baseline(1.seconds())
        .injector(injector);
    let running = experiment.run();
    let injected = async {
        while !seen.lock().unwrap().iter().any(|what| what == "injected") {
            tokio::time::sleep(5.ms()).await;
        }
    };
    // Dropping the future is what a timeout or a cancelled task does.
    tokio::select! { _ = running => panic!("it cannot be done yet"), () = injected => {} }
    assert_eq!(seen.lock().unwrap()[0], "owed before the act");
    tokio::time::timeout(10.seconds(), async {
        while seen.lock().unwrap().last().map(String::as_str) != Some("reverted") {
            tokio::time::sleep(10.ms()).await;
        }
    })
    .await
    .expect("the fault is reverted although nobody waits for the experiment");
    let id = id.get().expect("it was injected");
    let is_settled = |text: &str| text.lines().any(|line| line.contains("\"settled\"") && line.contains(id));
    let text = || std::fs::read_to_string(&ledger).expect("there is a ledger");
    for _ in 0..1000 {
        if is_settled(&text()) {
            return;
        }
        tokio::time::sleep(10.ms()).await;
    }
    panic!("the fault {id} is not settled: {}", text());
}
