use std::sync::Arc;
use std::time::Duration;

use super::registry::Registry;
use crate::model::{DoseUnit, Fault, SyncFault};
use crate::port::{
    Dose, InjectError, Injector, ObserveError, PlannedStep, Prepared, Presence, ProcessControl, RevertError,
    RevertRecord, Rung, Support, SyncControl, Target,
};
use crate::sys::{owner, procfs, syncs};

/// Makes a service's own syncs late, or makes them fail.
///
/// Mechanism `seccomp-notify`: the service was started under a filter by which the kernel asks this process about every
/// sync. Each is let go on after the delay, or answered with the error. Needs no privileges.
///
/// Witness: a process of ours under a filter of the same orders syncs a file of its own where the service has its files;
/// the dose is what that took longer than a sync under no orders, or 1 where it failed as asked. It counts only while the
/// kernel says that the service is under a filter. Undone by new orders; it ends with this process.
///
/// ```
/// use chaos_test::inject::SyncFaults;
/// use chaos_test::model::Fault;
/// use chaos_test::port::{Injector, Target};
///
/// /// What to change, so that the syncs of this service can go wrong; empty if nothing helps on this host.
/// fn to_change(fault: &Fault, target: &Target) -> Option<String> {
///     let support = SyncFaults::new().support(fault, target);
///     support.rungs().iter().find_map(|rung| Some(rung.refusal.as_ref()?.fix.clone()))
/// }
/// ```
pub struct SyncFaults {
    services: Registry<Supervised>,
}

#[derive(Clone)]
struct Supervised {
    syncs: Arc<dyn SyncControl>,
    process: Option<Arc<dyn ProcessControl>>,
}

impl SyncFaults {
    /// An injector with nothing injected.
    #[allow(clippy::new_without_default, reason = "an injector is made on purpose")]
    pub fn new() -> Self {
        Self { services: Registry::new() }
    }
}

fn payload(record: &RevertRecord) -> Result<SyncFault, String> {
    serde_json::from_value(record.payload.clone())
        .map_err(|error| format!("the revert record {} is not one of a fault of syncs: {error}", record.id))
}

/// The dose asked for, in the unit of the fault.
fn asked(fault: SyncFault) -> f64 {
    match fault {
        SyncFault::Delay(delay) => delay.as_secs_f64(),
        SyncFault::Failed | SyncFault::Full => 1.0,
    }
}

impl Injector for SyncFaults {
    fn support(&self, _fault: &Fault, target: &Target) -> Support {
        let service = &target.service;
        Support::ladder([match (&target.process, &target.syncs, syncs::refusal()) {
            (Some(_), Some(_), _) => Rung::offered("seccomp-notify"),
            _ if target.container.is_some() => Rung::refused(
                "seccomp-notify",
                format!(
                    "{service} is in a container, which its engine starts: nobody asks us about its syncs"
                ),
                "start it as a process of the environment, with `Process::supervised_syncs()`",
            ),
            (None, ..) => Rung::refused(
                "seccomp-notify",
                format!("{service} was not started by this run, so nobody asks us about its syncs"),
                "start it as a process of the environment, with `Process::supervised_syncs()`",
            ),
            (Some(_), None, Some(why)) => Rung::refused("seccomp-notify", why, ""),
            (Some(_), None, None) => Rung::refused(
                "seccomp-notify",
                format!("nobody asks us about the syncs of {service}"),
                "start it with `Process::supervised_syncs()`",
            ),
        }])
    }

    async fn prepare(
        &self,
        fault: &Fault,
        target: &Target,
        mechanism: &str,
    ) -> Result<Prepared, InjectError> {
        let sync = fault.sync().ok_or_else(|| InjectError(format!("{mechanism} cannot make {fault}")))?;
        let syncs = target.syncs.clone();
        let syncs =
            syncs.ok_or_else(|| InjectError(format!("the syncs of {} are its own", target.service)))?;
        let record = RevertRecord {
            undo: Vec::new(),
            id: owner::new_mark(),
            injector: "sync_fault".into(),
            service: target.service.clone(),
            payload: serde_json::to_value(sync).map_err(|error| InjectError(error.to_string()))?,
        };
        self.services.lock().insert(record.id.clone(), Supervised { syncs, process: target.process.clone() });
        Ok(Prepared {
            record,
            mechanism: mechanism.into(),
            detail: format!("{fault} on {} by {mechanism}", target.service),
            unit: match sync {
                SyncFault::Delay(_) => DoseUnit::Seconds,
                SyncFault::Failed | SyncFault::Full => DoseUnit::Share,
            },
            asked: asked(sync),
            steps: vec![PlannedStep {
                action: format!("{fault}: the kernel asks about every sync, and is answered so"),
                touches: format!("fsync, fdatasync, syncfs, sync_file_range and msync of {}", target.service),
                undo: "every sync goes on at once again; it ends with this process, and the service does too"
                    .into(),
            }],
        })
    }

    async fn inject(&self, prepared: &Prepared) -> Result<(), InjectError> {
        let supervised = self.services.get(&prepared.record.id);
        let supervised = supervised.ok_or_else(|| InjectError("was not prepared here".into()))?;
        supervised.syncs.set(Some(payload(&prepared.record).map_err(InjectError)?));
        Ok(())
    }

    async fn observe(&self, record: &RevertRecord) -> Result<Presence, ObserveError> {
        let fault = payload(record).map_err(ObserveError)?;
        let dose = |measured| Presence::of(Dose { asked: asked(fault), measured });
        // The orders were those of a process that is gone.
        let Some(supervised) = self.services.get(&record.id) else { return Ok(dose(0.0)) };
        let pid = supervised.process.as_ref().and_then(|process| process.pid());
        // A service that is down syncs nothing.
        let Some(pid) = pid else { return Ok(dose(0.0)) };
        let filtered = procfs::is_filtered(pid)
            .map_err(|error| ObserveError(format!("whether pid {pid} is under a filter: {error}")))?;
        if !filtered {
            return Ok(dose(0.0));
        }
        let longest = match fault {
            SyncFault::Delay(delay) => delay,
            SyncFault::Failed | SyncFault::Full => Duration::ZERO,
        };
        let trial = supervised
            .syncs
            .trial(longest)
            .map_err(|error| ObserveError(format!("syncing a file under the fault: {error}")))?;
        Ok(dose(match (fault, trial.error) {
            (SyncFault::Delay(_), None) => trial.took.saturating_sub(trial.direct).as_secs_f64(),
            (SyncFault::Failed, Some(EIO)) | (SyncFault::Full, Some(ENOSPC)) => 1.0,
            _ => 0.0,
        }))
    }

    async fn revert(&self, record: &RevertRecord) -> Result<(), RevertError> {
        if let Some(supervised) = self.services.get(&record.id) {
            supervised.syncs.set(None);
        }
        Ok(())
    }
}

/// The same number on every Linux.
const EIO: i32 = nix::libc::EIO;
const ENOSPC: i32 = nix::libc::ENOSPC;
