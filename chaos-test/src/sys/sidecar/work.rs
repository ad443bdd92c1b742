//! What a helper does in the groups of a container: burn, hoard, write, in threads of its own.
#![allow(clippy::disallowed_methods, reason = "sys is where /proc is read")]

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::groups;
use crate::sys::{burner, clock, filesystem, hog, procfs, timer, writer};

/// What is asked of a helper that works.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "work")]
pub(crate) enum WorkOrder {
    /// Go into the container's groups.
    Enter,
    /// Take that share of a processor with each of so many threads.
    Burn { workers: u32, load: f64 },
    /// Take so many bytes, evenly over so many milliseconds.
    Hoard { bytes: u64, ramp: u64 },
    /// Write and sync with each of so many threads, in files of at most so many bytes, in the first of those
    /// directories that can be written to.
    Write { workers: u32, most: u64, dirs: Vec<String> },
    /// Say how it gets on.
    Look,
}

/// How a helper gets on, since it began.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// When that was read, in nanoseconds of a clock that never goes back.
    pub(crate) at: u64,
    /// How many threads work, and are where they belong.
    pub(crate) workers: u32,
    /// On a processor, in nanoseconds, all threads together.
    pub(crate) used: u64,
    /// Ready and waiting for one.
    pub(crate) waited: u64,
    /// Memory, in bytes.
    pub(crate) held: u64,
    /// Whether it stopped growing because the host has too little left.
    pub(crate) at_the_floor: bool,
    /// Sent to a disk, in bytes.
    pub(crate) written: u64,
    /// What the groups it is in count for all that is in them.
    pub(crate) groups: groups::Count,
}

/// The threads that work.
struct Crew {
    threads: Vec<Worker>,
    writes: bool,
    looks: Vec<(Instant, HashMap<u32, Account>)>,
}

struct Worker {
    /// By the kernel.
    number: u32,
    thread: JoinHandle<io::Result<()>>,
}

/// What a thread has written, by the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Account {
    calls: u64,
    bytes: u64,
}

/// Where a helper without a volume writes: in a layer of its own, on the same disk as the container's.
pub(crate) const OWN_LAYER: &str = "/";
/// What a file is called there for a moment, if it needs a name.
const MOMENT: &str = "helper";
/// A look at who writes is compared with one that is at least that old, if there is one.
const WINDOW: Duration = Duration::from_millis(250);

static CREW: Mutex<Option<Crew>> = Mutex::new(None);

/// Carries it out. Only a look has something to tell.
pub(super) fn obey(order: WorkOrder) -> io::Result<Option<Progress>> {
    match order {
        WorkOrder::Enter => groups::enter()?,
        WorkOrder::Burn { workers, load } => hire(workers, false, move || {
            burner::burn(load);
            Ok(())
        })?,
        WorkOrder::Hoard { bytes, ramp } => hire(1, false, move || {
            hog::hoard(bytes, Duration::from_millis(ramp));
            Ok(())
        })?,
        WorkOrder::Write { workers, most, dirs } => {
            let dir = ground(&dirs)?;
            hire(workers, true, move || writer::go_on_writing(most, Path::new(&dir), Some(MOMENT)))?;
        }
        WorkOrder::Look => return look().map(Some),
    }
    Ok(None)
}

/// The first directory in which a file can be written that goes to a disk.
fn ground(dirs: &[String]) -> io::Result<String> {
    let mut why = Vec::new();
    for dir in dirs {
        match filesystem::look(Path::new(dir)) {
            // In the helper's own layer nobody sees the name, and it goes with the helper.
            Ok(ground) if ground.nameless || dir == OWN_LAYER => return Ok(dir.clone()),
            Ok(_) => why.push(format!("{dir}: its file system has no files without a name")),
            Err(unfit) => why.push(format!("{dir}: {unfit}")),
        }
    }
    Err(io::Error::other(format!("there is nowhere to write: {}", why.join("; "))))
}

fn hire(
    workers: u32,
    writes: bool,
    job: impl Fn() -> io::Result<()> + Clone + Send + 'static,
) -> io::Result<()> {
    let mut threads = Vec::new();
    for _ in 0..workers {
        let (tell, told) = mpsc::channel();
        let job = job.clone();
        let thread = thread::Builder::new().spawn(move || {
            let _ = tell.send(nix::unistd::gettid().as_raw());
            job()
        })?;
        let number = told.recv().map_err(io::Error::other)?;
        threads.push(Worker { number: number.unsigned_abs(), thread });
    }
    let crew = Crew { threads, writes, looks: Vec::new() };
    *CREW.lock().unwrap_or_else(PoisonError::into_inner) = Some(crew);
    Ok(())
}

fn look() -> io::Result<Progress> {
    let mut crew = CREW.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(crew) = crew.as_mut() else { return Ok(Progress::default()) };
    // The reason why one has ended is told once.
    if let Some(ended) = crew.threads.iter().position(|worker| worker.thread.is_finished()) {
        let ended = crew.threads.swap_remove(ended).thread.join();
        ended.map_err(|_| io::Error::other("a worker panicked"))??;
    }
    let mut progress = Progress { at: now(), ..Progress::default() };
    for worker in &crew.threads {
        // A thread has the same files as a process has, by its own number.
        let time = procfs::cpu_time(worker.number)?;
        progress.used += nanoseconds(time.used);
        progress.waited += nanoseconds(time.waited);
    }
    progress.held = hog::hoarded(std::process::id())?;
    progress.at_the_floor = hog::is_at_the_floor(std::process::id());
    let at_work = if crew.writes { crew.writing(&mut progress)? } else { crew.threads.len() };
    progress.groups = groups::count()?;
    if groups::are_shared()? {
        progress.workers = u32::try_from(at_work).unwrap_or(u32::MAX);
    }
    Ok(progress)
}

fn now() -> u64 {
    nanoseconds(Duration::try_from_secs_f64(clock::monotonic()).unwrap_or_default())
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

impl Crew {
    /// How many have written since an earlier look, or wait for a disk.
    fn writing(&mut self, progress: &mut Progress) -> io::Result<usize> {
        let now = timer::now();
        let settled = self.looks.iter().rposition(|(at, _)| now.saturating_duration_since(*at) >= WINDOW);
        self.looks.drain(..settled.unwrap_or(0));
        let nothing = Account { calls: 0, bytes: 0 };
        let before = |number| self.looks.first().and_then(|(_, seen)| seen.get(&number)).unwrap_or(&nothing);
        let (mut seen, mut at_work) = (HashMap::new(), 0);
        for Worker { number, .. } in &self.threads {
            let account = account_of(&fs::read_to_string(format!("/proc/self/task/{number}/io"))?)?;
            let earlier = before(*number);
            let moved = account.calls > earlier.calls && account.bytes > earlier.bytes;
            at_work += usize::from(moved || procfs::is_waiting_for_a_disk(*number));
            progress.written += account.bytes;
            seen.insert(*number, account);
        }
        self.looks.push((now, seen));
        Ok(at_work)
    }
}

/// What a thread has sent to a disk, or is about to, and was not thrown away before.
fn account_of(text: &str) -> io::Result<Account> {
    let figure = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let number = line.and_then(|line| line.trim().parse::<u64>().ok());
        number
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the kernel's account lacks a figure"))
    };
    let bytes = figure("write_bytes")?.saturating_sub(figure("cancelled_write_bytes")?);
    Ok(Account { calls: figure("syscw")?, bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_account_of_a_thread_is_read() {
        let text = "wchar: 9\nsyscw: 7\nwrite_bytes: 4096\ncancelled_write_bytes: 96\n";
        assert_eq!(account_of(text).ok(), Some(Account { calls: 7, bytes: 4000 }));
        assert!(account_of("syscw: 7\n").is_err());
    }

    #[test]
    fn nowhere_to_write_names_every_place() {
        let error = ground(&["/proc".into(), "/nowhere".into()]).expect_err("neither will do").to_string();
        assert!(error.contains("/proc: ") && error.contains("/nowhere: "), "{error}");
    }
}
