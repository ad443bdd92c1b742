use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::beside::{self, Kind};
use super::container::{Plan, Works};
use super::crew::{self, Crews, Job};
use super::record;
use super::stress;
use crate::model::{DoseUnit, Fault};
use crate::port::{
    Dose, InjectError, Injector, ObserveError, PlannedStep, Prepared, Presence, RevertError, RevertRecord,
    Rung, Support, Target, UndoStep, Work,
};
use crate::sys::cgroup::Group;
use crate::sys::hook::Role;
use crate::sys::procfs::{self, CpuTime};
use crate::sys::{env, owner, timer};
use crate::units::Percent;

/// Competes with the service for the processor: worker processes that never sleep, or only for a share of the time.
///
/// Mechanism `workers`: this program started again by its pre-main hook, once per worker, each in a session of its
/// own (under autogroup scheduling, workers in one session would share one share). They live on a pipe to this
/// process and end with it. Mechanism `cgroup-workers`: the same, in the service's own CPU cgroup, where that is
/// another than ours. Mechanism `sidecar-workers`: threads of a helper in the groups of a container.
///
/// Witness: the scheduler's account of each worker (`/proc/PID/schedstat`): time on a processor, and time spent ready
/// and waiting for one. A worker counts for what it used. One that hardly ever slept was ready all the time, which is
/// all that a worker can do: it counts for what was asked of it even where it had to wait. One that slept had all that
/// it wanted, so what it waited before says nothing. In another cgroup than it should be, it counts for nothing.
///
/// ```
/// use chaos_test::inject::CpuExhaust;
/// use chaos_test::model::Fault;
/// use chaos_test::port::{Injector, Target};
///
/// /// Whether the workers can be put into the service's own group, so that they press on it more than on the host.
/// fn can_be_beside(stress: &Fault, target: &Target) -> bool {
///     let support = CpuExhaust::new().support(stress, target);
///     support.rungs().iter().any(|rung| rung.mechanism == "cgroup-workers" && rung.refusal.is_none())
/// }
/// ```
pub struct CpuExhaust {
    role: Role,
    crews: Crews<CpuTime>,
    containers: Works,
}

#[derive(Serialize, Deserialize)]
struct Payload {
    workers: u32,
    /// The share of one processor that each asks for.
    load: f64,
    /// Where the workers belong, if not where we are.
    groups: Vec<Group>,
}

/// Without its workers' sleep a processor's time is shared by these.
const CPU: Kind = Kind { name: "CPU", controllers: &["cpu", "cpuacct", "cpuset"] };

/// How long the first look takes; later ones cover the time since one before.
const FIRST_LOOK: Duration = Duration::from_millis(50);

/// A worker that was ready for at least this share of the time never slept, as far as that can be told.
const ALWAYS: f64 = 0.9;

impl CpuExhaust {
    /// An injector with nothing injected.
    #[allow(clippy::new_without_default, reason = "an injector is made on purpose")]
    pub fn new() -> Self {
        Self { role: Role::Burn, crews: Crews::new(), containers: Works::new() }
    }

    /// An injector whose workers do nothing: for the tests that prove the witness notices.
    #[doc(hidden)]
    pub fn with_idle_workers() -> Self {
        Self { role: Role::Idle, ..Self::new() }
    }
}

impl Payload {
    fn of(record: &RevertRecord) -> Result<Self, String> {
        record::payload(record, "cpu_exhaust")
    }

    /// Cores.
    fn asked(&self) -> f64 {
        f64::from(self.workers) * self.load
    }
}

/// What a worker asked for of one processor, by what it used and waited meanwhile.
pub(super) fn demand(before: &CpuTime, now: &CpuTime, elapsed: Duration, load: f64) -> f64 {
    let share = |now: Duration, before: Duration| now.saturating_sub(before).div_duration_f64(elapsed);
    let (used, waited) = (share(now.used, before.used), share(now.waited, before.waited));
    if elapsed.is_zero() || used == 0.0 {
        return 0.0;
    }
    let always_ready = used + waited >= ALWAYS;
    if always_ready { used.max(load.min(used + waited)) } else { used }.min(1.0)
}

impl Injector for CpuExhaust {
    fn support(&self, _fault: &Fault, target: &Target) -> Support {
        if let Some(rung) = Works::rung(target, "sidecar-workers") {
            return Support::ladder([rung]);
        }
        let here = Rung::unless("workers", stress::refusal(target));
        Support::ladder([beside::rung("cgroup-workers", CPU, target), here])
    }

    async fn prepare(
        &self,
        fault: &Fault,
        target: &Target,
        mechanism: &str,
    ) -> Result<Prepared, InjectError> {
        let Fault::CpuExhaust { workers, load } = fault else {
            return Err(InjectError(format!("cpu_exhaust cannot make {fault}")));
        };
        let sleep =
            if load.ratio() < 1.0 { format!("work {load} of the time") } else { "never sleep".into() };
        if target.container.is_some() {
            let plan = Plan {
                work: Work::Burn { workers: workers.get(), load: load.ratio() },
                unit: DoseUnit::Cores,
                action: format!("burns with {workers} workers that {sleep}"),
                touches: "the container's processor time",
            };
            return self.containers.prepare(fault, target, mechanism, plan).await;
        }
        let groups = match mechanism {
            "cgroup-workers" => {
                beside::groups(CPU, target).map_err(|refusal| InjectError(refusal.to_string()))?
            }
            _ => Vec::new(),
        };
        let payload = Payload { workers: workers.get(), load: load.ratio(), groups };
        let id = owner::new_mark();
        let undo = vec![UndoStep::EndProcesses { mark: id.clone() }];
        let record = record::made("cpu_exhaust", &target.service, id, undo, &payload)?;
        let place = if payload.groups.is_empty() { "beside" } else { "in the cgroup of" };
        let entered =
            if payload.groups.is_empty() { "" } else { ", and put them into the cgroup of the service" };
        Ok(Prepared {
            record,
            mechanism: mechanism.into(),
            detail: format!("{fault} {place} {} on {} processors", target.service, env::processors()),
            unit: DoseUnit::Cores,
            asked: payload.asked(),
            steps: vec![PlannedStep {
                action: format!("start {workers} worker processes that {sleep}{entered}"),
                touches: "processor time of this host".into(),
                undo: "the workers are ended; they end with this process, and the reaper ends them by their mark".into(),
            }],
        })
    }

    async fn prepare_at_rest(
        &self,
        fault: &Fault,
        target: &Target,
        mechanism: &str,
    ) -> Option<Result<Prepared, InjectError>> {
        let Fault::CpuExhaust { workers, .. } = fault else { return None };
        let resting = Fault::CpuExhaust { workers: *workers, load: Percent::ZERO };
        Some(self.prepare(&resting, target, mechanism).await)
    }

    async fn inject(&self, prepared: &Prepared) -> Result<(), InjectError> {
        if let Some(injected) = self.containers.inject(&prepared.record).await {
            return injected;
        }
        let payload = Payload::of(&prepared.record).map_err(InjectError)?;
        let job = Job { role: self.role, order: &payload.load.to_string(), groups: &payload.groups };
        self.crews.hire(&prepared.record, payload.workers, &job)
    }

    async fn observe(&self, record: &RevertRecord) -> Result<Presence, ObserveError> {
        if let Some(seen) = self.containers.observe(record).await {
            return seen;
        }
        let payload = Payload::of(record).map_err(ObserveError)?;
        let asked = payload.asked();
        let Some(crew) = self.crews.of(record) else {
            // Dismissed, or started by another process: whoever carries the mark and runs is still there.
            let running = crew::marked(record).len() as f64;
            return Ok(Presence::of(Dose { asked, measured: running * payload.load }));
        };
        let look = || {
            let read = |pid| beside::is_in(&payload.groups, pid).then(|| procfs::cpu_time(pid).ok())?;
            let worth = |before: &_, now: &_, elapsed| demand(before, now, elapsed, payload.load);
            crew::lock(&crew).look(read, worth)
        };
        if crew::lock(&crew).is_new() {
            look();
            timer::sleep_until(timer::now() + FIRST_LOOK).await;
        }
        Ok(Presence::of(Dose { asked, measured: look() }))
    }

    async fn revert(&self, record: &RevertRecord) -> Result<(), RevertError> {
        if let Some(reverted) = self.containers.revert(record).await {
            return reverted;
        }
        self.crews.dismiss(record).map_err(RevertError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of one second.
    fn demand_of(used: u64, waited: u64, load: f64) -> f64 {
        let now = CpuTime { used: Duration::from_millis(used), waited: Duration::from_millis(waited) };
        demand(&CpuTime::default(), &now, Duration::from_secs(1), load)
    }

    #[test]
    fn who_is_always_ready_asks_for_all_it_was_told_to() {
        assert_eq!(demand_of(1000, 0, 1.0), 1.0);
        assert_eq!(demand_of(250, 750, 1.0), 1.0, "four of them on one processor");
        assert_eq!(demand_of(100, 900, 0.25), 0.25, "it had to wait for its quarter");
    }

    #[test]
    fn who_sleeps_asks_for_what_it_used() {
        assert_eq!(demand_of(250, 0, 0.25), 0.25);
        assert_eq!(demand_of(250, 300, 0.25), 0.25, "late, and served in full");
        assert_eq!(demand_of(10, 400, 0.25), 0.01, "hardly any work, on a busy host");
        assert_eq!(demand_of(500, 300, 1.0), 0.5, "half of the work, on a busy host");
        assert_eq!(demand_of(900, 0, 0.25), 0.9, "too much is told as well");
    }

    #[test]
    fn who_used_nothing_asks_for_nothing() {
        assert_eq!(demand_of(0, 1000, 1.0), 0.0);
        assert_eq!(demand(&CpuTime::default(), &CpuTime::default(), Duration::ZERO, 1.0), 0.0);
    }
}
