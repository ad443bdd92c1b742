use std::sync::Arc;

use super::container::Outages;
use super::killing::{Killed, bring_back, process_of};
use super::registry::Registry;
use crate::model::{DoseUnit, Fault};
use crate::port::{
    Dose, InjectError, Injector, ObserveError, PlannedStep, Prepared, Presence, ProcessControl, RevertError,
    RevertRecord, Support, Target,
};
use crate::sys::owner;

/// Kills a service without warning and starts it again.
///
/// Mechanism `sigkill`: the process and all of its group get SIGKILL, then whoever else carries its mark; reverting
/// starts the same command again on the same port, unless its environment has ended.
///
/// Mechanism `engine-kill`: the same for a container, by its engine, which holds it down.
///
/// Witness: the kernel's process table and the service's port. The process that was killed is gone and nobody listens
/// where it did (1: down); after the revert there is a new process (0: up). If the process that was to be killed still
/// runs, or something still takes connections in its place, the dose is 0. Of a container it is the engine's word, and
/// the service's own readiness.
///
/// ```
/// use chaos_test::inject::ContainerCrash;
/// use chaos_test::model::Fault;
/// use chaos_test::port::{Injector, Target};
///
/// /// Why a crash of it would be refused, and what would make it possible.
/// fn refusal(crash: &Fault, target: &Target) -> Option<String> {
///     let support = ContainerCrash::new().support(crash, target);
///     support.rungs().iter().find_map(|rung| Some(rung.refusal.as_ref()?.to_string()))
/// }
/// ```
pub struct ContainerCrash {
    services: Registry<Arc<dyn ProcessControl>>,
    containers: Outages,
}

impl ContainerCrash {
    /// An injector with nothing injected.
    #[allow(clippy::new_without_default, reason = "an injector is made on purpose")]
    pub fn new() -> Self {
        Self { services: Registry::new(), containers: Outages::new() }
    }
}

fn payload(record: &RevertRecord) -> Result<Killed, String> {
    serde_json::from_value(record.payload.clone())
        .map_err(|error| format!("the revert record {} is not one of container_crash: {error}", record.id))
}

impl Injector for ContainerCrash {
    fn support(&self, _fault: &Fault, target: &Target) -> Support {
        if target.container.is_some() {
            return Support::ladder([Outages::rung("engine-kill")]);
        }
        match target.process {
            Some(_) => Support::yes("sigkill"),
            None => Support::no(
                "sigkill",
                format!("{} was not started by this run, so it may not be killed", target.service),
                "start it as a process of the environment",
            ),
        }
    }

    async fn prepare(
        &self,
        fault: &Fault,
        target: &Target,
        mechanism: &str,
    ) -> Result<Prepared, InjectError> {
        if Outages::makes(mechanism) {
            // How long the service takes to be ready is what is measured afterwards.
            return self.containers.prepare(fault, target, mechanism, false).await;
        }
        let process = process_of(target)?;
        let payload = Killed::of(target, &process)?;
        let pid = payload.pid;
        let record = RevertRecord {
            undo: Vec::new(),
            id: owner::new_mark(),
            injector: "container_crash".into(),
            service: target.service.clone(),
            payload: serde_json::to_value(&payload).map_err(|error| InjectError(error.to_string()))?,
        };
        self.services.lock().insert(record.id.clone(), process);
        Ok(Prepared {
            record,
            mechanism: "sigkill".into(),
            detail: format!("{fault}: SIGKILL to {} (pid {pid}) and its group", target.service),
            unit: DoseUnit::Down,
            asked: 1.0,
            steps: vec![PlannedStep {
                action: format!("SIGKILL to {} (pid {pid}), its group and all that carries its mark", target.service),
                touches: format!("{}, started by this run", target.service),
                undo: "the same command is started again on the same port; without this process the reaper ends it".into(),
            }],
        })
    }

    async fn inject(&self, prepared: &Prepared) -> Result<(), InjectError> {
        if let Some(injected) = self.containers.inject(&prepared.record).await {
            return injected;
        }
        let service = self
            .services
            .get(&prepared.record.id)
            .ok_or_else(|| InjectError("was not prepared here".into()))?;
        service.kill().map_err(|error| InjectError(format!("killing {}: {error}", prepared.record.service)))
    }

    async fn observe(&self, record: &RevertRecord) -> Result<Presence, ObserveError> {
        if let Some(seen) = self.containers.observe(record).await {
            return seen;
        }
        let killed = payload(record).map_err(ObserveError)?;
        let down = killed.is_down(self.services.get(&record.id).as_ref()).await;
        let measured = f64::from(u8::from(down));
        Ok(Presence::of(Dose { asked: 1.0, measured }))
    }

    async fn revert(&self, record: &RevertRecord) -> Result<(), RevertError> {
        if let Some(reverted) = self.containers.revert(record).await {
            return reverted;
        }
        // In another process there is nothing to start: the service belonged to the process that is gone.
        let Some(service) = self.services.get(&record.id) else { return Ok(()) };
        bring_back(&service, &record.service).await
    }
}
