use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::registry::Registry;
use crate::model::{DoseUnit, Fault};
use crate::port::{
    Dose, InjectError, Injector, ObserveError, PlannedStep, Prepared, Presence, ProcessControl, RevertError,
    RevertRecord, Support, Target,
};
use crate::sys::{owner, procfs, timer};

/// Kills a service without warning and starts it again.
///
/// Mechanism `sigkill`: the process and all of its group get SIGKILL, then whoever else carries its mark; reverting
/// starts the same command again on the same port, unless its environment has ended.
///
/// Witness: the kernel's process table and the service's port. The process that was killed is gone and nobody listens
/// where it did (1: down); after the revert there is a new process (0: up). If the process that was to be killed still
/// runs, or something still takes connections in its place, the dose is 0.
pub struct ContainerCrash {
    services: Registry<Arc<dyn ProcessControl>>,
}

#[derive(Serialize, Deserialize)]
struct Payload {
    pid: u32,
    start_ticks: Option<u64>,
    /// Where it listened.
    address: Option<SocketAddr>,
}

impl ContainerCrash {
    /// An injector with nothing injected.
    #[allow(clippy::new_without_default, reason = "an injector is made on purpose")]
    pub fn new() -> Self {
        Self { services: Registry::new() }
    }
}

fn payload(record: &RevertRecord) -> Result<Payload, String> {
    serde_json::from_value(record.payload.clone())
        .map_err(|error| format!("the revert record {} is not one of container_crash: {error}", record.id))
}

/// Whether somebody takes connections there.
async fn answers(address: Option<SocketAddr>) -> bool {
    let Some(address) = address else { return false };
    let connecting = tokio::net::TcpStream::connect(address);
    matches!(tokio::time::timeout(Duration::from_millis(200), connecting).await, Ok(Ok(_)))
}

impl Injector for ContainerCrash {
    fn support(&self, _fault: &Fault, target: &Target) -> Support {
        match target.process {
            Some(_) => Support::Yes { mechanism: "sigkill" },
            None => Support::No {
                reason: format!("{} was not started by this run, so it may not be killed", target.service),
            },
        }
    }

    async fn prepare(&self, fault: &Fault, target: &Target) -> Result<Prepared, InjectError> {
        let process = target
            .process
            .clone()
            .ok_or_else(|| InjectError(format!("{} was not started by this run", target.service)))?;
        let pid = process.pid().ok_or_else(|| InjectError(format!("{} is not running", target.service)))?;
        let payload = Payload { pid, start_ticks: procfs::start_ticks(pid), address: target.address };
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
        let service = self
            .services
            .get(&prepared.record.id)
            .ok_or_else(|| InjectError("was not prepared here".into()))?;
        service.kill().map_err(|error| InjectError(format!("killing {}: {error}", prepared.record.service)))
    }

    async fn observe(&self, record: &RevertRecord) -> Result<Presence, ObserveError> {
        let killed = payload(record).map_err(ObserveError)?;
        let same = procfs::start_ticks(killed.pid) == killed.start_ticks && procfs::is_running(killed.pid);
        let replaced = self
            .services
            .get(&record.id)
            .is_none_or(|service| service.pid().is_some() || service.is_closed());
        // A process that started the service and is gone may have left it behind (a shell, a container runtime).
        let measured = if same || replaced || answers(killed.address).await { 0.0 } else { 1.0 };
        Ok(Presence::of(Dose { asked: 1.0, measured }))
    }

    async fn revert(&self, record: &RevertRecord) -> Result<(), RevertError> {
        // In another process there is nothing to start: the service belonged to the process that is gone.
        let Some(service) = self.services.get(&record.id) else { return Ok(()) };
        service
            .respawn()
            .map_err(|error| RevertError(format!("starting {} again: {error}", record.service)))?;
        // A command that cannot run at all ends at once; that is worth knowing now.
        timer::sleep_until(timer::now() + Duration::from_millis(5)).await;
        match service.pid() {
            Some(_) => Ok(()),
            // Its environment has ended meanwhile: there is nothing left that could be down.
            None if service.is_closed() => Ok(()),
            None => Err(RevertError(format!("{} ended as soon as it was started again", record.service))),
        }
    }
}
