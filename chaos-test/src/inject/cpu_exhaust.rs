use std::collections::HashMap;
use std::process::Child;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use super::registry::Registry;
use crate::model::{DoseUnit, Fault};
use crate::port::{
    Dose, InjectError, Injector, ObserveError, PlannedStep, Prepared, Presence, RevertError, RevertRecord,
    Support, Target, TargetKind, UndoStep,
};
use crate::sys::clock::Stopwatch;
use crate::sys::hook::{self, Role};
use crate::sys::procfs::{self, CpuTime};
use crate::sys::{env, owner, timer};

/// Competes with the service for the processor: worker processes that never sleep.
///
/// Mechanism `workers`: this program started again by its pre-main hook, once per worker, each in a session of its
/// own (under autogroup scheduling, workers in one session would share one share). They live on a pipe to this
/// process and end with it.
///
/// Witness: the scheduler's account of each worker (`/proc/PID/schedstat`): time on a processor, and time spent ready
/// and waiting for one. A worker asks for one whole core, so its demand is `(used + waited) / elapsed`, and only a
/// worker that has really burnt time counts. A worker that sleeps has neither.
pub struct CpuExhaust {
    role: Role,
    crews: Registry<Arc<Mutex<Crew>>>,
}

/// The workers of one fault, and what the scheduler said of them last time.
struct Crew {
    children: Vec<Child>,
    seen: HashMap<u32, CpuTime>,
    since: Stopwatch,
}

#[derive(Serialize, Deserialize)]
struct Payload {
    workers: u32,
}

/// How long the first look takes; later ones cover the time since the one before.
const FIRST_LOOK: Duration = Duration::from_millis(50);

impl CpuExhaust {
    /// An injector with nothing injected.
    #[allow(clippy::new_without_default, reason = "an injector is made on purpose")]
    pub fn new() -> Self {
        Self { role: Role::Burn, crews: Registry::new() }
    }

    /// An injector whose workers do nothing: for the tests that prove the witness notices.
    #[doc(hidden)]
    pub fn with_idle_workers() -> Self {
        Self { role: Role::Idle, crews: Registry::new() }
    }

    fn crew(&self, record: &RevertRecord) -> Option<Arc<Mutex<Crew>>> {
        self.crews.get(&record.id)
    }
}

fn lock(crew: &Mutex<Crew>) -> MutexGuard<'_, Crew> {
    crew.lock().unwrap_or_else(PoisonError::into_inner)
}

fn mark(record: &RevertRecord) -> String {
    format!("{}={}", hook::MARK, record.id)
}

fn payload(record: &RevertRecord) -> Result<Payload, String> {
    serde_json::from_value(record.payload.clone())
        .map_err(|error| format!("the revert record {} is not one of cpu_exhaust: {error}", record.id))
}

impl Injector for CpuExhaust {
    fn support(&self, _fault: &Fault, target: &Target) -> Support {
        if target.kind == TargetKind::Process {
            Support::Yes { mechanism: "workers" }
        } else {
            Support::No {
                reason: format!(
                    "{} is not a process of this run, so it may not share this host's processors; \
                     start it as a process in the environment",
                    target.service
                ),
            }
        }
    }

    async fn prepare(&self, fault: &Fault, target: &Target) -> Result<Prepared, InjectError> {
        let Fault::CpuExhaust { workers } = fault else {
            return Err(InjectError(format!("cpu_exhaust cannot make {fault}")));
        };
        let payload = Payload { workers: workers.get() };
        let id = owner::new_mark();
        let record = RevertRecord {
            undo: vec![UndoStep::EndProcesses { mark: id.clone() }],
            id,
            injector: "cpu_exhaust".into(),
            service: target.service.clone(),
            payload: serde_json::to_value(&payload).map_err(|error| InjectError(error.to_string()))?,
        };
        Ok(Prepared {
            record,
            mechanism: "workers".into(),
            detail: format!("{fault} beside {} on {} processors", target.service, env::processors()),
            unit: DoseUnit::Cores,
            asked: f64::from(payload.workers),
            steps: vec![PlannedStep {
                action: format!("start {workers} worker processes that never sleep"),
                touches: "processor time of this host".into(),
                undo: "the workers are ended; they end with this process, and the reaper ends them by their mark".into(),
            }],
        })
    }

    async fn inject(&self, prepared: &Prepared) -> Result<(), InjectError> {
        let workers = payload(&prepared.record).map_err(InjectError)?.workers;
        let crew = Crew { children: Vec::new(), seen: HashMap::new(), since: Stopwatch::start() };
        let crew = Arc::new(Mutex::new(crew));
        // Known before the first worker exists, so that a revert in between finds them all.
        self.crews.lock().insert(prepared.record.id.clone(), Arc::clone(&crew));
        for n in 1..=workers {
            let child = hook::start(self.role, &prepared.record.id)
                .map_err(|error| InjectError(format!("starting worker {n} of {workers}: {error}")))?;
            lock(&crew).children.push(child);
        }
        Ok(())
    }

    async fn observe(&self, record: &RevertRecord) -> Result<Presence, ObserveError> {
        let asked = f64::from(payload(record).map_err(ObserveError)?.workers);
        let crew = self.crew(record).filter(|crew| !lock(crew).children.is_empty());
        let Some(crew) = crew else {
            // Dismissed, or started by another process: whoever carries the mark and runs is still there.
            let marked = procfs::with_environment(&mark(record));
            let running = marked.into_iter().filter(|pid| procfs::is_running(*pid)).count();
            return Ok(Presence::of(Dose { asked, measured: running as f64 }));
        };
        let first = lock(&crew).seen.is_empty();
        if first {
            lock(&crew).look();
            timer::sleep_until(timer::now() + FIRST_LOOK).await;
        }
        let measured = lock(&crew).look();
        Ok(Presence::of(Dose { asked, measured }))
    }

    async fn revert(&self, record: &RevertRecord) -> Result<(), RevertError> {
        if let Some(crew) = self.crew(record) {
            lock(&crew).dismiss();
        }
        // From another process, or if a worker was started and never written down: known by its mark.
        for pid in procfs::with_environment(&mark(record)) {
            let _ = kill(Pid::from_raw(pid as i32), Signal::SIGKILL);
        }
        Ok(())
    }
}

impl Crew {
    /// The demand on the processors since the last look, in cores.
    fn look(&mut self) -> f64 {
        let elapsed = self.since.elapsed().as_secs_f64();
        self.since = Stopwatch::start();
        let mut demand = 0.0;
        for child in &self.children {
            // A worker that is gone burns nothing; that is what the dose then says.
            let Ok(now) = procfs::cpu_time(child.id()) else { continue };
            let before = self.seen.insert(child.id(), now).unwrap_or_default();
            let used = now.used.saturating_sub(before.used);
            let waited = now.waited.saturating_sub(before.waited);
            if !used.is_zero() && elapsed > 0.0 {
                demand += ((used + waited).as_secs_f64() / elapsed).min(1.0);
            }
        }
        demand
    }

    fn dismiss(&mut self) {
        // It may have ended by itself; either way it is waited for, so no zombie stays.
        self.children.iter_mut().for_each(|child| drop(child.kill()));
        self.children.drain(..).for_each(|mut child| drop(child.wait()));
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.dismiss();
    }
}
