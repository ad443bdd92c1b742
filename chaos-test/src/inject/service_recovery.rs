use std::sync::Arc;

use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};

use super::container::Crashes;
use super::killing::{process_of, running};
use super::registry::Registry;
use crate::model::{DoseUnit, Fault};
use crate::port::{
    Dose, InjectError, Injector, ObserveError, PlannedStep, Prepared, Presence, ProcessControl, RevertError,
    RevertRecord, Support, Target,
};
use crate::sys::owner::{self, Owner, Standing};
use crate::sys::pidfd::{Ending, PidFd};
use crate::sys::tree::Tree;

/// Kills a service and leaves it to its supervisor to bring it back.
///
/// Mechanism `sigkill`. A service with a restart policy is killed with all of its tree, and the policy starts it. One
/// whose first process does not listen itself is taken to be supervised by that process: then only those of its processes
/// that listen are killed. Of any other nothing would bring it back, and the fault is refused.
///
/// Mechanism `host-kill`: the same for a container with a restart policy of its engine.
///
/// The fault is the crash and no state, so nothing is undone and the harness starts nothing. Witness: the kernel's
/// process table. Those that were to be killed are gone (1), by SIGKILL as far as the kernel says how; else 0.
///
/// ```
/// use chaos_test::inject::ServiceRecovery;
/// use chaos_test::model::{Fault, Pin};
/// use chaos_test::port::{Injector, Target};
///
/// /// An error if nobody would bring it back, for an environment that wants to know at once.
/// fn is_supervised(target: &Target) -> Result<(), chaos_test::Error> {
///     let crash = Fault::ServiceRecovery { container: None, recovery_time_expected: None };
///     let choice = ServiceRecovery::new().support(&crash, target).choose(crash.kind(), &Pin::default());
///     choice.map(drop).map_err(chaos_test::Error::setup)
/// }
/// ```
pub struct ServiceRecovery {
    crashes: Registry<Arc<Crash>>,
    containers: Crashes,
}

/// A crash that was prepared in this process.
struct Crash {
    process: Arc<dyn ProcessControl>,
    /// The victims, held since before they were killed.
    held: Vec<PidFd>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Payload {
    /// Who is killed.
    victims: Vec<Owner>,
    /// And with them all of the service.
    whole: bool,
}

impl Payload {
    fn of(record: &RevertRecord) -> Result<Self, String> {
        serde_json::from_value(record.payload.clone()).map_err(|error| {
            format!("the revert record {} is not one of service_recovery: {error}", record.id)
        })
    }

    /// Who is to be killed, so that somebody is there to bring them back.
    fn aim(target: &Target, process: &Arc<dyn ProcessControl>) -> Result<Self, InjectError> {
        let leader = running(target, process)?;
        if process.restart_policy().is_some() {
            return Ok(Self { victims: vec![leader], whole: true });
        }
        let port = target.address.map_or(0, |address| address.port());
        let victims = Tree::of(&process.mark(), Some(leader.clone())).listeners(port);
        if victims.is_empty() {
            return Err(InjectError(format!(
                "none of the processes of {} listens on its port",
                target.service
            )));
        }
        if victims.contains(&leader) {
            return Err(InjectError(format!(
                "nothing would bring {} back: it has no restart policy, and the process that listens is the one that \
                 this run started, so it has no supervisor of its own",
                target.service
            )));
        }
        Ok(Self { victims, whole: false })
    }
}

impl ServiceRecovery {
    /// An injector with nothing injected.
    #[allow(clippy::new_without_default, reason = "an injector is made on purpose")]
    pub fn new() -> Self {
        Self { crashes: Registry::new(), containers: Crashes::new() }
    }
}

fn pids(victims: &[Owner]) -> String {
    let pids: Vec<String> = victims.iter().map(|victim| victim.pid.to_string()).collect();
    pids.join(", ")
}

impl Injector for ServiceRecovery {
    fn support(&self, _fault: &Fault, target: &Target) -> Support {
        if let Some(rung) = Crashes::rung(target) {
            return Support::ladder([rung]);
        }
        let Some(process) = &target.process else {
            return Support::no(
                "sigkill",
                format!("{} was not started by this run, so it may not be killed", target.service),
                "start it as a process of the environment, with `Process::restart(Restart::OnFailure)`",
            );
        };
        match Payload::aim(target, process) {
            Ok(_) => Support::yes("sigkill"),
            Err(error) => Support::no(
                "sigkill",
                error.0,
                "give it `Process::restart(Restart::OnFailure)`, or start its supervisor as the process and let that \
                 start the service",
            ),
        }
    }

    async fn prepare(
        &self,
        fault: &Fault,
        target: &Target,
        _mechanism: &str,
    ) -> Result<Prepared, InjectError> {
        if target.container.is_some() {
            return self.containers.prepare(fault, target).await;
        }
        let process = process_of(target)?;
        let payload = Payload::aim(target, &process)?;
        let held = payload.victims.iter().map(|victim| {
            PidFd::of(victim).ok_or_else(|| InjectError(format!("process {} has just ended", victim.pid)))
        });
        let held = held.collect::<Result<_, _>>()?;
        let (service, whom) = (&target.service, pids(&payload.victims));
        let (action, by) = match process.restart_policy() {
            Some(policy) => (
                format!("SIGKILL to {service} (pid {whom}), its group and all that carries its mark"),
                format!("its restart policy ({policy})"),
            ),
            None => (
                format!("SIGKILL to the processes of {service} that listen (pid {whom})"),
                "its first process".into(),
            ),
        };
        let record = RevertRecord {
            undo: Vec::new(),
            id: owner::new_mark(),
            injector: "service_recovery".into(),
            service: service.clone(),
            payload: serde_json::to_value(&payload).map_err(|error| InjectError(error.to_string()))?,
        };
        self.crashes.lock().insert(record.id.clone(), Arc::new(Crash { process, held }));
        Ok(Prepared {
            record,
            mechanism: "sigkill".into(),
            detail: format!("{fault}: {action}; to be brought back by {by}"),
            unit: DoseUnit::Down,
            asked: 1.0,
            steps: vec![PlannedStep {
                action,
                touches: format!("{service}, started by this run"),
                undo: format!(
                    "nothing of the harness: {by} is to bring it back; it ends with this run in any case"
                ),
            }],
        })
    }

    async fn inject(&self, prepared: &Prepared) -> Result<(), InjectError> {
        if let Some(injected) = self.containers.inject(&prepared.record).await {
            return injected;
        }
        let payload = Payload::of(&prepared.record).map_err(InjectError)?;
        let crash = self
            .crashes
            .get(&prepared.record.id)
            .ok_or_else(|| InjectError("was not prepared here".into()))?;
        let service = &prepared.record.service;
        if let Some(gone) = payload.victims.iter().find(|victim| victim.standing() != Standing::Alive) {
            return Err(InjectError(format!("process {} of {service} ended before it was killed", gone.pid)));
        }
        let killed = if payload.whole {
            crash.process.crash()
        } else {
            crash.held.iter().try_for_each(|victim| victim.signal(Signal::SIGKILL))
        };
        killed.map_err(|error| InjectError(format!("killing {service}: {error}")))
    }

    async fn observe(&self, record: &RevertRecord) -> Result<Presence, ObserveError> {
        if let Some(seen) = self.containers.observe(record).await {
            return seen;
        }
        let payload = Payload::of(record).map_err(ObserveError)?;
        let Some(crash) = self.crashes.get(&record.id) else {
            // A crash is over when it has happened: nothing of it is left that could be in force.
            return Ok(Presence::Absent(Dose { asked: 1.0, measured: 0.0 }));
        };
        let gone = payload.victims.iter().all(|victim| victim.standing() == Standing::Dead);
        let otherwise = crash
            .held
            .iter()
            .filter_map(PidFd::ending)
            .any(|ending| ending != Ending::Signal(Signal::SIGKILL));
        let measured = f64::from(u8::from(gone && !otherwise));
        Ok(Presence::of(Dose { asked: 1.0, measured }))
    }

    async fn revert(&self, record: &RevertRecord) -> Result<(), RevertError> {
        if let Some(reverted) = self.containers.revert(record) {
            return reverted;
        }
        // What was killed stays killed, and to start it again is the supervisor's business.
        self.crashes.lock().remove(&record.id);
        Ok(())
    }
}
