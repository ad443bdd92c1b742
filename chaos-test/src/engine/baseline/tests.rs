use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::*;
use crate::engine::{Guard, Limits, Plan, Ports, Recorder, run};
use crate::model::{
    AbortCause, AbortConditions, Catalogue, DoseUnit, Fault, Outcome, Pin, StreamKind, Trace,
};
use crate::port::{
    Begins, BoxFuture, Clock, Dose, InjectError, Injector, Keeper, Ledger, LedgerError, ObserveError,
    Prepared, Presence, Probe, ProbeSpec, Progress, ProgressUpdate, RevertError, RevertRecord, Support,
    Target, TargetKind,
};

mod virtual_clock;

use virtual_clock::{PATIENCE, Virtual};

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// What a machinery does wrong when it is to be put in place at rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Does {
    Well,
    NotRest,
    NotPrepare,
    NotInject,
    PanicInInject,
    NotRevert,
    StoppedInRevert,
    AsksForNothing,
}

/// What was done, in order: by the injector and the ledger.
#[derive(Clone)]
struct Machinery {
    does: Does,
    done: Arc<Mutex<Vec<String>>>,
    present: Arc<AtomicBool>,
    /// Stops the run from within the first revert of what is at rest.
    stop: Arc<Mutex<Option<watch::Sender<Option<AbortCause>>>>>,
}

impl Machinery {
    fn that_does(does: Does) -> Self {
        Self { does, done: Arc::default(), present: Arc::default(), stop: Arc::default() }
    }

    fn did(&self, what: &str, record: &str) {
        self.done.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{what} {record}"));
    }

    fn done(&self) -> Vec<String> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn prepared(id: &str) -> Prepared {
        Prepared {
            record: RevertRecord {
                id: id.into(),
                injector: "test".into(),
                service: "app".into(),
                payload: serde_json::Value::Null,
                undo: Vec::new(),
            },
            mechanism: "machinery".into(),
            detail: format!("a machinery, {id}"),
            unit: DoseUnit::Down,
            asked: 1.0,
            steps: Vec::new(),
        }
    }
}

impl Injector for Machinery {
    fn support(&self, _: &Fault, _: &Target) -> Support {
        Support::yes("machinery")
    }
    async fn prepare(&self, _: &Fault, _: &Target, _: &str) -> Result<Prepared, InjectError> {
        let asked = if self.does == Does::AsksForNothing { 0.0 } else { 1.0 };
        Ok(Prepared { asked, ..Self::prepared("real") })
    }
    async fn prepare_at_rest(
        &self,
        _: &Fault,
        _: &Target,
        mechanism: &str,
    ) -> Option<Result<Prepared, InjectError>> {
        assert_eq!(mechanism, "machinery");
        match self.does {
            Does::NotRest => None,
            Does::NotPrepare => Some(Err(InjectError("no room for it".into()))),
            _ => Some(Ok(Self::prepared("rest"))),
        }
    }
    async fn inject(&self, prepared: &Prepared) -> Result<(), InjectError> {
        let id = &prepared.record.id;
        self.did("inject", id);
        match (self.does, id.as_str()) {
            (Does::NotInject, "rest") => return Err(InjectError("it does not start".into())),
            (Does::PanicInInject, "rest") => panic!("a wheel came off"),
            (_, "real") => self.present.store(true, Ordering::Release),
            _ => {}
        }
        Ok(())
    }
    async fn observe(&self, record: &RevertRecord) -> Result<Presence, ObserveError> {
        assert_eq!(record.id, "real", "there is nothing to see of what is at rest");
        let measured = f64::from(u8::from(self.present.load(Ordering::Acquire)));
        Ok(Presence::of(Dose { asked: 1.0, measured }))
    }
    async fn revert(&self, record: &RevertRecord) -> Result<(), RevertError> {
        self.did("revert", &record.id);
        let stop = self.stop.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(stop) = stop {
            let _ = stop.send(Some(AbortCause::RunnerGone));
            std::future::pending::<()>().await;
        }
        if self.does == Does::NotRevert && record.id == "rest" {
            return Err(RevertError("it does not stop".into()));
        }
        self.present.store(false, Ordering::Release);
        Ok(())
    }
}

impl Ledger for Machinery {
    fn owe(&self, record: &RevertRecord) -> Result<(), LedgerError> {
        self.did("owe", &record.id);
        Ok(())
    }
    fn settle(&self, record: &RevertRecord) -> Result<(), LedgerError> {
        self.did("settle", &record.id);
        Ok(())
    }
}

struct Nothing;

impl Keeper for Nothing {
    fn keep(&self, _: Trace) {}
}

impl Progress for Nothing {
    fn update(&self, _: &ProgressUpdate) {}
}

/// Whether the service is well.
struct Always(bool);

impl Probe for Always {
    fn check(&self, begins: Begins) -> BoxFuture<'static, Outcome> {
        begins();
        let outcome = if self.0 { Outcome::Good } else { Outcome::BadBody };
        Box::pin(std::future::ready(outcome))
    }
}

struct Story {
    baseline: Duration,
    dry_run: bool,
    well: bool,
    /// When it is cancelled, if it is.
    cancelled: Option<Duration>,
}

const USUAL: Story = Story { baseline: Duration::from_secs(4), dry_run: false, well: true, cancelled: None };

/// What is observed of a run of a second, and what was done.
fn observed(does: Does, story: &Story) -> (Trace, Vec<String>) {
    let machinery = Machinery::that_does(does);
    let clock = Virtual::default();
    let (cancel, cancelled) = watch::channel(None);
    let ports = Ports {
        clock: Arc::new(clock.clone()),
        injector: Arc::new(machinery.clone()),
        ledger: Arc::new(machinery.clone()),
        keeper: Arc::new(Nothing),
        probes: vec![ProbeSpec {
            name: "app".into(),
            kind: StreamKind::Probe,
            elsewhere: false,
            probe: Arc::new(Always(story.well)),
            interval: ms(20),
            timeout: ms(1_000),
        }],
        body: None,
        progress: Arc::new(Nothing),
        mishaps: Box::new(Vec::new),
    };
    let trace = clock.run(async {
        if does == Does::StoppedInRevert {
            *machinery.stop.lock().unwrap_or_else(PoisonError::into_inner) = Some(cancel);
        } else if let Some(at) = story.cancelled {
            let sleep = clock.sleep_until(at);
            tokio::spawn(async move {
                sleep.await;
                let _ = cancel.send(Some(AbortCause::RunnerGone));
                cancel.closed().await;
            });
        }
        run(plan(story), ports, Arc::new(Recorder::new()), cancelled).await
    });
    (trace, machinery.done())
}

fn plan(story: &Story) -> Plan {
    let catalogue = Catalogue::builtin();
    let target = Target {
        service: "app".into(),
        kind: TargetKind::Url,
        address: None,
        path: None,
        past_the_door: Vec::new(),
        packets: None,
        process: None,
        container: None,
        syncs: None,
        disk: None,
        shares_host: false,
        ready: None,
    };
    Plan {
        fault: catalogue.scenario("Light Network Delay").expect("it is built in").fault.clone(),
        pin: Pin::default(),
        target,
        objectives: catalogue.profile(Some("staging")).expect("it is built in").objectives,
        baseline: story.baseline,
        chaos: ms(1_000),
        watch: ms(500),
        grace: Duration::ZERO,
        guard: Guard { conditions: AbortConditions::default(), own: false, interval: ms(1_000) },
        limits: Limits { inject: PATIENCE, observe: PATIENCE, revert: PATIENCE, confirm: ms(5_000) },
        run_ends: None,
        dry_run: story.dry_run,
        sequential: None,
    }
}

const REAL: [&str; 4] = ["owe real", "inject real", "revert real", "settle real"];

fn why_none(trace: &Trace) -> &str {
    match &trace.sham {
        Some(Sham::None(why)) => why,
        other => panic!("it had a sham: {other:?}"),
    }
}

#[test]
fn the_second_half_of_the_baseline_has_the_machinery_in_it() {
    let (trace, done) = observed(Does::Well, &USUAL);
    let rest = ["owe rest", "inject rest", "revert rest", "settle rest"];
    assert_eq!(done, [rest, REAL].concat());
    let (began, from, to) = trace.sham.as_ref().and_then(Sham::spans).expect("it had one");
    assert_eq!((began, from, to), (ms(2_000), ms(2_000), ms(3_800)), "nothing takes any time here");
    let detail = format!("machinery for {}, at rest", plan(&USUAL).fault);
    assert!(
        matches!(&trace.sham, Some(Sham::InPlace { detail: told, .. }) if *told == detail),
        "{:?}",
        trace.sham
    );
    let marks = trace.marks;
    assert!(marks.inject_started.is_some_and(|at| at >= ms(4_000)), "{marks:?}");
    assert_eq!(trace.trouble, None);
    assert_eq!(trace.delivery.expect("the real one").detail, "a machinery, real");
    let in_sham = trace.streams[0].samples.iter().filter(|sample| sample.at >= from && sample.at < to);
    assert!(in_sham.count() > 40);
}

#[test]
fn a_fault_without_machinery_has_no_sham() {
    let (trace, done) = observed(Does::NotRest, &USUAL);
    assert_eq!(done, REAL);
    assert!(why_none(&trace).contains("no machinery"));
}

#[test]
fn where_there_is_no_time_for_it_or_nothing_may_be_put_in_place_there_is_none() {
    let (trace, done) = observed(Does::Well, &Story { baseline: ms(1_000), ..USUAL });
    assert_eq!(
        (why_none(&trace), done),
        ("the baseline is too short for it", REAL.map(String::from).to_vec())
    );
    let (trace, done) = observed(Does::Well, &Story { dry_run: true, ..USUAL });
    assert_eq!((why_none(&trace), done), ("a dry run puts nothing in place", Vec::new()));
    let (trace, done) = observed(Does::Well, &Story { well: false, ..USUAL });
    assert!(why_none(&trace).ends_with("samples of app were bad"), "{:?}", trace.sham);
    assert_eq!(done, Vec::<String>::new(), "nor anything else");
}

#[test]
fn a_sham_that_fails_is_undone_and_the_run_is_over() {
    for (does, says, undone) in [
        (Does::NotPrepare, "no room for it", false),
        (Does::NotInject, ", at rest: it does not start", true),
        (Does::PanicInInject, "the injector panicked: a wheel came off", true),
    ] {
        let (trace, done) = observed(does, &USUAL);
        let trouble = trace.trouble.expect("something went wrong");
        assert_eq!(trouble.stage, Stage::Injection, "{does:?}");
        assert!(trouble.message.ends_with(says), "{does:?}: {}", trouble.message);
        let all = ["owe rest", "inject rest", "revert rest", "settle rest"];
        assert_eq!(done, if undone { &all[..] } else { &[] }, "{does:?}");
        assert_eq!((trace.sham, trace.marks.inject_started), (None, None), "{does:?}");
        assert_eq!(trace.marks.ended, Some(ms(2_000)), "{does:?}: at once");
    }
}

#[test]
fn a_sham_that_stays_is_owed_and_nothing_is_injected_on_top_of_it() {
    let (trace, done) = observed(Does::NotRevert, &USUAL);
    assert_eq!(done, ["owe rest", "inject rest", "revert rest"]);
    let trouble = trace.trouble.expect("something went wrong");
    assert_eq!(trouble.stage, Stage::Cleanup);
    assert!(
        trouble.message.ends_with("at rest could not be undone: it does not stop"),
        "{}",
        trouble.message
    );
}

#[test]
fn a_run_that_is_stopped_meanwhile_undoes_it() {
    let (trace, done) = observed(Does::Well, &Story { cancelled: Some(ms(3_000)), ..USUAL });
    assert_eq!(done, ["owe rest", "inject rest", "revert rest", "settle rest"]);
    assert_eq!(trace.abort.map(|abort| abort.cause), Some(AbortCause::RunnerGone));
    assert_eq!((trace.marks.removed, trace.trouble), (None, None), "there was no fault");
}

#[test]
fn a_run_that_is_stopped_while_it_is_undone_undoes_it_again() {
    let (trace, done) = observed(Does::StoppedInRevert, &USUAL);
    assert_eq!(done, ["owe rest", "inject rest", "revert rest", "revert rest", "settle rest"]);
    assert_eq!(trace.abort.map(|abort| abort.cause), Some(AbortCause::RunnerGone));
    assert_eq!(trace.trouble, None);
}

#[test]
fn a_dose_of_nothing_is_not_injected() {
    let (trace, done) = observed(Does::AsksForNothing, &USUAL);
    assert_eq!(done, ["owe rest", "inject rest", "revert rest", "settle rest"]);
    let trouble = trace.trouble.expect("anything would prove it");
    assert_eq!(trouble.stage, Stage::Injection);
    assert!(trouble.message.ends_with("ask for more than nothing"), "{}", trouble.message);
}
