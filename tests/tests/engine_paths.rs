//! What happens when an injector, a body or an environment misbehaves: the verdict, what is undone, what is kept.
#![allow(clippy::disallowed_methods, reason = "test code may look at processes")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chaos_test::model::{Fault, Outcome};
use chaos_test::port::{
    Dose, InjectError, Injector, ObserveError, Prepared, Presence, RevertError, RevertRecord, Support, Target,
};
use chaos_test::prelude::*;
use chaos_test::report::Report;
use suite::{Answer, Stub, carried_out, unless_void};

#[path = "engine_paths/bodies.rs"]
mod bodies;
#[path = "engine_paths/forks.rs"]
mod forks;
#[path = "engine_paths/witness.rs"]
mod witness;

/// Where an injector misbehaves, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Misbehaves {
    RefusesSupport,
    FailsToPrepare,
    FailsToInject,
    HangsInInject,
    PanicsInInject,
    PanicsInTheThirdReading,
    PanicsInTheFirstRevert,
    FailsToRevert,
    DoesNotRevert,
    BlocksInRevert,
    HangsInRevert,
    BlocksInInject,
    ReadsSlowly,
    ReadsSlowlyInTheEnd,
    StopsReading,
    Nowhere,
}

/// A fault that is a flag.
#[derive(Clone)]
struct Flag {
    how: Misbehaves,
    present: Arc<Mutex<bool>>,
    calls: Arc<Mutex<Vec<&'static str>>>,
}

impl Flag {
    fn that(how: Misbehaves) -> Self {
        Self { how, present: Arc::default(), calls: Arc::default() }
    }
    fn call(&self, name: &'static str) -> usize {
        let mut calls = self.calls.lock().unwrap();
        calls.push(name);
        calls.iter().filter(|call| **call == name).count()
    }
    fn called(&self, name: &str) -> usize {
        self.calls.lock().unwrap().iter().filter(|call| **call == name).count()
    }
}

impl Injector for Flag {
    fn support(&self, _fault: &Fault, _target: &Target) -> Support {
        if self.how == Misbehaves::RefusesSupport {
            Support::no("flag", "the moon is not full", "")
        } else {
            Support::yes("flag")
        }
    }
    async fn prepare(
        &self,
        _fault: &Fault,
        target: &Target,
        _mechanism: &str,
    ) -> Result<Prepared, InjectError> {
        if self.how == Misbehaves::FailsToPrepare {
            return Err(InjectError("no flag to be had".into()));
        }
        let id = format!("flag-{:?}-{}", self.how, std::process::id());
        let record = RevertRecord::new(id, "flag", &target.service);
        Ok(Prepared::new(record, "flag", format!("a flag on {}", target.service)))
    }
    async fn inject(&self, _prepared: &Prepared) -> Result<(), InjectError> {
        self.call("inject");
        // What goes wrong goes wrong half-way: something is in place already.
        *self.present.lock().unwrap() = true;
        match self.how {
            Misbehaves::FailsToInject => Err(InjectError("the rope is torn".into())),
            Misbehaves::PanicsInInject => panic!("the pole is broken"),
            Misbehaves::HangsInInject => std::future::pending().await,
            Misbehaves::BlocksInInject => block(),
            _ => Ok(()),
        }
    }
    async fn observe(&self, _record: &RevertRecord) -> Result<Presence, ObserveError> {
        let nth = self.call("observe");
        assert!(!(self.how == Misbehaves::PanicsInTheThirdReading && nth == 3), "the telescope fell");
        if self.how == Misbehaves::ReadsSlowly {
            std::thread::sleep(Duration::from_millis(400));
        }
        let is_there = *self.present.lock().unwrap();
        if self.how == Misbehaves::ReadsSlowlyInTheEnd && nth >= 7 && is_there {
            tokio::time::sleep(Duration::from_millis(1500)).await;
        }
        if self.how == Misbehaves::StopsReading && nth > 4 && is_there {
            std::future::pending::<()>().await;
        }
        let measured = f64::from(u8::from(is_there));
        Ok(Presence::of(Dose::new(1.0, measured)))
    }
    async fn revert(&self, _record: &RevertRecord) -> Result<(), RevertError> {
        let nth = self.call("revert");
        match self.how {
            Misbehaves::PanicsInTheFirstRevert if nth == 1 => panic!("the knife slipped"),
            Misbehaves::FailsToRevert => return Err(RevertError("the knot is too tight".into())),
            Misbehaves::DoesNotRevert => {}
            Misbehaves::BlocksInRevert => block(),
            Misbehaves::HangsInRevert => std::future::pending().await,
            _ => *self.present.lock().unwrap() = false,
        }
        Ok(())
    }
}

/// Takes the thread and never gives it back.
fn block() -> ! {
    loop {
        std::thread::park();
    }
}

async fn run(flag: &Flag) -> Report {
    let report = carried_out(async || {
        let stub = Stub::start(0).await.expect("a free port");
        let experiment = Experiment::scenario("Light Network Delay").expect("a known scenario");
        let experiment = experiment.against(stub.url()).injector(flag.clone()).baseline(1.seconds());
        let experiment = experiment.duration(4.seconds()).name(format!("{:?}", flag.how));
        experiment.run().await.expect("an experiment that has begun has a report")
    })
    .await;
    println!("{:?}: {}\n", flag.how, report.headline());
    assert!(!report.passed());
    report
}

#[tokio::test]
async fn an_injector_that_cannot_leaves_nothing() {
    for (how, says) in [
        (Misbehaves::RefusesSupport, "the moon is not full"),
        (Misbehaves::FailsToPrepare, "no flag to be had"),
    ] {
        let flag = Flag::that(how);
        let report = run(&flag).await;
        assert_eq!(report.judgement.label(), "Error(injection)");
        assert!(report.headline().contains(says), "{}", report.headline());
        assert_eq!((flag.called("inject"), flag.called("revert")), (0, 0));
    }
}

#[tokio::test]
async fn an_injection_that_goes_wrong_half_way_is_undone() {
    let one = |how, says: &'static str| async move {
        let flag = Flag::that(how);
        let report = run(&flag).await;
        assert_eq!(report.judgement.label(), "Error(injection)", "{how:?}");
        assert!(report.headline().contains(says), "{how:?}: {}", report.headline());
        let times = if how == Misbehaves::PanicsInTheFirstRevert { 2 } else { 1 };
        assert_eq!(flag.called("revert"), times, "{how:?}");
        assert!(!*flag.present.lock().unwrap(), "{how:?}: it is still there");
        assert!(report.trace.marks.removed.is_some(), "{how:?}: and nobody saw it go");
        let marks = &report.trace.marks;
        assert_eq!(
            marks.chaos_ended.is_some(),
            marks.injected.is_some(),
            "{how:?}: recovery has no beginning"
        );
        assert!(!report.trace.streams[0].samples.is_empty(), "{how:?}: what was measured is kept");
    };
    tokio::join!(
        one(Misbehaves::FailsToInject, "the rope is torn"),
        one(Misbehaves::HangsInInject, "not done after 20 s"),
        one(Misbehaves::PanicsInInject, "the pole is broken"),
        one(Misbehaves::PanicsInTheThirdReading, "the telescope fell"),
        one(Misbehaves::PanicsInTheFirstRevert, "the knife slipped"),
    );
}

#[tokio::test]
async fn a_fault_that_stays_is_an_error_and_stays_in_the_ledger() {
    let one = |how, says: &'static str| async move {
        let flag = Flag::that(how);
        let report = run(&flag).await;
        assert_eq!(report.judgement.label(), "Error(cleanup)", "{how:?}");
        assert!(report.headline().contains(says), "{how:?}: {}", report.headline());
        assert!(report.trace.marks.removed.is_none());
        // What was measured until then is worth what it was: nothing else was wrong.
        let objectives = &report.judgement.evaluations;
        assert!(objectives.iter().all(|e| e.verdict != Verdict::Fail), "{how:?}: {}", report.text());
        assert!(report.judgement.apart_from_cleanup.is_some(), "{how:?}");
        assert!(report.headline().contains("; apart from that: "), "{how:?}: {}", report.headline());
        let ledger = suite::ledger_beside(report.path.as_ref().expect("it was written"));
        let ledger = std::fs::read_to_string(ledger).expect("there is a ledger");
        let id = format!("\"flag-{how:?}-{}\"", std::process::id());
        let has = |entry: &str| ledger.lines().any(|line| line.contains(entry) && line.contains(&id));
        assert!(has("\"owed\"") && !has("\"settled\""), "{how:?}: {ledger}");
    };
    tokio::join!(
        one(Misbehaves::FailsToRevert, "the knot is too tight"),
        one(Misbehaves::DoesNotRevert, "could not be undone"),
        one(Misbehaves::BlocksInRevert, "could not be undone: not done after 20 s"),
        one(Misbehaves::HangsInRevert, "could not be undone: not done after 20 s"),
        one(Misbehaves::BlocksInInject, "its thread goes on"),
    );
}

#[tokio::test]
async fn an_environment_that_panics_is_an_error_with_a_record() {
    let report = Experiment::scenario("Light Network Delay")
        .unwrap()
        .environment(|| async {
            let environment = Environment::builder().url("app", "http://127.0.0.1:9").start().await?;
            environment.address("ap");
            Ok::<_, Error>(environment)
        })
        .run()
        .await
        .expect("it has a record");
    assert_eq!(report.judgement.label(), "Error(setup)");
    assert!(report.headline().contains("no service named \"ap\""), "{}", report.headline());
}

/// A user's own probe may block its thread. Everything else goes on: the samples time out, the fault goes in time.
#[tokio::test]
async fn a_probe_that_blocks_its_thread_delays_nothing_else() {
    let stub = Stub::start(0).await.expect("a free port");
    let url = stub.url();
    let flag = Flag::that(Misbehaves::Nowhere);
    let present = Arc::clone(&flag.present);
    let report = Experiment::scenario("Light Network Delay")
        .unwrap()
        .environment(move || {
            let present = Arc::clone(&present);
            let look = move |_| {
                if *present.lock().unwrap() {
                    std::thread::sleep(Duration::from_secs(60));
                }
                async { Ok(()) }
            };
            let probe = Probe::custom(look).every(50.ms()).timeout(200.ms());
            Environment::builder().url("target", url).probe("target", probe).start()
        })
        .injector(flag)
        .baseline(2.seconds())
        .duration(3.seconds())
        .watch(1.seconds())
        .run()
        .await
        .expect("well formed");
    println!("{}", report.text());
    let (marks, samples) = (&report.trace.marks, &report.trace.streams[0].samples);
    let (injected, removed) = (marks.injected.expect("it was in"), marks.removed.expect("it went"));
    assert!(removed - injected < 30.seconds(), "not only when a look was over");
    let under_fault: Vec<_> =
        samples.iter().filter(|s| s.at > injected + 100.ms() && s.at < removed - 100.ms()).collect();
    assert!(under_fault.len() > 20 && under_fault.iter().all(|s| s.outcome == Outcome::Timeout));
    let last = samples.last().expect("there are some");
    assert!(report.path.is_some() && last.is_good(), "and one that does not block is answered: {last:?}");
}

#[tokio::test]
async fn requests_a_body_gives_up_on_are_counted() {
    let report = unless_void(async || {
        let stub = Stub::start(0).await.expect("a free port");
        let slow = stub.clone();
        Experiment::scenario("Light Network Delay")
            .unwrap()
            .against(stub.url())
            .baseline(1.seconds())
            .duration(4.seconds())
            .body(move |chaos| {
                slow.tell(Answer::Slow(Duration::from_millis(300)));
                let stub = slow.clone();
                async move {
                    for _ in 0..10 {
                        let answer = chaos.client("target").get("/").send();
                        assert!(tokio::time::timeout(50.ms(), answer).await.is_err(), "it takes 300 ms");
                    }
                    assert_eq!(chaos.request_log().len(), 10);
                    stub.tell(Answer::Well);
                }
            })
            .run()
            .await
            .expect("well formed")
    })
    .await;
    let requests =
        report.trace.streams.iter().find(|stream| stream.name == "requests").expect("there were some");
    assert_eq!(requests.samples.iter().filter(|sample| !sample.is_good()).count(), 10);
    // Ten of ten bad is a broken objective, whatever the probes saw.
    assert_eq!(report.verdict(), Verdict::Fail, "{}", report.text());
}
