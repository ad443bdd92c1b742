use std::collections::HashMap;
use std::process::Child;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::registry::Registry;
use crate::port::{InjectError, RevertRecord};
use crate::sys::cgroup::Group;
use crate::sys::clock::Stopwatch;
use crate::sys::hook::{self, Role};
use crate::sys::procfs;
use crate::sys::undo::{self, Claim};

/// The crews of an injector that works with processes of ours, by the fault they make.
///
/// Every worker carries the id of the fault's record as its mark, lives on a pipe to this process, and ends with it.
pub(super) struct Crews<S> {
    hired: Registry<Arc<Mutex<Crew<S>>>>,
}

/// The workers of one fault, and what the kernel said of them before.
pub(super) struct Crew<S> {
    workers: Vec<Child>,
    looks: Vec<Look<S>>,
    clock: Stopwatch,
}

struct Look<S> {
    at: Duration,
    seen: HashMap<u32, S>,
}

/// What a worker is to do.
pub(super) struct Job<'a> {
    pub(super) role: Role,
    pub(super) order: &'a str,
    /// Where it belongs, if not where we are.
    pub(super) groups: &'a [Group],
}

/// A look is compared with one that is at least that old, if there is one: the kernel's accounts move in steps.
const WINDOW: Duration = Duration::from_millis(250);

/// How long workers may take to end.
const END: Duration = Duration::from_secs(5);

impl<S> Crews<S> {
    pub(super) fn new() -> Self {
        Self { hired: Registry::new() }
    }

    /// Starts that many workers.
    pub(super) fn hire(&self, record: &RevertRecord, workers: u32, job: &Job<'_>) -> Result<(), InjectError> {
        let crew = Crew { workers: Vec::new(), looks: Vec::new(), clock: Stopwatch::start() };
        let crew = Arc::new(Mutex::new(crew));
        // Known before the first worker exists, so that a revert in between finds them all.
        self.hired.lock().insert(record.id.clone(), Arc::clone(&crew));
        for n in 1..=workers {
            let settle = |pid| {
                let mut groups = job.groups.iter();
                groups.try_for_each(|group| {
                    group.enter(pid).map_err(|error| {
                        std::io::Error::other(format!("putting it into {}: {error}", group.dir.display()))
                    })
                })
            };
            let worker = hook::start(job.role, job.order, &record.id, settle)
                .map_err(|error| InjectError(format!("starting worker {n} of {workers}: {error}")))?;
            lock(&crew).workers.push(worker);
        }
        Ok(())
    }

    /// Its workers, unless they were dismissed or another process hired them.
    pub(super) fn of(&self, record: &RevertRecord) -> Option<Arc<Mutex<Crew<S>>>> {
        self.hired.get(&record.id).filter(|crew| !lock(crew).workers.is_empty())
    }

    /// Ends all workers of a fault: those that were hired here, and whoever else carries its mark.
    pub(super) fn dismiss(&self, record: &RevertRecord) -> Result<(), String> {
        if let Some(crew) = self.hired.get(&record.id) {
            lock(&crew).dismiss();
        }
        // From another process, or if a worker was started and never written down: known by its mark.
        let marked = Claim { wanted: &|mark| mark == record.id, leaders: &[] };
        undo::end_processes(&marked, END).map(drop).map_err(|error| error.to_string())
    }
}

/// The processes that run and carry the mark of a fault, whoever started them.
pub(super) fn marked(record: &RevertRecord) -> Vec<u32> {
    let marked = procfs::with_environment(&format!("{}={}", hook::MARK, record.id));
    marked.into_iter().filter(|pid| procfs::is_running(*pid)).collect()
}

pub(super) fn lock<S>(crew: &Mutex<Crew<S>>) -> MutexGuard<'_, Crew<S>> {
    crew.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<S> Crew<S> {
    /// Whether nobody has looked at it yet.
    pub(super) fn is_new(&self) -> bool {
        self.looks.is_empty()
    }

    /// The workers by number, also those that have ended.
    pub(super) fn pids(&self) -> Vec<u32> {
        self.workers.iter().map(Child::id).collect()
    }

    /// How the first worker that has ended did: its status, unless a signal ended it.
    pub(super) fn ended(&self) -> Option<Option<i32>> {
        self.workers.iter().find_map(hook::ended)
    }

    /// Looks at every worker, and adds up what each was worth since an earlier look. One that cannot be looked at is
    /// gone, and worth nothing.
    pub(super) fn look(
        &mut self,
        read: impl Fn(u32) -> Option<S>,
        worth: impl Fn(&S, &S, Duration) -> f64,
    ) -> f64 {
        let at = self.clock.elapsed();
        let seen: HashMap<u32, S> =
            self.pids().into_iter().filter_map(|pid| read(pid).map(|seen| (pid, seen))).collect();
        let settled = self.looks.iter().rposition(|look| at.saturating_sub(look.at) >= WINDOW);
        self.looks.drain(..settled.unwrap_or(0));
        let of = |(pid, now): (&u32, &S)| {
            let (base, before) = self.looks.iter().find_map(|look| Some((look.at, look.seen.get(pid)?)))?;
            Some(worth(before, now, at.saturating_sub(base)))
        };
        let worth = seen.iter().filter_map(of).sum();
        self.looks.push(Look { at, seen });
        worth
    }

    fn dismiss(&mut self) {
        // It may have ended by itself; either way it is waited for, so no zombie stays.
        self.workers.iter_mut().for_each(|worker| drop(worker.kill()));
        self.workers.drain(..).for_each(|mut worker| drop(worker.wait()));
    }
}

impl<S> Drop for Crew<S> {
    fn drop(&mut self) {
        self.dismiss();
    }
}
