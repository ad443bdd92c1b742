//! Faults on the packets of a service with a network of its own, for the families that can be made so.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::registry::Registry;
use crate::model::{DoseUnit, Fault, Fidelity};
use crate::port::{
    Dose, InjectError, ObserveError, PacketPath, PacketShape, PlannedStep, Prepared, Presence, Refusal,
    RevertError, RevertRecord, Rung, Target, TargetKind, UndoStep,
};
use crate::sys::hook::MARK;
use crate::sys::undo::{self, Claim, STEP_DEADLINE};
use crate::sys::{containers, owner, procfs};

/// What is done to packets, by an injector of either family.
///
/// Mechanisms `netem`, `nft-drop` and `nfqueue`: a helper process in the service's network, or a helper container in that
/// of its container, makes it. It has the fault's mark; it ends with this process, and the fault with it.
///
/// Witness: a byte there and back (delay), or datagrams that are counted (loss), between two ends of our own inside, or
/// between one in the container's network and one in that of its environment.
pub(super) struct Packets {
    paths: Registry<Arc<dyn PacketPath>>,
}

/// A revert record of ours holds nothing else.
#[derive(Serialize, Deserialize)]
struct Payload {
    packets: Treatment,
}

#[derive(Serialize, Deserialize)]
struct Treatment {
    mechanism: String,
    delay: Duration,
    jitter: Duration,
    loss: f64,
}

impl Treatment {
    fn shape(&self) -> PacketShape {
        PacketShape { delay: self.delay, jitter: self.jitter, loss: self.loss }
    }

    fn asked(&self) -> f64 {
        if self.loss > 0.0 { self.loss } else { self.shape().round_trip().as_secs_f64() }
    }
}

/// What makes a fault, by the kind of its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Process,
    Container,
}

impl By {
    fn of(kind: TargetKind) -> Self {
        if kind == TargetKind::Container { Self::Container } else { Self::Process }
    }

    fn noun(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::Container => "container",
        }
    }

    fn undo(self, mark: String) -> UndoStep {
        match self {
            Self::Process => UndoStep::EndProcesses { mark },
            Self::Container => UndoStep::RemoveContainers { mark },
        }
    }

    /// Which packets it has, for people.
    fn packets(self) -> &'static str {
        match self {
            Self::Process => "both ways over its own lo",
            Self::Container => "what its container gets from outside",
        }
    }
}

/// How many packets show whether that share of them is lost: a hundred losses are 100 ± 10.
fn enough(share: f64) -> u32 {
    (100.0 / share.max(1e-6)).clamp(1_000.0, 20_000.0) as u32
}

/// The rungs of those mechanisms for a target; `beyond` says what of the fault no packet rung can make.
pub(super) fn rungs(target: &Target, mechanisms: &[&'static str], beyond: Option<&str>) -> Vec<Rung> {
    let rung = |mechanism| {
        let refusal = match (beyond, &target.packets) {
            (Some(what), _) => Some(Refusal::new(format!("{what} is made in the front door only"), "")),
            (None, Some(packets)) => packets.refusal(mechanism),
            (None, None) => Some(shared(target)),
        };
        Rung::unless(mechanism, refusal).at(Fidelity::Packet)
    };
    mechanisms.iter().copied().map(rung).collect()
}

fn shared(target: &Target) -> Refusal {
    let name = &target.service;
    match target.kind {
        TargetKind::Process => Refusal::new(
            format!("{name} shares the test's network"),
            "start it with `Process::own_network()`",
        ),
        TargetKind::Container => Refusal::new(format!("the packets of {name} are out of reach"), ""),
        TargetKind::Url => Refusal::new(
            format!("{name} was not started by this run, so its packets may not be touched"),
            "start it as a process of the environment, with `Process::own_network()`",
        ),
    }
}

impl Packets {
    pub(super) fn new() -> Self {
        Self { paths: Registry::new() }
    }

    /// Works out a fault of that shape. The unit of its dose is the share that is lost, or seconds if nothing is.
    pub(super) fn prepare(
        &self,
        fault: &Fault,
        target: &Target,
        mechanism: &str,
        shape: PacketShape,
    ) -> Result<Prepared, InjectError> {
        let service = &target.service;
        let path = target.packets.clone();
        let path = path.ok_or_else(|| InjectError(format!("{service} has no network of its own")))?;
        let PacketShape { delay, jitter, loss } = shape;
        let treatment = Treatment { mechanism: mechanism.to_owned(), delay, jitter, loss };
        let (asked, unit) = (treatment.asked(), if loss > 0.0 { DoseUnit::Share } else { DoseUnit::Seconds });
        let (id, by) = (owner::new_mark(), By::of(target.kind));
        let payload = Payload { packets: treatment };
        let record = RevertRecord {
            undo: vec![by.undo(id.clone())],
            id,
            injector: fault.kind().name().into(),
            service: service.clone(),
            payload: serde_json::to_value(&payload).map_err(|error| InjectError(error.to_string()))?,
        };
        self.paths.lock().insert(record.id.clone(), path);
        Ok(Prepared {
            record,
            mechanism: mechanism.to_owned(),
            detail: format!("{fault} on {service} by {mechanism} (packets, {})", by.packets()),
            unit,
            asked,
            steps: vec![PlannedStep {
                action: format!("{fault} by {mechanism}, in the network of {service}"),
                touches: format!(
                    "every packet {service} gets or sends, to its clients and to other services"
                ),
                undo: format!(
                    "a helper {} in that network undoes it; it ends with this process, and the reaper ends it by its \
                     mark",
                    by.noun()
                ),
            }],
        })
    }

    /// Applies it, if the record is one of these.
    pub(super) fn inject(&self, record: &RevertRecord) -> Option<Result<(), InjectError>> {
        let treatment = treatment(record)?;
        let Some(path) = self.paths.get(&record.id) else {
            return Some(Err(InjectError("was not prepared here".into())));
        };
        let applied = path.apply(&record.id, &treatment.mechanism, treatment.shape());
        let failed = |error| {
            InjectError(format!("{} in the network of {}: {error}", treatment.mechanism, record.service))
        };
        Some(applied.map_err(failed))
    }

    /// Measures it, if the record is one of these.
    pub(super) async fn observe(&self, record: &RevertRecord) -> Option<Result<Presence, ObserveError>> {
        let treatment = treatment(record)?;
        let asked = treatment.asked();
        let measured = match self.paths.get(&record.id) {
            None => {
                // Made by another process: it is there as long as the helper that carries its mark.
                let there = helpers(record).into_iter().any(procfs::is_running);
                let there = match contained(record) {
                    Some(mark) => containers::is_left(mark).await,
                    None => Ok(there),
                };
                there.map(|there| if there { asked } else { 0.0 })
            }
            Some(path) if path.is_over() => Ok(0.0),
            Some(path) if treatment.loss > 0.0 => path.lost(enough(treatment.loss)).await,
            // Under jitter each trip is a draw: the least of some would be less than is asked for.
            Some(path) if !treatment.jitter.is_zero() => {
                path.round_trip().await.map(|took| took.as_secs_f64())
            }
            Some(path) => round_trip(&*path).await.map(|took| took.as_secs_f64()),
        };
        let failed = |error| ObserveError(format!("packets of our own in that network: {error}"));
        Some(measured.map(|measured| Presence::of(Dose { asked, measured })).map_err(failed))
    }

    /// Undoes it, if the record is one of these.
    pub(super) fn revert(&self, record: &RevertRecord) -> Option<Result<(), RevertError>> {
        treatment(record)?;
        // From another process, or if it was started and never written down: known by its mark.
        let by_mark = || match contained(record) {
            Some(mark) => containers::remove(mark, STEP_DEADLINE).map(drop).map_err(io::Error::other),
            None => Ok(()),
        };
        let removed = self.paths.get(&record.id).map_or_else(by_mark, |path| path.remove(&record.id));
        let helpers = Claim { wanted: &|mark| mark == record.id, leaders: &[] };
        let ended = undo::end_processes(&helpers, STEP_DEADLINE).map(drop);
        let failed = |error| RevertError(format!("in the network of {}: {error}", record.service));
        Some(removed.and(ended).map_err(failed))
    }
}

/// The least of three trips: what a busy host adds to one is no delay of ours. One that is long by itself is enough.
async fn round_trip(path: &dyn PacketPath) -> io::Result<Duration> {
    const LONG: Duration = Duration::from_millis(300);
    let mut least = path.round_trip().await?;
    for _ in 0..2 {
        if least < LONG {
            least = least.min(path.round_trip().await?);
        }
    }
    Ok(least)
}

fn treatment(record: &RevertRecord) -> Option<Treatment> {
    serde_json::from_value::<Payload>(record.payload.clone()).ok().map(|payload| payload.packets)
}

/// The mark of the containers that make it, if any do.
fn contained(record: &RevertRecord) -> Option<&str> {
    record.undo.iter().find(|step| matches!(step, UndoStep::RemoveContainers { .. }))?.mark()
}

fn helpers(record: &RevertRecord) -> Vec<u32> {
    procfs::with_environment(&format!("{MARK}={}", record.id))
}

#[cfg(test)]
mod tests;
