use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::beside::{self, Kind};
use super::container::{Plan, Works};
use super::crew::{self, Crews, Job};
use super::record;
use super::stress;
use crate::model::{DoseReading, DoseUnit, Fault};
use crate::port::{
    Dose, InjectError, Injector, ObserveError, PlannedStep, Prepared, Presence, RevertError, RevertRecord,
    Rung, Support, Target, UndoStep, Work,
};
use crate::sys::cgroup::Group;
use crate::sys::hook::Role;
use crate::sys::{hog, owner, procfs};
use crate::units::ByteSize;

/// Takes memory away, bit by bit: a process that grows to the size asked for and keeps it.
///
/// Mechanism `hog`: this program started again by its pre-main hook. It grows evenly, by 256 MiB a second or in
/// two seconds, keeps every page hot, stops where less than the floor would stay free, and is the first that the kernel ends when memory runs out
/// all the same. Mechanism `cgroup-hog`: the same, in the service's own memory cgroup, where that is another than ours.
/// Mechanism `sidecar-hog`: the same in the memory group of a container, within its limit.
///
/// Witness: the kernel's account of the hog's memory (`/proc/PID/smaps`): private, in memory, not swapped out and not
/// shared. In another cgroup than it should be, it counts for nothing.
///
/// ```
/// use chaos_test::inject::MemoryLeak;
/// use chaos_test::model::Fault;
/// use chaos_test::port::{InjectError, Injector, Target};
///
/// /// What it would do beside a process, step by step. Nothing of it is done.
/// async fn steps(leak: &Fault, target: &Target) -> Result<Vec<String>, InjectError> {
///     let prepared = MemoryLeak::new().prepare(leak, target, "hog").await?;
///     Ok(prepared.steps.into_iter().map(|step| step.action).collect())
/// }
/// ```
pub struct MemoryLeak {
    role: Role,
    ramp: Duration,
    crews: Crews<u64>,
    containers: Works,
}

#[derive(Serialize, Deserialize)]
struct Payload {
    size: u64,
    /// Where the hog belongs, if not where we are.
    groups: Vec<Group>,
}

const MEMORY: Kind = Kind { name: "memory", controllers: &["memory"] };

/// How many bytes it grows by in a second, and how long it grows at most: the engine wants to see more than half of the
/// dose within five seconds.
const RATE: u64 = 256 << 20;
const RAMP: Duration = Duration::from_secs(2);

impl MemoryLeak {
    /// An injector with nothing injected.
    #[allow(clippy::new_without_default, reason = "an injector is made on purpose")]
    pub fn new() -> Self {
        Self { role: Role::Hog, ramp: RAMP, crews: Crews::new(), containers: Works::new() }
    }

    /// An injector whose hog takes nothing: for the tests that prove the witness notices.
    #[doc(hidden)]
    pub fn with_idle_workers() -> Self {
        Self { role: Role::Idle, ..Self::new() }
    }

    /// An injector whose hog grows as fast as it can: for the bench.
    #[doc(hidden)]
    pub fn at_once() -> Self {
        Self { ramp: Duration::ZERO, ..Self::new() }
    }

    /// Over how long it grows to so many bytes.
    fn ramp_to(&self, size: u64) -> Duration {
        self.ramp.min(Duration::from_secs_f64(size as f64 / RATE as f64))
    }
}

impl Payload {
    fn of(record: &RevertRecord) -> Result<Self, String> {
        record::payload(record, "memory_leak")
    }

    /// What a hog has taken, as far as it is where it belongs; nothing if it has ended.
    fn hoarded(&self, pid: u32) -> Result<f64, String> {
        if !beside::is_in(&self.groups, pid) {
            return Ok(0.0);
        }
        match hog::hoarded(pid) {
            Ok(bytes) => Ok(bytes as f64),
            Err(_) if !procfs::is_running(pid) => Ok(0.0),
            Err(error) => Err(format!("the memory of the hog {pid} cannot be read: {error}")),
        }
    }
}

impl Injector for MemoryLeak {
    fn support(&self, _fault: &Fault, target: &Target) -> Support {
        if let Some(rung) = Works::rung(target, "sidecar-hog") {
            return Support::ladder([rung]);
        }
        let here = Rung::unless("hog", stress::refusal(target));
        Support::ladder([beside::rung("cgroup-hog", MEMORY, target), here])
    }

    async fn prepare(
        &self,
        fault: &Fault,
        target: &Target,
        mechanism: &str,
    ) -> Result<Prepared, InjectError> {
        let Fault::MemoryLeak { size } = fault else {
            return Err(InjectError(format!("memory_leak cannot make {fault}")));
        };
        if target.container.is_some() {
            let plan = Plan {
                work: Work::Hog { bytes: size.bytes(), ramp: self.ramp_to(size.bytes()) },
                unit: DoseUnit::Bytes,
                action: format!("grows to {size} and keeps it"),
                touches: "the container's memory, and that of its engine's host, down to the floor",
            };
            return self.containers.prepare(fault, target, mechanism, plan).await;
        }
        let groups = match mechanism {
            "cgroup-hog" => {
                beside::groups(MEMORY, target).map_err(|refusal| InjectError(refusal.to_string()))?
            }
            _ => Vec::new(),
        };
        let payload = Payload { size: size.bytes(), groups };
        let id = owner::new_mark();
        let undo = vec![UndoStep::EndProcesses { mark: id.clone() }];
        let record = record::made("memory_leak", &target.service, id, undo, &payload)?;
        let place = if payload.groups.is_empty() { "beside" } else { "in the cgroup of" };
        let entered = if payload.groups.is_empty() { "" } else { ", put into the cgroup of the service," };
        Ok(Prepared {
            record,
            mechanism: mechanism.into(),
            detail: format!("{fault} {place} {}", target.service),
            unit: DoseUnit::Bytes,
            asked: payload.size as f64,
            steps: vec![PlannedStep {
                action: format!("start a process{entered} that grows to {size} and keeps it"),
                touches: "memory of this host, down to the floor".into(),
                undo: "the process is ended; it ends with this one, and the reaper ends it by its mark"
                    .into(),
            }],
        })
    }

    async fn prepare_at_rest(
        &self,
        _fault: &Fault,
        target: &Target,
        mechanism: &str,
    ) -> Option<Result<Prepared, InjectError>> {
        let resting = Fault::MemoryLeak { size: ByteSize::new(0) };
        Some(self.prepare(&resting, target, mechanism).await)
    }

    async fn inject(&self, prepared: &Prepared) -> Result<(), InjectError> {
        if let Some(injected) = self.containers.inject(&prepared.record).await {
            return injected;
        }
        let payload = Payload::of(&prepared.record).map_err(InjectError)?;
        let ramp = self.ramp_to(payload.size);
        let order = format!("{} {}", payload.size, ramp.as_millis());
        let job = Job { role: self.role, order: &order, groups: &payload.groups };
        self.crews.hire(&prepared.record, 1, &job)
    }

    async fn observe(&self, record: &RevertRecord) -> Result<Presence, ObserveError> {
        if let Some(seen) = self.containers.observe(record).await {
            return seen;
        }
        let payload = Payload::of(record).map_err(ObserveError)?;
        let asked = payload.size as f64;
        let hired = self.crews.of(record).map(|crew| crew::lock(&crew).pids());
        // Dismissed, or started by another process: whoever carries the mark and runs is still there.
        let hogs = hired.unwrap_or_else(|| crew::marked(record));
        let measured: Result<f64, String> = hogs.iter().map(|pid| payload.hoarded(*pid)).sum();
        let measured = measured.map_err(ObserveError)?;
        if measured <= asked * DoseReading::ENOUGH && hogs.iter().any(|pid| hog::is_at_the_floor(*pid)) {
            return Err(ObserveError(format!(
                "the hog stopped at {:.0} MiB of {:.0}, for less than the floor would have stayed free",
                measured / f64::from(1 << 20),
                asked / f64::from(1 << 20),
            )));
        }
        Ok(Presence::of(Dose { asked, measured }))
    }

    async fn revert(&self, record: &RevertRecord) -> Result<(), RevertError> {
        if let Some(reverted) = self.containers.revert(record).await {
            return reverted;
        }
        self.crews.dismiss(record).map_err(RevertError)
    }
}
