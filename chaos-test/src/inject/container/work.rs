use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::dose::Look;
use super::{control, watch};
use crate::inject::registry::Registry;
use crate::model::{DoseUnit, Fault};
use crate::port::{
    ContainerControl, ContainerStatus, Dose, InjectError, ObserveError, PlannedStep, Prepared, Presence,
    RevertError, RevertRecord, Rung, Target, UndoStep, Work,
};
use crate::sys::{containers, owner, timer};

/// Takes from a container what its own groups have: processor time, memory, its disk.
///
/// Mechanisms `sidecar-workers`, `sidecar-hog` and `sidecar-writers`: a helper in a container of its own, with the
/// fault's mark in its labels, moves itself into the target's groups of processes and works there. So the target's
/// limits hold for both together, and nobody else feels it. It lives on an attached connection of this process, and
/// ends with it, and with the target.
///
/// Witness: the kernel's accounts of the helper's threads, as far as the helper is in those groups and the engine's own
/// count of them agrees.
pub(in crate::inject) struct Works {
    held: Registry<Arc<Held>>,
}

/// Work that was prepared in this process.
struct Held {
    container: Arc<dyn ContainerControl>,
    /// The start of the container that it is for, in the engine's words.
    started_at: String,
    stage: Mutex<Stage>,
    looks: Mutex<Vec<Look>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Prepared,
    Begun,
    Over,
}

/// What is to be done, and how it is told.
pub(in crate::inject) struct Plan {
    pub(in crate::inject) work: Work,
    pub(in crate::inject) unit: DoseUnit,
    /// What it does, for people: `burns with 2 workers that never sleep`.
    pub(in crate::inject) action: String,
    /// What it takes from: `processor time of the container`.
    pub(in crate::inject) touches: &'static str,
}

/// A revert record of ours holds nothing else.
#[derive(Serialize, Deserialize)]
struct Payload {
    container_work: Task,
}

/// [`Work`], in plain data.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Task {
    Burn { workers: u32, load: f64 },
    Hog { bytes: u64, ramp: Duration },
    Write { workers: u32, most: u64 },
}

/// How long removing a helper of another process may take.
const REMOVAL: Duration = Duration::from_secs(10);
/// How long the first look takes; later ones cover the time since one before.
const FIRST_LOOK: Duration = Duration::from_millis(100);

impl Task {
    fn of(work: Work) -> Self {
        match work {
            Work::Burn { workers, load } => Self::Burn { workers, load },
            Work::Hog { bytes, ramp } => Self::Hog { bytes, ramp },
            Work::Write { workers, most } => Self::Write { workers, most },
        }
    }

    fn work(self) -> Work {
        match self {
            Self::Burn { workers, load } => Work::Burn { workers, load },
            Self::Hog { bytes, ramp } => Work::Hog { bytes, ramp },
            Self::Write { workers, most } => Work::Write { workers, most },
        }
    }

    fn asked(self) -> f64 {
        match self {
            Self::Burn { workers, load } => f64::from(workers) * load,
            Self::Hog { bytes, .. } => bytes as f64,
            Self::Write { workers, .. } => f64::from(workers),
        }
    }
}

impl Works {
    pub(in crate::inject) fn new() -> Self {
        Self { held: Registry::new() }
    }

    /// The rung of that mechanism for a target that is a container; `None` if it is not.
    pub(in crate::inject) fn rung(target: &Target, mechanism: &'static str) -> Option<Rung> {
        Some(Rung::unless(mechanism, target.container.as_deref()?.work_refusal()))
    }

    /// Works out that work.
    pub(in crate::inject) async fn prepare(
        &self,
        fault: &Fault,
        target: &Target,
        mechanism: &str,
        plan: Plan,
    ) -> Result<Prepared, InjectError> {
        let (service, container) = (&target.service, control(target)?);
        let failed = |error| InjectError(format!("looking at the container of {service}: {error}"));
        let state = container.look().await.map_err(failed)?;
        if state.status != ContainerStatus::Running {
            return Err(InjectError(format!("the container of {service} is {}", state.status)));
        }
        if let Work::Hog { bytes, .. } = plan.work {
            fits(bytes, &*container, service).await?;
        }
        let task = Task::of(plan.work);
        let id = owner::new_mark();
        let record = RevertRecord {
            undo: vec![UndoStep::RemoveContainers { mark: id.clone() }],
            id,
            injector: fault.kind().name().into(),
            service: service.clone(),
            payload: serde_json::to_value(Payload { container_work: task })
                .map_err(|error| InjectError(error.to_string()))?,
        };
        let held = Held {
            container,
            started_at: state.started_at,
            stage: Mutex::new(Stage::Prepared),
            looks: Mutex::default(),
        };
        self.held.lock().insert(record.id.clone(), Arc::new(held));
        Ok(Prepared {
            record,
            mechanism: mechanism.into(),
            detail: format!("{fault} in the groups of the container of {service}"),
            unit: plan.unit,
            asked: task.asked(),
            steps: vec![PlannedStep {
                action: format!("start a helper in the groups of the container of {service}, which {}", plan.action),
                touches: plan.touches.into(),
                undo: "the helper ends and is removed; it ends with this process, and the reaper removes it by its mark"
                    .into(),
            }],
        })
    }

    /// Applies it, if the record is one of these.
    pub(in crate::inject) async fn inject(&self, record: &RevertRecord) -> Option<Result<(), InjectError>> {
        let task = task(record)?;
        let Some(held) = self.held.get(&record.id) else {
            return Some(Err(InjectError("was not prepared here".into())));
        };
        *held.stage() = Stage::Begun;
        let begun = held.container.work(&record.id, task.work()).await;
        let failed = |error| {
            InjectError(format!("a helper in the groups of the container of {}: {error}", record.service))
        };
        Some(begun.map_err(failed))
    }

    /// Measures it, if the record is one of these.
    pub(in crate::inject) async fn observe(
        &self,
        record: &RevertRecord,
    ) -> Option<Result<Presence, ObserveError>> {
        let task = task(record)?;
        let asked = task.asked();
        let measured = match self.held.get(&record.id) {
            Some(held) if *held.stage() == Stage::Begun => {
                held.measure(&record.id, task.work(), &record.service).await
            }
            Some(held) if *held.stage() == Stage::Prepared => Ok(0.0),
            // Ended, or made by another process: it is there as long as a helper that carries its mark.
            _ => {
                let left = containers::is_left(&record.id).await.map_err(|error| error.to_string());
                left.map(|there| if there { asked } else { 0.0 })
            }
        };
        let presence = |measured| Presence::of(Dose { asked, measured });
        Some(measured.map(presence).map_err(ObserveError))
    }

    /// Undoes it, if the record is one of these.
    pub(in crate::inject) async fn revert(&self, record: &RevertRecord) -> Option<Result<(), RevertError>> {
        task(record)?;
        let ended = match self.held.get(&record.id) {
            Some(held) => {
                let ceased = held.container.cease(&record.id).await.map_err(|error| error.to_string());
                ceased.map(|()| *held.stage() = Stage::Over)
            }
            None => containers::remove(&record.id, REMOVAL).map(drop),
        };
        let failed =
            |why| RevertError(format!("ending the helper beside the container of {}: {why}", record.service));
        Some(ended.map_err(failed))
    }
}

impl Held {
    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn measure(&self, mark: &str, work: Work, service: &str) -> Result<f64, String> {
        let is_first = self.looks.lock().unwrap_or_else(PoisonError::into_inner).is_empty();
        if is_first {
            self.look(mark, service).await?;
            timer::sleep_until(timer::now() + FIRST_LOOK).await;
        }
        let Some(now) = self.look(mark, service).await? else { return Ok(0.0) };
        let mut looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        now.dose(work, &looks).inspect(|_| now.keep(&mut looks))
    }

    /// What the helper and the groups it is in have used; `None` if the container it was in has ended, and the helper with it.
    async fn look(&self, mark: &str, service: &str) -> Result<Option<Look>, String> {
        let failed = |error| format!("looking at the helper beside {service}: {error}");
        let Some(helper) = self.container.working(mark).await.map_err(failed)? else {
            return self.why_ended(service).await;
        };
        let look = Look { at: helper.at, helper };
        let mut looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        if looks.is_empty() {
            look.keep(&mut looks);
        }
        Ok(Some(look))
    }

    /// A helper ends with its container. One that has ended alone was ended by somebody, and that is no reading.
    async fn why_ended(&self, service: &str) -> Result<Option<Look>, String> {
        let failed = |error| format!("looking at the container of {service}: {error}");
        let state = watch::state(&*self.container).await.map_err(failed)?;
        let same = state.is_some_and(|state| {
            state.started_at == self.started_at && state.status != ContainerStatus::Exited
        });
        if self.container.is_closed() || !same {
            return Ok(None);
        }
        let used = self.container.used().await.map_err(failed)?;
        let limit = used.memory_limit.map_or_else(String::new, |limit| format!(" of {} MiB", limit >> 20));
        Err(format!(
            "the helper in the groups of the container of {service} was ended, and {service} was not: by the kernel, if \
             memory ran out there ({} MiB{limit} are used now)",
            used.memory >> 20
        ))
    }
}

/// Whether so much memory can be taken in a container's group without its limit.
async fn fits(bytes: u64, container: &dyn ContainerControl, service: &str) -> Result<(), InjectError> {
    let failed = |error| InjectError(format!("looking at the memory of {service}: {error}"));
    let used = container.used().await.map_err(failed)?;
    match used.memory_limit {
        Some(limit) if used.memory.saturating_add(bytes) > limit => Err(InjectError(format!(
            "memory_leak: {} MiB do not fit into the container of {service}, which has {} MiB and uses {}: the kernel \
             would end the hog. Ask for less, or raise the container's limit",
            bytes >> 20,
            limit >> 20,
            used.memory >> 20
        ))),
        _ => Ok(()),
    }
}

fn task(record: &RevertRecord) -> Option<Task> {
    serde_json::from_value::<Payload>(record.payload.clone()).ok().map(|payload| payload.container_work)
}
