use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::active::Active;
use super::audit::Audit;
use super::locks::Held;
use super::record::Draft;
use crate::engine::{self, Plan, Ports, Recorder};
use crate::error::Error;
use crate::model::{Stage, Trouble};
use crate::report::Report;
use crate::sys::runtime::harness;
use crate::sys::{env, signals};

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
        trace.residue.extend(audit.after_revert(told).await);
        // The body is over, and the record is to say whether they could be ended.
        let ending = Arc::clone(&active);
        let _ = tokio::task::spawn_blocking(move || ending.end_services()).await;
        trace.residue.extend(audit.after_end().await);
        let written = tokio::task::spawn_blocking(move || draft.write(trace)).await;
        let written = written
            .unwrap_or_else(|panic| Err(Error::record(format!("writing the record panicked: {panic}"))));
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
            () = clock.sleep_until(clock.now() + PATIENCE) => stuck(&active, &told),
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
fn stuck(active: &Active, told: &Told) {
    let blocked = "the test's own thread is blocked (a call in its body does not return)";
    if env::var("NEXTEST_EXECUTION_MODE").is_some_and(|mode| mode == "process-per-test") {
        active.end_services();
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
        crate::units::show_duration(PATIENCE)
    ));
}
