//! Sabotage: the fault is taken away behind the injector's back. The verdict must say so, and never Pass.

use std::sync::Arc;

use chaos_test::inject::{CpuExhaust, NetworkDelay};
use chaos_test::model::Fault;
use chaos_test::port::{
    InjectError, Injector, NetworkPath, ObserveError, PathShape, Prepared, Presence, RevertError,
    RevertRecord, Support, Target,
};
use chaos_test::prelude::*;
use chaos_test::report::Report;
use suite::unless_void;

async fn stub() -> Result<Environment, Error> {
    Environment::builder()
        .process("app", Process::cargo_bin("stub").args(["--port", "{port}"]).ready(Probe::http("/")))
        .start()
        .await
}

fn assert_not_delivered(report: &Report) {
    println!("{}\n", report.text());
    assert_eq!(report.judgement.label(), "Inconclusive(fault not delivered)", "{}", report.text());
    assert!(!report.passed());
    assert!(
        report.headline().starts_with("Inconclusive(fault not delivered) under"),
        "{}",
        report.headline()
    );
}

#[tokio::test]
async fn workers_that_sleep_are_no_cpu_stress() {
    let report = unless_void(async || {
        Experiment::scenario("Light CPU Stress")
            .expect("a known scenario")
            .environment(stub)
            .injector(CpuExhaust::with_idle_workers())
            .duration(4.seconds())
            .run()
            .await
            .expect("well formed")
    })
    .await;
    assert_not_delivered(&report);
}

/// The real injector of delays, with somebody who turns the delay off behind its back.
struct Undermined {
    real: NetworkDelay,
    after: std::time::Duration,
    path: std::sync::Mutex<Option<Arc<dyn NetworkPath>>>,
}

impl Undermined {
    fn after(after: std::time::Duration) -> Self {
        Self { real: NetworkDelay::new(), after, path: std::sync::Mutex::default() }
    }
}

impl Injector for Undermined {
    fn support(&self, fault: &Fault, target: &Target) -> Support {
        Injector::support(&self.real, fault, target)
    }
    async fn prepare(
        &self,
        fault: &Fault,
        target: &Target,
        mechanism: &str,
    ) -> Result<Prepared, InjectError> {
        *self.path.lock().unwrap() = target.path.clone();
        Injector::prepare(&self.real, fault, target, mechanism).await
    }
    async fn inject(&self, prepared: &Prepared) -> Result<(), InjectError> {
        Injector::inject(&self.real, prepared).await?;
        let (path, after) = (self.path.lock().unwrap().clone(), self.after);
        let undermine = async move {
            tokio::time::sleep(after).await;
            path.expect("it was prepared").shape(PathShape::default());
        };
        if after.is_zero() {
            undermine.await
        } else {
            drop(tokio::spawn(undermine))
        }
        Ok(())
    }
    async fn observe(&self, record: &RevertRecord) -> Result<Presence, ObserveError> {
        Injector::observe(&self.real, record).await
    }
    async fn revert(&self, record: &RevertRecord) -> Result<(), RevertError> {
        Injector::revert(&self.real, record).await
    }
}

async fn undermined_after(after: std::time::Duration) -> Report {
    unless_void(async || {
        Experiment::scenario("Medium Network Delay")
            .expect("a known scenario")
            .environment(stub)
            .injector(Undermined::after(after))
            .duration(5.seconds())
            .run()
            .await
            .expect("well formed")
    })
    .await
}

#[tokio::test]
async fn a_delay_that_is_zero_from_the_start_is_no_delay() {
    let report = undermined_after(std::time::Duration::ZERO).await;
    assert_not_delivered(&report);
    assert!(report.trace.marks.injected.is_none(), "the chaos phase never began");
}

#[tokio::test]
async fn a_delay_that_goes_away_in_the_middle_is_no_delay() {
    let report = undermined_after(1500.ms()).await;
    assert_not_delivered(&report);
    assert!(report.trace.marks.injected.is_some(), "it was there at first");
}

/// An injector whose witness never reads anything.
struct Blind(NetworkDelay);

impl Injector for Blind {
    fn support(&self, fault: &Fault, target: &Target) -> Support {
        Injector::support(&self.0, fault, target)
    }
    async fn prepare(
        &self,
        fault: &Fault,
        target: &Target,
        mechanism: &str,
    ) -> Result<Prepared, InjectError> {
        Injector::prepare(&self.0, fault, target, mechanism).await
    }
    async fn inject(&self, prepared: &Prepared) -> Result<(), InjectError> {
        Injector::inject(&self.0, prepared).await
    }
    async fn observe(&self, _record: &RevertRecord) -> Result<Presence, ObserveError> {
        Err(ObserveError("the witness is blind".into()))
    }
    async fn revert(&self, record: &RevertRecord) -> Result<(), RevertError> {
        Injector::revert(&self.0, record).await
    }
}

#[tokio::test]
async fn a_witness_that_cannot_see_never_gives_a_pass() {
    let report = unless_void(async || {
        Experiment::scenario("Medium Network Delay")
            .expect("a known scenario")
            .environment(stub)
            .injector(Blind(NetworkDelay::new()))
            .duration(4.seconds())
            .run()
            .await
            .expect("well formed")
    })
    .await;
    println!("{}", report.text());
    // Nobody can say either that the fault is gone, and that is the graver matter.
    assert_eq!(report.judgement.label(), "Error(cleanup)", "{}", report.text());
    assert!(!report.passed());
}
