//! Helpers that work in the groups of a container, so that its limits, and only it, feel them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::engine::{engine, told};
use super::remove;
use super::sidecar::{Place, Sidecar};
use crate::port::{Refusal, Work, WorkDone};
use crate::sys::sidecar::{OWN_LAYER, Order, Progress, Reply, WorkOrder, groups};
use crate::sys::timer;

/// Where the groups are on the engine's host.
const GROUPS: &str = "/sys/fs/cgroup";
/// How long removing a helper may take.
const REMOVAL: Duration = Duration::from_secs(10);

/// The helpers at work on one container, by their marks.
#[derive(Default)]
pub(super) struct Helpers {
    at_work: Mutex<HashMap<String, Known>>,
}

/// What is known of a helper.
enum Known {
    AtWork(Arc<Sidecar>),
    /// It was ended, or is not to begin: a start that was given up may still be under way.
    Over,
}

/// The container that is worked on.
pub(super) struct Whose {
    pub(super) id: String,
    /// What it carries in its labels. A helper without a fault of its own carries it too, so that whoever removes the
    /// container removes the helper.
    pub(super) mark: String,
    pub(super) service: String,
}

impl Helpers {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.at_work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn at_work(&self, mark: &str) -> Option<Arc<Sidecar>> {
        match self.lock().get(mark)? {
            Known::AtWork(helper) => Some(Arc::clone(helper)),
            Known::Over => None,
        }
    }

    /// Starts one, in the container's groups.
    pub(super) async fn start(&self, whose: &Whose, mark: &str, work: Work) -> io::Result<()> {
        let order = match work {
            Work::Burn { workers, load } => WorkOrder::Burn { workers, load },
            Work::Hog { bytes, ramp } => {
                WorkOrder::Hoard { bytes, ramp: u64::try_from(ramp.as_millis()).unwrap_or(u64::MAX) }
            }
            Work::Write { workers, most } => WorkOrder::Write { workers, most, dirs: dirs(&whose.id).await? },
        };
        let writes = matches!(work, Work::Write { .. });
        let helper = Arc::new(entered(whose, mark, writes).await?);
        // Known before it begins, so that its end is asked for whatever comes.
        match self.lock().entry(mark.to_owned()) {
            Entry::Occupied(known) if matches!(known.get(), Known::Over) => {
                return Err(io::Error::other("it was ended before it began"));
            }
            entry => drop(entry.insert_entry(Known::AtWork(Arc::clone(&helper)))),
        }
        helper.ask(&Order::Work(order), Duration::ZERO).await.map(drop)
    }

    /// How it gets on; `None` if it has ended, or is not of this process.
    pub(super) async fn look(&self, mark: &str) -> io::Result<Option<WorkDone>> {
        let Some(helper) = self.at_work(mark) else { return Ok(None) };
        match helper.ask(&Order::Work(WorkOrder::Look), Duration::ZERO).await {
            Ok(Reply::Working(progress)) => Ok(Some(done(progress))),
            Ok(other) => Err(io::Error::other(format!("the helper's answer was {other:?}"))),
            Err(error) if has_ended(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Ends it, and waits until the engine knows of none with that mark.
    pub(super) async fn cease(&self, mark: &str) -> io::Result<()> {
        let helper = self.at_work(mark);
        // From here on none begins.
        self.lock().insert(mark.to_owned(), Known::Over);
        if let Some(helper) = helper {
            // It stops at once; the engine takes its time to remove what is left.
            let _ = helper.end().await;
        }
        remove::remove(mark, timer::now() + REMOVAL, false).await.map(drop).map_err(io::Error::other)
    }
}

/// Why no helper can work in the groups of that container, if so: one tries to join them, and ends.
pub(super) async fn trial(whose: &Whose) -> Option<Refusal> {
    let why = entered(whose, &whose.mark, false).await.err()?;
    let service = &whose.service;
    let fix = "an engine on a host with control groups at /sys/fs/cgroup, as Docker has them on Linux and in Docker \
               Desktop; rootless engines may not let a helper join a group";
    Some(Refusal::new(format!("no helper can join the groups of the container of {service}: {why}"), fix))
}

/// A helper that is in the container's groups.
async fn entered(whose: &Whose, mark: &str, writes: bool) -> io::Result<Sidecar> {
    let place = Place {
        mark: mark.to_owned(),
        service: whose.service.clone(),
        network: "none".into(),
        // So that its first process is in sight, and the helper ends when that does.
        processes: format!("container:{}", whose.id),
        // A volume belongs to the service's own user.
        capabilities: if writes { vec!["DAC_OVERRIDE"] } else { Vec::new() },
        binds: vec![format!("{GROUPS}:{}", groups::ROOT)],
        volumes_from: writes.then(|| whose.id.clone()),
        sees_groups: true,
    };
    let helper = Sidecar::start(place).await?;
    helper.ask(&Order::Work(WorkOrder::Enter), Duration::ZERO).await?;
    Ok(helper)
}

/// Where a container keeps its data, the volumes first; and a helper's own layer, if it has none.
async fn dirs(id: &str) -> io::Result<Vec<String>> {
    let found = engine().await?.inspect_container(id, None).await.map_err(told)?;
    let mounts = found.mounts.unwrap_or_default();
    let of = |kind: &str| {
        let writable = mounts.iter().filter(|mount| mount.rw == Some(true));
        let these = writable.filter(|mount| mount.typ.as_deref() == Some(kind));
        these.filter_map(|mount| mount.destination.clone()).collect::<Vec<_>>()
    };
    let mut dirs = of("volume");
    dirs.extend(of("bind"));
    dirs.push(OWN_LAYER.into());
    Ok(dirs)
}

fn done(progress: Progress) -> WorkDone {
    WorkDone {
        at: Duration::from_nanos(progress.at),
        workers: progress.workers,
        used: Duration::from_nanos(progress.used),
        waited: Duration::from_nanos(progress.waited),
        held: progress.held,
        at_the_floor: progress.at_the_floor,
        written: progress.written,
        group_processor: Duration::from_nanos(progress.groups.processor),
        group_memory: progress.groups.memory,
    }
}

/// Whether that is how the end of a helper shows.
fn has_ended(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionReset | UnexpectedEof)
}
