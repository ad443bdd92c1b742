use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{control, watch};
use crate::inject::registry::Registry;
use crate::model::{DoseUnit, Fault};
use crate::port::{
    ContainerControl, ContainerStatus, Dose, InjectError, ObserveError, PlannedStep, Prepared, Presence,
    Readiness, RevertError, RevertRecord, Rung, Target,
};
use crate::sys::{owner, timer};

/// Takes a container out of service by its engine's own verbs, and brings it back.
///
/// | mechanism | how | witness |
/// |---|---|---|
/// | `engine-kill` | SIGKILL to its first process, by the engine: a restart policy does not bring it back | the engine says that this start of it has ended, and the service does not answer |
/// | `engine-stop` | its stop signal, and SIGKILL at once: it is down when the call returns | the same |
/// | `engine-pause` | the engine freezes everything in it | the engine says that this start of it is paused, and the service does not answer; where that cannot be told, its processes use no time |
///
/// Nothing is owed to the ledger for it: the step of the environment removes the container in whatever state it is.
pub(in crate::inject) struct Outages {
    held: Registry<Arc<Held>>,
}

/// What an outage in this process works on.
struct Held {
    container: Arc<dyn ContainerControl>,
    ready: Option<Readiness>,
}

/// A revert record of ours holds nothing else.
#[derive(Debug, Serialize, Deserialize)]
struct Payload {
    container_outage: Outage,
}

#[derive(Debug, Serialize, Deserialize)]
struct Outage {
    id: String,
    how: How,
    /// The start that is ended or frozen, in the engine's words.
    started_at: String,
    /// Whether undoing it takes until the service is ready.
    until_ready: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum How {
    Kill,
    Stop,
    Pause,
}

/// How long a service may take to be ready again; less than a revert may take.
const READY: Duration = Duration::from_secs(18);
/// The same of one that goes on, which is no failure of the revert if it does not: well within its time.
const READY_AGAIN: Duration = Duration::from_secs(13);

impl How {
    const ALL: [(&'static str, Self); 3] =
        [("engine-kill", Self::Kill), ("engine-stop", Self::Stop), ("engine-pause", Self::Pause)];

    fn of(mechanism: &str) -> Option<Self> {
        Self::ALL.iter().find(|(name, _)| *name == mechanism).map(|(_, how)| *how)
    }

    fn action(self, service: &str) -> String {
        match self {
            Self::Kill => format!("the engine kills the container of {service} and holds it down"),
            Self::Stop => format!("the engine stops the container of {service}, with no grace"),
            Self::Pause => format!("the engine pauses the container of {service}"),
        }
    }

    fn undo(self) -> &'static str {
        match self {
            Self::Kill | Self::Stop => {
                "the same container is started again; without this process the reaper removes it"
            }
            Self::Pause => {
                "it is unpaused, and waited for until it is ready; without this process the reaper removes it"
            }
        }
    }
}

impl Outages {
    pub(in crate::inject) fn new() -> Self {
        Self { held: Registry::new() }
    }

    /// The rung of that mechanism, for a target that is a container.
    pub(in crate::inject) fn rung(mechanism: &'static str) -> Rung {
        Rung::offered(mechanism)
    }

    /// Whether that mechanism is one of these.
    pub(in crate::inject) fn makes(mechanism: &str) -> bool {
        How::of(mechanism).is_some()
    }

    /// Works out an outage. `until_ready`: whether undoing it takes until the service is ready.
    pub(in crate::inject) async fn prepare(
        &self,
        fault: &Fault,
        target: &Target,
        mechanism: &str,
        until_ready: bool,
    ) -> Result<Prepared, InjectError> {
        let (service, container) = (&target.service, control(target)?);
        let how = How::of(mechanism)
            .ok_or_else(|| InjectError(format!("no container has a mechanism `{mechanism}`")))?;
        let failed = |error| InjectError(format!("looking at the container of {service}: {error}"));
        let state = container.look().await.map_err(failed)?;
        if state.status != ContainerStatus::Running {
            return Err(InjectError(format!(
                "the container of {service} is {}, and only one that runs can be taken out of service",
                state.status
            )));
        }
        let id = container.id();
        let outage = Outage { id, how, started_at: state.started_at, until_ready };
        let record = RevertRecord {
            undo: Vec::new(),
            id: owner::new_mark(),
            injector: fault.kind().name().into(),
            service: service.clone(),
            payload: serde_json::to_value(Payload { container_outage: outage })
                .map_err(|error| InjectError(error.to_string()))?,
        };
        let held = Held { container, ready: target.ready.clone() };
        self.held.lock().insert(record.id.clone(), Arc::new(held));
        let action = how.action(service);
        Ok(Prepared {
            record,
            mechanism: mechanism.into(),
            detail: format!("{fault}: {action}"),
            unit: DoseUnit::Down,
            asked: 1.0,
            steps: vec![PlannedStep {
                action,
                touches: format!("the container of {service}, started by this run"),
                undo: how.undo().into(),
            }],
        })
    }

    /// Applies it, if the record is one of these.
    pub(in crate::inject) async fn inject(&self, record: &RevertRecord) -> Option<Result<(), InjectError>> {
        let outage = outage(record)?;
        let Some(held) = self.held.get(&record.id) else {
            return Some(Err(InjectError("was not prepared here".into())));
        };
        let failed = |error| InjectError(format!("{}: {error}", outage.how.action(&record.service)));
        match watch::state(&*held.container).await {
            Ok(Some(state)) if state.started_at == outage.started_at => {}
            Ok(_) => {
                let text = format!("{} ended before it was taken out of service", record.service);
                return Some(Err(InjectError(text)));
            }
            Err(error) => return Some(Err(failed(error))),
        }
        let done = match outage.how {
            How::Kill => held.container.kill().await,
            How::Stop => held.container.stop(Duration::ZERO).await,
            How::Pause => held.container.pause().await,
        };
        Some(done.map_err(failed))
    }

    /// Measures it, if the record is one of these.
    pub(in crate::inject) async fn observe(
        &self,
        record: &RevertRecord,
    ) -> Option<Result<Presence, ObserveError>> {
        let outage = outage(record)?;
        let down = match self.held.get(&record.id) {
            Some(held) => held.is_down(&outage).await,
            // Its container was removed with the process that had started it.
            None => Ok(false),
        };
        let presence = |down| Presence::of(Dose { asked: 1.0, measured: f64::from(u8::from(down)) });
        let failed = |error| ObserveError(format!("looking at the container of {}: {error}", record.service));
        Some(down.map(presence).map_err(failed))
    }

    /// Undoes it, if the record is one of these.
    pub(in crate::inject) async fn revert(&self, record: &RevertRecord) -> Option<Result<(), RevertError>> {
        let outage = outage(record)?;
        // In another process there is nothing to start: the container belonged to the process that is gone.
        let Some(held) = self.held.get(&record.id) else { return Some(Ok(())) };
        Some(held.restore(&outage, &record.service).await)
    }
}

impl Held {
    async fn is_down(&self, outage: &Outage) -> io::Result<bool> {
        let Some(state) = watch::state(&*self.container).await? else { return Ok(false) };
        if self.container.is_closed() || state.started_at != outage.started_at {
            return Ok(false);
        }
        match outage.how {
            How::Kill | How::Stop => {
                let ended = state.status == ContainerStatus::Exited;
                Ok(ended && !watch::answers(self.ready.as_ref()).await)
            }
            How::Pause => Ok(state.status == ContainerStatus::Paused
                && (self.is_silent().await || self.stands_still().await?)),
        }
    }

    /// Whether it can be asked and says nothing. A probe that only connects is answered by the kernel.
    async fn is_silent(&self) -> bool {
        self.ready.is_some() && !watch::answers(self.ready.as_ref()).await
    }

    /// Whether nothing in it gets any time. What is idle uses little, so it is given some to use.
    async fn stands_still(&self) -> io::Result<bool> {
        const APART: Duration = Duration::from_millis(250);
        let before = self.container.used().await?.processor;
        timer::sleep_until(timer::now() + APART).await;
        Ok(self.container.used().await?.processor == before)
    }

    async fn restore(&self, outage: &Outage, service: &str) -> Result<(), RevertError> {
        if outage.how == How::Pause {
            match self.container.unpause().await {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                unpaused => unpaused.map_err(|error| RevertError(format!("unpausing {service}: {error}")))?,
            }
        } else {
            watch::bring_back(&self.container, service).await?;
        }
        let Some(ready) = self.ready.as_ref().filter(|_| outage.until_ready) else { return Ok(()) };
        let limit = if outage.how == How::Pause { READY_AGAIN } else { READY };
        match watch::until_ready(&*self.container, ready, limit).await {
            Err(why) if outage.how != How::Pause => {
                Err(RevertError(format!("{service} was started again, and {why}")))
            }
            // One that goes on and does not get ready is for the watch of its recovery to tell.
            _ => Ok(()),
        }
    }
}

fn outage(record: &RevertRecord) -> Option<Outage> {
    serde_json::from_value::<Payload>(record.payload.clone()).ok().map(|payload| payload.container_outage)
}
