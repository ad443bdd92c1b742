use std::io;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{control, watch};
use crate::inject::registry::Registry;
use crate::model::{DoseUnit, Fault};
use crate::port::{
    ContainerControl, ContainerStatus, Dose, InjectError, ObserveError, PlannedStep, Prepared, Presence,
    Refusal, RevertError, RevertRecord, Rung, Target,
};
use crate::sys::owner;

/// Ends a container's first process past its engine, so that its restart policy has to bring it back.
///
/// Mechanism `host-kill`: a helper that sees the engine's processes and may do nothing but signal them. The engine's own
/// kill would not do: a policy does not bring back what its engine was told to end.
///
/// The fault is the crash and no state, so nothing is undone and the harness starts nothing. Witness: the engine. That
/// start of the container is over (1): another one has begun, or it is down; else 0.
pub(in crate::inject) struct Crashes {
    held: Registry<Arc<dyn ContainerControl>>,
}

/// A revert record of ours holds nothing else.
#[derive(Debug, Serialize, Deserialize)]
struct Payload {
    container_end: End,
}

#[derive(Debug, Serialize, Deserialize)]
struct End {
    id: String,
    /// The start that is ended, in the engine's words.
    started_at: String,
}

const MECHANISM: &str = "host-kill";

fn unsupervised(container: &dyn ContainerControl, service: &str) -> Option<Refusal> {
    container.restart_policy().is_none().then(|| {
        Refusal::new(
            format!("nothing would bring {service} back: its container has no restart policy"),
            "give the container one that outlasts a crash: `on-failure`, `unless-stopped` or `always` (what \
             `docker run --restart` takes; with testcontainers, `with_host_config_modifier` sets \
             `HostConfig::restart_policy`)",
        )
    })
}

impl Crashes {
    pub(in crate::inject) fn new() -> Self {
        Self { held: Registry::new() }
    }

    /// The rung for a target that is a container; `None` if it is not.
    pub(in crate::inject) fn rung(target: &Target) -> Option<Rung> {
        let container = target.container.as_deref()?;
        let refusal = unsupervised(container, &target.service).or_else(|| container.crash_refusal());
        Some(Rung::unless(MECHANISM, refusal))
    }

    /// Works out a crash.
    pub(in crate::inject) async fn prepare(
        &self,
        fault: &Fault,
        target: &Target,
    ) -> Result<Prepared, InjectError> {
        let (service, container) = (&target.service, control(target)?);
        if let Some(refusal) = unsupervised(&*container, service) {
            return Err(InjectError(refusal.to_string()));
        }
        let failed = |error| InjectError(format!("looking at the container of {service}: {error}"));
        let state = container.look().await.map_err(failed)?;
        if state.status != ContainerStatus::Running {
            return Err(InjectError(format!("the container of {service} is {}", state.status)));
        }
        let by = container.restart_policy().unwrap_or_default();
        let end = End { id: container.id(), started_at: state.started_at };
        let record = RevertRecord {
            undo: Vec::new(),
            id: owner::new_mark(),
            injector: fault.kind().name().into(),
            service: service.clone(),
            payload: serde_json::to_value(Payload { container_end: end })
                .map_err(|error| InjectError(error.to_string()))?,
        };
        self.held.lock().insert(record.id.clone(), container);
        let action = format!(
            "SIGKILL to the first process of the container of {service} (pid {} of the engine's host)",
            state.pid
        );
        Ok(Prepared {
            record,
            mechanism: MECHANISM.into(),
            detail: format!("{fault}: {action}; to be brought back by the {by}"),
            unit: DoseUnit::Down,
            asked: 1.0,
            steps: vec![PlannedStep {
                action,
                touches: format!("the container of {service}, started by this run"),
                undo: format!(
                    "nothing of the harness: the {by} is to bring it back; it ends with this run in any case"
                ),
            }],
        })
    }

    /// Applies it, if the record is one of these.
    pub(in crate::inject) async fn inject(&self, record: &RevertRecord) -> Option<Result<(), InjectError>> {
        let end = end(record)?;
        let Some(container) = self.held.get(&record.id) else {
            return Some(Err(InjectError("was not prepared here".into())));
        };
        let service = &record.service;
        let failed = |error: io::Error| InjectError(format!("crashing the container of {service}: {error}"));
        Some(match watch::state(&*container).await {
            Ok(Some(state)) if state.started_at == end.started_at => {
                container.crash(&end.started_at).await.map_err(failed)
            }
            Ok(_) => Err(InjectError(format!("{service} ended before it was killed"))),
            Err(error) => Err(failed(error)),
        })
    }

    /// Measures it, if the record is one of these.
    pub(in crate::inject) async fn observe(
        &self,
        record: &RevertRecord,
    ) -> Option<Result<Presence, ObserveError>> {
        let end = end(record)?;
        let over = match self.held.get(&record.id) {
            // A crash is over when it has happened: nothing of it is left that could be in force.
            None => Ok(false),
            Some(container) => watch::state(&*container).await.map(|state| {
                state.is_some_and(|state| {
                    state.started_at != end.started_at
                        || matches!(state.status, ContainerStatus::Exited | ContainerStatus::Restarting)
                })
            }),
        };
        let presence = |over| Presence::of(Dose { asked: 1.0, measured: f64::from(u8::from(over)) });
        let failed = |error| ObserveError(format!("looking at the container of {}: {error}", record.service));
        Some(over.map(presence).map_err(failed))
    }

    /// Forgets it, if the record is one of these: to start it again is its policy's business.
    pub(in crate::inject) fn revert(&self, record: &RevertRecord) -> Option<Result<(), RevertError>> {
        end(record)?;
        self.held.lock().remove(&record.id);
        Some(Ok(()))
    }
}

fn end(record: &RevertRecord) -> Option<End> {
    serde_json::from_value::<Payload>(record.payload.clone()).ok().map(|payload| payload.container_end)
}
