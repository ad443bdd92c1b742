//! A service's own syncs: late, failing, and as they were again. Each verdict rests on what a process of ours saw.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "test code may look at processes and files"
)]

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chaos_test::inject::SyncFaults;
use chaos_test::model::{FaultKind, Pin, SyncFault};
use chaos_test::port::{
    InjectError, Injector, ObserveError, Prepared, Presence, RevertError, RevertRecord, Support, SyncControl,
    Target,
};
use chaos_test::prelude::*;
use chaos_test::report::Report;
use chaos_test::slo::{Proof, proof};
use suite::unless_void;

fn stub(diary: &std::path::Path) -> Process {
    let probe = Probe::http("/").every(50.ms()).timeout(2.seconds());
    let diary = diary.to_str().expect("a plain path");
    Process::cargo_bin("stub").args(["--port", "{port}", "--diary", diary]).ready(probe)
}

fn fault(sync: SyncFault) -> Fault {
    Fault::DiskStress { workers: NonZeroU32::MIN, sync: Some(sync) }
}

/// Where the diaries are: a disk, and no memory.
fn disk() -> tempfile::TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder beside the build")
}

async fn run(sync: SyncFault) -> Report {
    unless_void(async || attempt(sync, SyncFaults::new()).await).await
}

async fn attempt(sync: SyncFault, injector: impl Injector + 'static) -> Report {
    let disk = disk();
    let dir = disk.path().to_owned();
    let start = move || async move {
        let supervised = |name: &str| stub(&dir.join(name)).supervised_syncs().dir(&dir);
        Environment::builder()
            .process("app", supervised("app"))
            .process("other", supervised("other"))
            .start()
            .await
    };
    let report = Experiment::fault(fault(sync), 3.seconds())
        .unwrap()
        .environment(start)
        .injector(injector)
        .abort_conditions(AbortConditions::default())
        .baseline(2.seconds())
        .watch(4.seconds())
        .run()
        .await
        .expect("well formed");
    println!("{}\n", report.text());
    report
}

/// Median latency of what was good under the fault, and bad samples under it and after it, of the service aimed at.
fn figures(report: &Report) -> (Option<Duration>, u64, u64) {
    let app = report.judgement.streams.iter().find(|stream| stream.name == "app").expect("it was measured");
    (app.chaos_latency.map(|(median, ..)| median), app.chaos.1, app.recovery.1)
}

#[tokio::test]
async fn late_syncs_make_a_service_late_and_the_witness_agrees() {
    let report = run(SyncFault::Delay(60.ms())).await;
    let delivery = report.trace.delivery.as_ref().expect("it was injected");
    assert_eq!(delivery.mechanism, "seccomp-notify");
    assert!(delivery.readings.len() >= 3 && delivery.failed_readings == 0, "{delivery:?}");
    // A look is one sync less another beside it: where this disk keeps that one waiting, the look is short of it. As of the
    // proof, it is one in five at the most.
    let short = delivery.readings.iter().filter(|reading| reading.measured <= 0.05).count();
    assert!(short * 5 <= delivery.readings.len(), "{delivery:?}");
    let proof = proof(Some(delivery), &report.trace.marks);
    assert!(matches!(proof, Proof::Delivered { overdose: false }), "{proof:?} {delivery:?}");
    let (median, bad, after) = figures(&report);
    assert!(median.expect("they were good") >= 60.ms(), "{median:?}");
    assert_eq!((bad, after), (0, 0), "late is not wrong");
    assert!(report.trace.residue.is_empty(), "{:?}", report.trace.residue);
}

#[tokio::test]
async fn failing_syncs_reach_the_service_as_an_error_and_end_with_the_fault() {
    for sync in [SyncFault::Failed, SyncFault::Full] {
        let report = run(sync).await;
        let delivery = report.trace.delivery.as_ref().expect("it was injected");
        assert!(delivery.readings.iter().all(|reading| reading.measured == 1.0), "{delivery:?}");
        let (_, bad, _) = figures(&report);
        assert!(bad > 40, "{sync:?}: every request under the fault fails, and {bad} did");
        assert_eq!(report.judgement.label(), "Fail", "{}", report.text());
        let app = report.judgement.streams.iter().find(|stream| stream.name == "app").unwrap();
        assert!(app.first_success.is_some(), "it writes again");
    }
}

#[tokio::test]
async fn a_service_that_was_not_started_for_it_is_refused_with_the_way_out() {
    let disk = disk();
    let app = Environment::builder().process("app", stub(&disk.path().join("app"))).start().await.unwrap();
    let support = SyncFaults::new().support(&fault(SyncFault::Failed), &app.service("app").unwrap().target());
    let refused = support.choose(FaultKind::DiskStress, &Pin::default()).unwrap_err();
    assert_eq!(
        refused,
        "disk_stress is not possible here: seccomp-notify: nobody asks us about the syncs of app (to have it: start it \
         with `Process::supervised_syncs()`)"
    );
}

/// The real injector, and somebody who does something else to the syncs behind its back.
struct Undermined {
    real: SyncFaults,
    how: How,
    target: Mutex<Option<Arc<dyn SyncControl>>>,
    other: Mutex<Option<Arc<dyn SyncControl>>>,
}

#[derive(Debug, Clone, Copy)]
enum How {
    Nothing,
    Half,
    AnotherService,
    NotForLong,
}

impl Injector for Undermined {
    fn support(&self, fault: &Fault, target: &Target) -> Support {
        self.real.support(fault, target)
    }
    async fn prepare(
        &self,
        fault: &Fault,
        target: &Target,
        mechanism: &str,
    ) -> Result<Prepared, InjectError> {
        *self.target.lock().unwrap() = target.syncs.clone();
        self.real.prepare(fault, target, mechanism).await
    }
    async fn inject(&self, prepared: &Prepared) -> Result<(), InjectError> {
        let target = self.target.lock().unwrap().clone().expect("it was prepared");
        match self.how {
            How::Nothing => {}
            How::Half => target.set(Some(SyncFault::Delay(30.ms()))),
            How::AnotherService => {
                let other = self.other.lock().unwrap().clone().expect("there is another");
                other.set(Some(SyncFault::Delay(60.ms())));
            }
            How::NotForLong => {
                self.real.inject(prepared).await?;
                std::thread::spawn(move || {
                    std::thread::sleep(1.seconds());
                    target.set(None);
                });
            }
        }
        Ok(())
    }
    async fn observe(&self, record: &RevertRecord) -> Result<Presence, ObserveError> {
        self.real.observe(record).await
    }
    async fn revert(&self, record: &RevertRecord) -> Result<(), RevertError> {
        self.real.revert(record).await
    }
}

#[tokio::test]
async fn sabotage_is_never_a_pass() {
    let rounds =
        std::env::var("CHAOS_TEST_SABOTAGE_ROUNDS").map_or(1, |text| text.parse().expect("a number"));
    for _ in 0..rounds {
        let ways = [How::Nothing, How::Half, How::AnotherService, How::NotForLong];
        let runs = ways.map(|how| async move {
            let undermined = async || {
                let disk = disk();
                let another = stub(&disk.path().join("another")).supervised_syncs().dir(disk.path());
                let another = Environment::builder().process("another", another).start().await.unwrap();
                let injector = Undermined {
                    real: SyncFaults::new(),
                    how,
                    target: Mutex::default(),
                    other: Mutex::new(another.services()[0].target().syncs),
                };
                attempt(SyncFault::Delay(60.ms()), injector).await
            };
            (how, unless_void(undermined).await)
        });
        for (how, report) in suite::at_once(runs).await {
            let label = report.judgement.label();
            assert_eq!(label, "Inconclusive(fault not delivered)", "{how:?}: {}", report.text());
        }
    }
}
