use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::container::Outages;
use super::door;
use super::killing::{Killed, bring_back, process_of, running};
use super::packet::{self, Packets};
use super::readiness::wait_until_ready;
use super::record;
use super::registry::Registry;
use super::stopped::Stopped;
use crate::model::{DoseUnit, Fault, OutageMode};
use crate::port::{
    Closed, Dose, InjectError, Injector, NetworkPath, ObserveError, PacketShape, PathShape, PlannedStep,
    Prepared, Presence, ProcessControl, Readiness, RevertError, RevertRecord, Rung, Support, Target,
    UndoStep,
};
use crate::sys::owner;

/// Takes a database out of service, in one of four ways.
///
/// | mechanism | modes | how | witness |
/// |---|---|---|---|
/// | `sigkill` | crash | killed with all of its tree; started again, and waited for until it is ready | the process is gone, and nobody takes connections at its port |
/// | `engine-kill`, `engine-stop`, `engine-pause` | crash, refuse, hang | of a container, by its engine | the engine's word, and its own readiness |
/// | `sigstop` | hang | every process of its tree is stopped; continued, and waited for until it is ready | the kernel's state of each of them |
/// | `nft-drop` | partition | every packet in its own network is dropped | datagrams of the harness's own in that network |
/// | `proxy` | all | its front door is closed, or swallows everything | connections of the harness's own through the door |
///
/// The dose is 1 while it is down, else 0. If only some processes are stopped, it is 0.
///
/// ```
/// use chaos_test::inject::DatabaseDown;
/// use chaos_test::model::{Fault, Pin};
/// use chaos_test::port::{Injector, Target};
/// /// By which mechanism this database would be taken down, or why by none.
/// fn way(outage: &Fault, database: &Target) -> Result<&'static str, String> {
///     DatabaseDown::new().support(outage, database).choose(outage.kind(), &Pin::default()).map(|way| way.mechanism)
/// }
/// ```
pub struct DatabaseDown {
    outages: Registry<Arc<Outage>>,
    packets: Packets,
    containers: Outages,
}

/// What an outage in this process works on.
struct Outage {
    process: Option<Arc<dyn ProcessControl>>,
    path: Option<Arc<dyn NetworkPath>>,
    ready: Option<Readiness>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Payload {
    Killed(Killed),
    Stopped(Stopped),
    Refused,
    Swallowed,
}

/// How long stopping or continuing all of a tree may take.
const SIGNALS: Duration = Duration::from_secs(5);
/// How long a database may take to be ready again; less than a revert may take.
const READY: Duration = Duration::from_secs(18);
/// The same after it was continued, which has its own time.
const READY_AGAIN: Duration = READY.saturating_sub(SIGNALS);
/// How many connections the witness tries, and how long it waits for each.
const TRIALS: u32 = 2;
const PATIENCE: Duration = Duration::from_millis(250);

impl Payload {
    fn of(record: &RevertRecord) -> Result<Self, String> {
        record::payload(record, "database_down")
    }

    /// What the front door does, if that is how it is made.
    fn closed(&self) -> Option<Closed> {
        match self {
            Self::Refused => Some(Closed::Refuse),
            Self::Swallowed => Some(Closed::BlackHole),
            Self::Killed(_) | Self::Stopped(_) => None,
        }
    }
}

impl DatabaseDown {
    /// An injector with nothing injected.
    #[allow(clippy::new_without_default, reason = "an injector is made on purpose")]
    pub fn new() -> Self {
        Self { outages: Registry::new(), packets: Packets::new(), containers: Outages::new() }
    }
}

fn mode_of(fault: &Fault) -> Result<OutageMode, InjectError> {
    match fault {
        Fault::DatabaseDown { mode, .. } => Ok(*mode),
        _ => Err(InjectError(format!("database_down cannot make {fault}"))),
    }
}

impl Injector for DatabaseDown {
    fn support(&self, fault: &Fault, target: &Target) -> Support {
        let name = &target.service;
        let of_process = |mechanism| match target.process {
            Some(_) => Rung::offered(mechanism),
            None => Rung::refused(
                mechanism,
                format!("{name} was not started by this run, so its processes may not be touched"),
                "start it as a process of the environment",
            ),
        };
        let proxy = door::rung(target, "");
        let of_engine = |mechanism| Support::ladder([Outages::rung(mechanism), proxy.clone()]);
        match (mode_of(fault), &target.container) {
            (Ok(OutageMode::Crash), Some(_)) => return of_engine("engine-kill"),
            (Ok(OutageMode::Hang), Some(_)) => return of_engine("engine-pause"),
            (Ok(OutageMode::Refuse), Some(_)) => return of_engine("engine-stop"),
            _ => {}
        }
        match mode_of(fault) {
            Ok(OutageMode::Crash) => Support::ladder([of_process("sigkill"), proxy]),
            Ok(OutageMode::Hang) => Support::ladder([of_process("sigstop"), proxy]),
            Ok(OutageMode::Partition) => {
                Support::ladder(packet::rungs(target, &["nft-drop"], None).into_iter().chain([proxy]))
            }
            Ok(OutageMode::Refuse) => Support::ladder([proxy]),
            Err(error) => Support::no("proxy", error.0, ""),
        }
    }

    async fn prepare(
        &self,
        fault: &Fault,
        target: &Target,
        mechanism: &str,
    ) -> Result<Prepared, InjectError> {
        let (name, mode) = (&target.service, mode_of(fault)?);
        if mechanism == "nft-drop" {
            let nothing_passes = PacketShape { loss: 1.0, ..PacketShape::default() };
            return self.packets.prepare(fault, target, mechanism, nothing_passes);
        }
        if Outages::makes(mechanism) {
            return self.containers.prepare(fault, target, mechanism, true).await;
        }
        let (payload, undo, plan) = match mechanism {
            "sigkill" => {
                let killed = Killed::of(target, &process_of(target)?)?;
                let plan = Plan {
                    how: format!(
                        "SIGKILL to {name} (pid {}), its group and all that carries its mark",
                        killed.pid
                    ),
                    undo: "the same command is started again and waited for until it is ready; without this process \
                           the reaper ends it",
                };
                (Payload::Killed(killed), Vec::new(), plan)
            }
            "sigstop" => {
                let process = process_of(target)?;
                let stopped = Stopped { mark: process.mark(), leader: running(target, &process)? };
                let (members, moving) = (stopped.tree().members(), stopped.tree().moving());
                if members.len() != moving.len() {
                    return Err(InjectError(format!(
                        "some processes of {name} are stopped already, by somebody else"
                    )));
                }
                let plan = Plan {
                    how: format!("SIGSTOP to all processes of {name} ({} now)", members.len()),
                    undo: "SIGCONT to all of them, and they are waited for until the service is ready; without this \
                           process the reaper sends it, and ends them",
                };
                let undo = vec![UndoStep::ContinueProcesses { mark: stopped.mark.clone() }];
                (Payload::Stopped(stopped), undo, plan)
            }
            "proxy" => {
                let (payload, how) = match mode {
                    OutageMode::Crash => (
                        Payload::Refused,
                        "open connections are reset and new ones refused, as of a crashed server",
                    ),
                    OutageMode::Refuse => {
                        (Payload::Refused, "open connections are reset and new ones refused")
                    }
                    OutageMode::Hang => {
                        (Payload::Swallowed, "nothing passes and nobody answers, as of a server that hangs")
                    }
                    OutageMode::Partition => {
                        (Payload::Swallowed, "nothing passes and nobody answers, as over a broken network")
                    }
                };
                let plan = Plan {
                    how: format!(
                        "the front door of {name} by proxy (stream): {how}; the server itself runs on"
                    ),
                    undo: "the proxy passes on again; it ends with this process",
                };
                (payload, Vec::new(), plan)
            }
            other => return Err(InjectError(format!("database_down has no mechanism `{other}`"))),
        };
        let record = record::made("database_down", name, owner::new_mark(), undo, &payload)?;
        let outage = Outage {
            process: target.process.clone(),
            path: target.path.clone(),
            ready: target.ready.clone(),
        };
        self.outages.lock().insert(record.id.clone(), Arc::new(outage));
        let touches = match payload.closed() {
            Some(_) => format!("traffic to {name} through its front door, open connections included"),
            None => format!("{name}, started by this run"),
        };
        Ok(Prepared {
            record,
            mechanism: mechanism.into(),
            detail: format!("{fault}: {}", plan.how),
            unit: DoseUnit::Down,
            asked: 1.0,
            steps: vec![PlannedStep { action: plan.how, touches, undo: plan.undo.into() }],
        })
    }

    async fn inject(&self, prepared: &Prepared) -> Result<(), InjectError> {
        if let Some(injected) = self.packets.inject(&prepared.record) {
            return injected;
        }
        if let Some(injected) = self.containers.inject(&prepared.record).await {
            return injected;
        }
        let not_here = || InjectError("was not prepared here".into());
        let outage = self.outages.get(&prepared.record.id).ok_or_else(not_here)?;
        let service = &prepared.record.service;
        let payload = Payload::of(&prepared.record).map_err(InjectError)?;
        match &payload {
            Payload::Killed(_) => {
                let process = outage.process.as_ref().ok_or_else(not_here)?;
                process.kill().map_err(|error| InjectError(format!("killing {service}: {error}")))
            }
            Payload::Stopped(stopped) => {
                let stopping = stopped.tree().stop(SIGNALS);
                stopping.map(drop).map_err(|error| InjectError(format!("stopping {service}: {error}")))
            }
            Payload::Refused | Payload::Swallowed => {
                let path = outage.path.as_ref().ok_or_else(not_here)?;
                path.shape(PathShape { closed: payload.closed(), ..PathShape::NONE });
                Ok(())
            }
        }
    }

    async fn observe(&self, record: &RevertRecord) -> Result<Presence, ObserveError> {
        if let Some(seen) = self.packets.observe(record).await {
            return seen;
        }
        if let Some(seen) = self.containers.observe(record).await {
            return seen;
        }
        let payload = Payload::of(record).map_err(ObserveError)?;
        let outage = self.outages.get(&record.id);
        let down = match &payload {
            Payload::Killed(killed) => {
                killed.is_down(outage.as_ref().and_then(|outage| outage.process.as_ref())).await
            }
            Payload::Stopped(stopped) => stopped.stands_still()?,
            Payload::Refused | Payload::Swallowed => {
                match outage.as_ref().and_then(|outage| outage.path.as_ref()) {
                    Some(path) => is_closed(&**path, &payload).await?,
                    // The proxy was part of a process that is gone, and its closed door with it.
                    None => false,
                }
            }
        };
        Ok(Presence::of(Dose { asked: 1.0, measured: f64::from(u8::from(down)) }))
    }

    async fn revert(&self, record: &RevertRecord) -> Result<(), RevertError> {
        if let Some(reverted) = self.packets.revert(record) {
            return reverted;
        }
        if let Some(reverted) = self.containers.revert(record).await {
            return reverted;
        }
        let service = &record.service;
        let outage = self.outages.get(&record.id);
        match Payload::of(record).map_err(RevertError)? {
            Payload::Killed(_) => {
                // In another process there is nothing to start: the service belonged to the process that is gone.
                let Some(outage) = outage else { return Ok(()) };
                let Some(process) = &outage.process else { return Ok(()) };
                bring_back(process, service).await?;
                let Some(ready) = &outage.ready else { return Ok(()) };
                let waited = wait_until_ready(ready, &**process, READY).await;
                waited.map_err(|why| RevertError(format!("{service} was started again, and {why}")))
            }
            Payload::Stopped(stopped) => {
                let going_on = stopped.tree().resume(SIGNALS);
                going_on.map_err(|error| RevertError(format!("continuing {service}: {error}")))?;
                // It goes on, so that is undone. One that does not get ready is for the watch of its recovery to tell.
                if let Some(outage) = &outage
                    && let (Some(process), Some(ready)) = (&outage.process, &outage.ready)
                {
                    let _ = wait_until_ready(ready, &**process, READY_AGAIN).await;
                }
                Ok(())
            }
            Payload::Refused | Payload::Swallowed => {
                if let Some(path) = outage.as_ref().and_then(|outage| outage.path.as_ref()) {
                    path.shape(PathShape::NONE);
                }
                Ok(())
            }
        }
    }
}

/// What is said of a mechanism.
struct Plan {
    how: String,
    undo: &'static str,
}

/// Whether connections of our own through the front door meet with what was asked for.
async fn is_closed(path: &dyn NetworkPath, payload: &Payload) -> Result<bool, ObserveError> {
    let seen = path
        .trials(TRIALS, PATIENCE)
        .await
        .map_err(|error| ObserveError(format!("trying the front door: {error}")))?;
    Ok(match payload.closed() {
        Some(Closed::Refuse) => seen.refused + seen.reset == TRIALS,
        Some(Closed::BlackHole) => seen.unanswered == TRIALS,
        None => false,
    })
}
