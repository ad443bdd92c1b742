//! A dry run: environment and baseline are real, the plan is told, and nothing is injected.
#![allow(clippy::disallowed_methods, reason = "test code may touch files")]

use std::sync::{Arc, Mutex};

use chaos_test::model::Fault;
use chaos_test::port::{
    InjectError, Injector, ObserveError, Prepared, Presence, RevertError, RevertRecord, Support, Target,
};
use chaos_test::prelude::*;
use chaos_test::report::{PlannedInjection, Report, render};
use insta::assert_snapshot;
use suite::{Answer, Stub, carried_out, unless_late, unless_void};

async fn stub() -> Result<Environment, Error> {
    Environment::builder()
        .process("app", Process::cargo_bin("stub").args(["--port", "{port}"]).ready(Probe::http("/")))
        .start()
        .await
}

fn short(scenario: &str) -> Experiment {
    Experiment::scenario(scenario).expect("a known scenario").baseline(600.ms())
}

async fn dry(experiment: impl Fn() -> Experiment) -> Report {
    unless_void(async || experiment().dry_run(true).run().await.expect("well formed")).await
}

/// The plan in a report, without what is another on every host and in every run.
fn plan(report: &Report) -> String {
    let mut text = render::plan(report.plan.as_ref().expect("a plan"));
    for service in &report.services {
        text = text.replace(&service.address, "ADDRESS");
    }
    if let Some(PlannedInjection::Possible { if_this_process_dies: undo, .. }) =
        report.plan.as_ref().map(|plan| &plan.injection)
    {
        for step in undo {
            let mark = step.rsplit(' ').next().expect("a mark");
            text = text.replace(mark, "MARK");
        }
    }
    let mut words: Vec<String> = text.split(' ').map(str::to_owned).collect();
    for n in 1..words.len() {
        let end = words[n].trim_start_matches(|c: char| c.is_ascii_digit()).to_owned();
        if words[n - 1] == "(pid" {
            words[n] = format!("N{end}");
        }
        if words[n - 1] == "on" && end.is_empty() {
            words[n] = "N".into();
        }
    }
    words.join(" ")
}

/// An injector that counts what it is asked.
#[derive(Clone, Default)]
struct Counting(Arc<Mutex<Vec<&'static str>>>);

impl Counting {
    fn note(&self, call: &'static str) {
        self.0.lock().unwrap().push(call);
    }
    fn calls(&self) -> Vec<&'static str> {
        self.0.lock().unwrap().clone()
    }
}

impl Injector for Counting {
    fn support(&self, _fault: &Fault, _target: &Target) -> Support {
        self.note("support");
        Support::yes("count")
    }
    async fn prepare(
        &self,
        _fault: &Fault,
        target: &Target,
        _mechanism: &str,
    ) -> Result<Prepared, InjectError> {
        self.note("prepare");
        Ok(Prepared::new(RevertRecord::new("counting", "count", &target.service), "count", "nothing at all"))
    }
    async fn inject(&self, _prepared: &Prepared) -> Result<(), InjectError> {
        self.note("inject");
        Ok(())
    }
    async fn observe(&self, _record: &RevertRecord) -> Result<Presence, ObserveError> {
        self.note("observe");
        Err(ObserveError("nothing to see".into()))
    }
    async fn revert(&self, _record: &RevertRecord) -> Result<(), RevertError> {
        self.note("revert");
        Ok(())
    }
}

#[tokio::test]
async fn nothing_is_injected_and_a_story_is_not_told() {
    let (counting, told) = (Counting::default(), Arc::new(Mutex::new(0)));
    let report = dry(|| {
        let told_by = Arc::clone(&told);
        counting.0.lock().unwrap().clear();
        short("Light CPU Stress").environment(stub).injector(counting.clone()).body(move |_| {
            *told_by.lock().unwrap() += 1;
            async {}
        })
    })
    .await;
    assert_eq!(report.judgement.label(), "Skipped(dry run)", "{}", report.text());
    report.expect_pass();
    assert_eq!(counting.calls(), ["support", "prepare"]);
    assert_eq!(*told.lock().unwrap(), 0, "the body ran");
    assert!(report.trace.marks.injected.is_none() && report.trace.delivery.is_none());
    let baseline = &report.trace.streams[0].samples;
    assert!(baseline.len() >= 20, "the baseline is real: {}", baseline.len());
    assert!(report.plan.as_ref().is_some_and(|plan| plan.dry_run && plan.body_once));
}

#[tokio::test]
async fn a_transaction_runs_in_the_baseline() {
    let ran = Arc::new(Mutex::new(0));
    let report = dry(|| {
        *ran.lock().unwrap() = 0;
        let counted = Arc::clone(&ran);
        short("Light Network Delay").environment(stub).repeat(50.per_second(), move || {
            *counted.lock().unwrap() += 1;
            async {}
        })
    })
    .await;
    assert_eq!(report.judgement.label(), "Skipped(dry run)", "{}", report.text());
    assert!(*ran.lock().unwrap() >= 20);
}

#[tokio::test]
async fn a_baseline_that_is_not_well_is_told() {
    let service = Stub::start(0).await.unwrap();
    service.tell(Answer::Down);
    let counting = Counting::default();
    let report = unless_late(async || {
        let experiment = short("Light Network Delay").against(service.url()).injector(counting.clone());
        experiment.dry_run(true).run().await.expect("well formed")
    })
    .await;
    assert_eq!(report.judgement.label(), "Inconclusive(baseline unhealthy)", "{}", report.text());
    assert!(!report.passed());
    assert_eq!(counting.calls(), [""; 0]);
    let plan = report.plan.expect("a plan");
    assert_eq!(plan.injection, PlannedInjection::NotAsked);
}

#[tokio::test]
async fn a_dry_run_owes_nothing() {
    let report = dry(|| short("Light CPU Stress").environment(stub)).await;
    let folder = std::path::Path::new(report.path.as_ref().unwrap()).parent().unwrap().to_owned();
    let folder = if folder.is_absolute() { folder } else { std::path::Path::new("..").join(folder) };
    let ledger = suite::own_ledger(&folder);
    let mark = match report.plan.map(|plan| plan.injection) {
        Some(PlannedInjection::Possible { if_this_process_dies: undo, .. }) => undo.concat(),
        other => panic!("{other:?}"),
    };
    let mark = mark.rsplit(' ').next().unwrap();
    // Other tests of this process may owe something.
    assert!(!std::fs::read_to_string(ledger).unwrap_or_default().contains(mark));
}

#[tokio::test]
async fn the_plan_of_processor_stress() {
    let report = dry(|| short("Medium CPU Stress").environment(stub).slo("staging").body(|_| async {})).await;
    assert_snapshot!(plan(&report), @r#"
    Dry run of "Medium CPU Stress" on app, SLO "staging": from step 3 on told, and not carried out

      1 environment  app: process behind ADDRESS, started by this run and ended with it
      2 baseline     600 ms of normal; unless it is healthy nothing is injected
                     a probe of app every 20 ms, each for 1 s at most; through all phases
      3 inject       cpu_exhaust 4 workers beside app on N processors; mechanism `workers`
                     not by cgroup-workers: app is in the same CPU cgroup as the test: nothing to gain
                     does     start 4 worker processes that never sleep
                     touches  processor time of this host
                     undo     the workers are ended; they end with this process, and the reaper ends them by their mark
                     the way back is written down first; then the witness must see the fault
      4 chaos        45 s under the fault
                     the test body starts, and runs once
                     abort conditions: more than 50 % bad samples, 10 bad samples in a row, an answer after more than 5 s
      5 revert       after 45 s, and on every other way out of the run
                     by this process; the witness must see the fault gone, or the verdict is Error(cleanup)
                     if this process dies: the reaper pays what the ledger owes: end the processes marked MARK
      6 recovery     watched until service is stable, 49 s at most
                     judged: error rate ≤ 5 %, availability ≥ 95 %, worst time to recover ≤ 45 s, recovery time ≤ 10 s, p95 degradation ≤ 500 ms
      may touch      app: its process and what that starts, the way to it, and processor time of this host
    "#);
}

#[tokio::test]
async fn the_plan_of_a_delay() {
    let service = Stub::start(0).await.unwrap();
    let report = dry(|| short("Light Network Delay").against(service.url())).await;
    assert_snapshot!(plan(&report), @r#"
    Dry run of "Light Network Delay" on target, SLO "default": from step 3 on told, and not carried out

      1 environment  target: url behind ADDRESS, already running, and left running
      2 baseline     600 ms of normal; unless it is healthy nothing is injected
                     a probe of target every 20 ms, each for 1 s at most; through all phases
      3 inject       network_delay 50 ms on target by proxy (stream); mechanism `proxy`
                     not by netem: target was not started by this run, so its packets may not be touched (to have it: start it as a process of the environment, with `Process::own_network()`)
                     not by nfqueue: target was not started by this run, so its packets may not be touched (to have it: start it as a process of the environment, with `Process::own_network()`)
                     does     network_delay 50 ms, in the proxy that is the front door of target
                     touches  traffic to target through its front door, open connections included
                     undo     the proxy passes everything on at once again; it ends with this process
                     the way back is written down first; then the witness must see the fault
      4 chaos        30 s under the fault at most: less where the evidence suffices before
                     abort conditions: more than 50 % bad samples, 10 bad samples in a row, an answer after more than 5 s
      5 revert       after 30 s at most, and on every other way out of the run
                     by this process; the witness must see the fault gone, or the verdict is Error(cleanup)
                     if this process dies: as told above; nothing more is owed
      6 recovery     watched until service is stable, 34 s at most
                     judged: error rate ≤ 5 %, availability ≥ 95 %, worst time to recover ≤ 30 s, recovery time ≤ 10 s, p95 degradation ≤ 500 ms
      may touch      target: the way to it through its front door, not the service itself
    "#);
}

#[tokio::test]
async fn the_plan_of_a_crash() {
    let experiment = || short("Application Container Restart").target("app").environment(stub);
    let report = dry(|| experiment().repeat(50.per_second(), || async {})).await;
    assert_snapshot!(plan(&report), @r#"
    Dry run of "Application Container Restart" on app, SLO "default": from step 3 on told, and not carried out

      1 environment  app: process behind ADDRESS, started by this run and ended with it
      2 baseline     600 ms of normal; unless it is healthy nothing is injected
                     the test body as a transaction every 20 ms, each for 5 s at most; through all phases
      3 inject       container_crash, down for 2 s: SIGKILL to app (pid N) and its group; mechanism `sigkill`
                     does     SIGKILL to app (pid N), its group and all that carries its mark
                     touches  app, started by this run
                     undo     the same command is started again on the same port; without this process the reaper ends it
                     the way back is written down first; then the witness must see the fault
      4 chaos        60 s, of which the fault is held for 2 s
                     abort conditions: more than 50 % bad samples, 10 bad samples in a row, an answer after more than 5 s
      5 revert       after 2 s, and on every other way out of the run
                     by this process; the witness must see the fault gone, or the verdict is Error(cleanup)
                     if this process dies: as told above; nothing more is owed
      6 recovery     watched until service is stable, 34 s at most
                     judged: error rate ≤ 5 %, availability ≥ 95 %, worst time to recover ≤ 30 s, recovery time ≤ 10 s, p95 degradation ≤ 500 ms
      may touch      app: its process and what that starts, the way to it, and processor time of this host
    "#);
}

/// What could not be run is no skip: the run itself would be an error, and the plan says why.
#[tokio::test]
async fn the_plan_of_what_is_not_possible_here() {
    let service = Stub::start(0).await.unwrap();
    let report = dry(|| short("Light CPU Stress").against(service.url())).await;
    assert_eq!(report.judgement.label(), "Error(injection)", "{}", report.text());
    assert_snapshot!(plan(&report), @r#"
    Dry run of "Light CPU Stress" on target, SLO "default": it would not run

      1 environment  target: url behind ADDRESS, already running, and left running
      2 baseline     600 ms of normal; unless it is healthy nothing is injected
                     a probe of target every 20 ms, each for 1 s at most; through all phases
      3 inject       cpu_exhaust 2 workers would not run: cpu_exhaust is not possible here: cgroup-workers: target was not started by this run, so its cgroup is not known; workers: target is not a process of this run, and may not be on this host (to have it: start it as a process of the environment; or, if it is on this host, agree to stress all of it: `.stress_host(true)`, `--stress-host`)
                     so there are no further steps
      may touch      target: the way to it through its front door, not the service itself
    "#);
}

/// Asked so seldom that a busy host can keep up: the test below cannot be made again.
async fn seldom() -> Result<Environment, Error> {
    let app = Process::cargo_bin("stub").args(["--port", "{port}"]);
    Environment::builder().process("app", app.ready(Probe::http("/").every(100.ms()))).start().await
}

#[chaos_test(scenario = "Application Container Restart", environment = seldom, baseline = "3s", dry_run)]
async fn by_the_attribute() {
    unreachable!("a story is not told in a dry run");
}

/// The record of an ordinary run holds its plan too.
#[tokio::test]
async fn every_record_has_its_plan() {
    let report = carried_out(async || {
        let experiment = short("Light Network Delay").environment(stub);
        experiment.duration(500.ms()).watch(100.ms()).run().await.expect("well formed")
    })
    .await;
    let plan = report.plan.expect("a plan");
    assert!(!plan.dry_run);
    assert!(matches!(plan.injection, PlannedInjection::Possible { .. }), "{:?}", plan.injection);
}
