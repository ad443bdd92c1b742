use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::active::{Active, STEP};
use super::audit::Audit;
use super::custom;
use super::locks::Held;
use super::record::Draft;
use crate::engine::{self, Plan, Ports, Recorder};
use crate::error::Error;
use crate::model::{Stage, Trouble};
use crate::port::Clock;
use crate::report::Report;
use crate::sys::runtime::harness;
use crate::sys::{env, signals};
use crate::units::show_duration;

/// How long the test may take to fetch what came of its run before it is taken to be stuck.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a run holds until its record is written, whatever becomes of its caller.
pub(super) struct Charge {
    pub(super) draft: Arc<Draft>,
    pub(super) active: Arc<Active>,
    /// Not given up before the fault is gone, also when nobody waits for that.
    pub(super) held: Arc<Held>,
}

/// Carries a run out and writes its record, on the harness's threads, whatever becomes of the caller's. The caller only
/// fetches the report.
pub(super) fn start(
    plan: Plan,
    ports: Ports,
    recorder: Arc<Recorder>,
    charge: Charge,
    mut audit: Audit,
) -> impl Future<Output = Result<Report, Error>> {
    let Charge { draft, active, held } = charge;
    let (give, take) = oneshot::channel();
    let clock = Arc::clone(&ports.clock);
    let engine = harness().spawn(engine::run(plan, ports, Arc::clone(&recorder), active.running()));
    harness().spawn(async move {
        let mut trace = engine.await.unwrap_or_else(|panic| {
            // What was observed until then is kept.
            let message = format!("the engine stopped: {panic}");
            recorder.trouble(Trouble { stage: Stage::Cleanup, message });
            recorder.finish()
        });
        held.fault_ended(&trace.marks, clock.now());
        let told = trace.trouble.as_ref().is_some_and(|trouble| trouble.stage == Stage::Cleanup)
            || !trace.residue.is_empty();
        trace.residue.extend(looked(&*clock, audit.after_revert(told)).await);
        // The body is over, and the record is to say whether they could be ended.
        trace.residue.extend(active.end_services().await);
        trace.residue.extend(looked(&*clock, audit.after_end()).await);
        custom::look(&draft.custom, &*clock, &mut trace).await;
        let path = draft.path();
        let written = tokio::task::spawn_blocking(move || draft.write(trace));
        let written = match in_time(&*clock, written).await {
            Some(Ok(written)) => written,
            Some(Err(panic)) => Err(Error::record(format!("writing the record panicked: {panic}"))),
            None => {
                let (path, limit) = (path.display(), show_duration(STEP));
                Err(Error::record(format!("cannot write the record {path}: it was not done within {limit}")))
            }
        };
        let outcome = active.told(written);
        let told = tell(&outcome);
        // Before the caller goes on: a process that ends now would leave its notes beside the locks.
        drop(held);
        // Dropped with what the caller fetches, or with the caller.
        let (fetched, fetching) = oneshot::channel::<()>();
        if give.send((outcome, fetched)).is_err() {
            return;
        }
        tokio::select! {
            _ = fetching => {}
            () = clock.sleep_until(clock.now() + PATIENCE) => stuck(&active, &told).await,
        }
    });
    async move {
        match take.await {
            Ok((outcome, _fetched)) => outcome,
            Err(_) => {
                Err(Error::record("the harness's own task ended early: this is a bug, please report it"))
            }
        }
    }
}

/// What comes of a step after the engine's last, if it is done in time.
async fn in_time<T>(clock: &dyn Clock, step: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        done = step => Some(done),
        () = clock.sleep_until(clock.now() + STEP) => None,
    }
}

async fn looked(clock: &dyn Clock, look: impl Future<Output = Vec<String>>) -> Vec<String> {
    let late = || vec![format!("nobody knows: the audit took more than {}", show_duration(STEP))];
    in_time(clock, look).await.unwrap_or_else(late)
}

/// What is said of a test that cannot say it itself.
struct Told {
    passed: bool,
    text: String,
    record: Option<String>,
}

fn tell(outcome: &Result<Report, Error>) -> Told {
    match outcome {
        Ok(report) => Told { passed: report.passed(), text: report.text(), record: report.path.clone() },
        Err(error) => Told { passed: false, text: error.to_string(), record: None },
    }
}

/// The test blocks its own thread and will not fetch its verdict. Where it has a process to itself, that is ended, for
/// a test that never ends tells nobody anything; elsewhere other tests are in it.
async fn stuck(active: &Active, told: &Told) {
    let blocked = "the test's own thread is blocked (a call in its body does not return)";
    if env::var("NEXTEST_EXECUTION_MODE").is_some_and(|mode| mode == "process-per-test") {
        active.end_services().await;
        if told.passed {
            signals::say(&format!("Error: {blocked}, though the run came to an end: {}", told.text));
        } else {
            signals::say(&format!("Error: {}\n\n  {blocked}, so the harness ended the process", told.text));
        }
        signals::exit_failed()
    }
    let record = told.record.as_ref().map_or_else(String::new, |path| format!("; its record is {path}"));
    let first = told.text.lines().next().unwrap_or_default();
    signals::say(&format!(
        "note: {blocked}, {} after its run was over{record}: {first}",
        show_duration(PATIENCE)
    ));
}
