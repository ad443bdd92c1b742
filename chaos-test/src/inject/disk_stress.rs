use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::container::{Plan, Works};
use super::crew::{self, Crews, Job};
use super::record;
use crate::model::{DoseReading, DoseUnit, Fault};
use crate::port::{
    Dose, InjectError, Injector, ObserveError, PlannedStep, Prepared, Presence, Refusal, RevertError,
    RevertRecord, Rung, Support, Target, UndoStep, Work,
};
use crate::sys::hook::Role;
use crate::sys::writer::{self, Written};
use crate::sys::{files, filesystem, owner, timer, undo};
use crate::units::ByteSize;

/// Competes with the service for its disk: processes that write and sync on its file system.
///
/// Mechanism `writers`: this program started again by its pre-main hook, once per worker. Each writes four mebibytes
/// and syncs them, again and again, in a file without a name and of bounded size, where the service has its data.
/// Mechanism `sidecar-writers`: threads of a helper in the groups of a container, in the first of its volumes that a file
/// without a name can be in, or else in the helper's own layer, on the same disk.
///
/// Witness: the kernel's account of each writer (`/proc/PID/io`): it has written since the look before, to a disk and
/// not only to memory, and has a file open on the device where it is to write.
///
/// ```
/// use chaos_test::inject::DiskStress;
/// use chaos_test::model::Fault;
/// use chaos_test::port::{Injector, Target};
///
/// /// Whether it has its data where a sync reaches a disk: on a tmpfs it does not.
/// fn has_a_disk(stress: &Fault, target: &Target) -> bool {
///     DiskStress::new().support(stress, target).rungs().iter().any(|rung| rung.refusal.is_none())
/// }
/// ```
pub struct DiskStress {
    role: Role,
    crews: Crews<Written>,
    containers: Works,
}

#[derive(Serialize, Deserialize)]
struct Payload {
    workers: u32,
    /// How large the file of each may become.
    most: ByteSize,
    dir: String,
    device: u64,
    /// The name that files have for a moment, where they need one.
    named: Option<PathBuf>,
    /// Whether the workers are there and do nothing.
    #[serde(default)]
    at_rest: bool,
}

/// How long the first look takes; later ones cover the time since one before.
const FIRST_LOOK: Duration = Duration::from_millis(50);

impl DiskStress {
    /// An injector with nothing injected.
    #[allow(clippy::new_without_default, reason = "an injector is made on purpose")]
    pub fn new() -> Self {
        Self { role: Role::Write, crews: Crews::new(), containers: Works::new() }
    }

    /// An injector whose workers do nothing: for the tests that prove the witness notices.
    #[doc(hidden)]
    pub fn with_idle_workers() -> Self {
        Self { role: Role::Idle, ..Self::new() }
    }
}

impl Payload {
    fn of(record: &RevertRecord) -> Result<Self, String> {
        record::payload(record, "disk_stress")
    }
}

/// Where workers can write beside the service: the directory, and what a file there is.
fn ground(target: &Target) -> Result<(&str, filesystem::Ground), Refusal> {
    let service = &target.service;
    let Some(dir) = &target.disk else {
        let why = format!("{service} was not started by this run, so it is not known where its data is");
        return Err(Refusal::new(why, "start it as a process of the environment"));
    };
    let fix = "say where its data is: `Process::data_dir(\"…\")`";
    let shown = dir.display();
    let text = dir.to_str().ok_or_else(|| Refusal::new(format!("the path {shown} is not UTF-8"), fix))?;
    if !writer::is_accounted() {
        return Err(Refusal::new("this kernel keeps no account of what processes write", ""));
    }
    let found = filesystem::look(dir);
    let found =
        found.map_err(|unfit| Refusal::new(format!("{service} has its data in {shown}; {unfit}"), fix))?;
    Ok((text, found))
}

impl Injector for DiskStress {
    fn support(&self, _fault: &Fault, target: &Target) -> Support {
        if let Some(rung) = Works::rung(target, "sidecar-writers") {
            return Support::ladder([rung]);
        }
        Support::ladder([Rung::unless("writers", ground(target).err())])
    }

    async fn prepare(
        &self,
        fault: &Fault,
        target: &Target,
        mechanism: &str,
    ) -> Result<Prepared, InjectError> {
        let Fault::DiskStress { workers, sync: None } = fault else {
            return Err(InjectError(format!("disk_stress cannot make {fault}")));
        };
        let all = fault.disk_space_taken().unwrap_or(ByteSize::new(0));
        let most = ByteSize::new(all.bytes() / u64::from(workers.get()));
        if target.container.is_some() {
            let plan = Plan {
                work: Work::Write { workers: workers.get(), most: most.bytes() },
                unit: DoseUnit::Workers,
                action: format!("writes and syncs with {workers} workers, each in a file of at most {most}"),
                touches: "the file system of the container's first volume, or else of its engine's layers",
            };
            return self.containers.prepare(fault, target, mechanism, plan).await;
        }
        let (dir, ground) = ground(target).map_err(|refusal| InjectError(refusal.to_string()))?;
        let id = owner::new_mark();
        let named = (!ground.nameless).then(|| writer::name(Path::new(dir), &id));
        let mut undo = vec![UndoStep::EndProcesses { mark: id.clone() }];
        undo.extend(named.as_ref().map(|path| {
            let path = path.to_string_lossy().into_owned();
            UndoStep::RemoveFile { path, mark: id.clone() }
        }));
        let (workers, device) = (workers.get(), ground.device);
        let payload = Payload { workers, most, dir: dir.to_owned(), device, named, at_rest: false };
        let record = record::made("disk_stress", &target.service, id, undo, &payload)?;
        Ok(Prepared {
            record,
            mechanism: mechanism.into(),
            detail: format!("{fault} beside {} in {dir}", target.service),
            unit: DoseUnit::Workers,
            asked: f64::from(payload.workers),
            steps: vec![PlannedStep {
                action: format!(
                    "start {workers} worker processes that write and sync in {dir}, each in a file of at most {most}"
                ),
                touches: "the file system of that directory".into(),
                undo: "the workers are ended, and their files go with them; they end with this process, and the reaper \
                       ends them by their mark"
                    .into(),
            }],
        })
    }

    async fn prepare_at_rest(
        &self,
        fault: &Fault,
        target: &Target,
        mechanism: &str,
    ) -> Option<Result<Prepared, InjectError>> {
        let Fault::DiskStress { workers, sync: None } = fault else { return None };
        if target.container.is_some() {
            let plan = Plan {
                work: Work::Burn { workers: workers.get(), load: 0.0 },
                unit: DoseUnit::Workers,
                action: format!("sleeps with {workers} workers"),
                touches: "nothing",
            };
            return Some(self.containers.prepare(fault, target, mechanism, plan).await);
        }
        let prepared = self.prepare(fault, target, mechanism).await;
        Some(prepared.and_then(|mut prepared| {
            let payload = Payload::of(&prepared.record).map_err(InjectError)?;
            let payload = serde_json::to_value(Payload { at_rest: true, ..payload });
            prepared.record.payload = payload.map_err(|error| InjectError(error.to_string()))?;
            Ok(prepared)
        }))
    }

    async fn inject(&self, prepared: &Prepared) -> Result<(), InjectError> {
        if let Some(injected) = self.containers.inject(&prepared.record).await {
            return injected;
        }
        let payload = Payload::of(&prepared.record).map_err(InjectError)?;
        let order = format!("{} {}", payload.most.bytes(), payload.dir);
        let role = if payload.at_rest { Role::Idle } else { self.role };
        let job = Job { role, order: &order, groups: &[] };
        self.crews.hire(&prepared.record, payload.workers, &job)
    }

    async fn observe(&self, record: &RevertRecord) -> Result<Presence, ObserveError> {
        if let Some(seen) = self.containers.observe(record).await {
            return seen;
        }
        let payload = Payload::of(record).map_err(ObserveError)?;
        let asked = f64::from(payload.workers);
        let Some(crew) = self.crews.of(record) else {
            // Dismissed, or started by another process: whoever carries the mark and runs is still there.
            let running = crew::marked(record).len() as f64;
            return match payload.named.filter(|path| files::is_file(path)) {
                Some(path) if running == 0.0 => {
                    Err(ObserveError(format!("the file {} is still there", path.display())))
                }
                _ => Ok(Presence::of(Dose { asked, measured: running })),
            };
        };
        let look = || {
            // Who cannot be looked at has ended.
            let read = |pid| writer::written(pid, payload.device).ok().flatten();
            crew::lock(&crew).look(read, |before, now, _| f64::from(u8::from(now.since(before))))
        };
        if crew::lock(&crew).is_new() {
            look();
            timer::sleep_until(timer::now() + FIRST_LOOK).await;
        }
        let measured = look();
        match crew::lock(&crew).ended() {
            Some(Some(errno)) if measured <= asked * DoseReading::ENOUGH => {
                let why = std::io::Error::from_raw_os_error(errno);
                Err(ObserveError(format!("a worker could not go on writing in {}: {why}", payload.dir)))
            }
            _ => Ok(Presence::of(Dose { asked, measured })),
        }
    }

    async fn revert(&self, record: &RevertRecord) -> Result<(), RevertError> {
        if let Some(reverted) = self.containers.revert(record).await {
            return reverted;
        }
        self.crews.dismiss(record).map_err(RevertError)?;
        match Payload::of(record).map_err(RevertError)?.named {
            Some(path) => undo::remove_file(&path, &record.id).map(drop).map_err(RevertError),
            None => Ok(()),
        }
    }
}
