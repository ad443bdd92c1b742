//! Carries out what a ledger owes, from any process.
//!
//! Every step proves that what it touches is ours before it touches it, does nothing where nothing is left, and gives up
//! at its deadline.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "sys is where things are undone")]

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::hook::MARK;
use super::owner::{Mark, Owner};
use super::pidfd::PidFd;
use super::tree::Tree;
use super::{containers, descent, procfs, timer};
use crate::port::{RevertRecord, UndoStep};

/// How long one step may take.
pub(crate) const STEP_DEADLINE: Duration = Duration::from_secs(5);
/// How long between two looks whether a process is gone.
const LOOK: Duration = Duration::from_millis(1);

/// Undoes all of a record, in order. What fails does not keep the rest from being done. `ended` says which processes of a
/// mark have been ended already, so that they need not be looked for again.
///
/// Returns what was done, a line per step; the errors are what is left behind.
pub(crate) fn undo(
    record: &RevertRecord,
    leaders: &[Leader],
    ended: impl Fn(&str) -> Option<Vec<Marked>>,
) -> (Vec<String>, Vec<String>) {
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for step in &record.undo {
        let paid = match step.mark().and_then(&ended) {
            Some(processes) if matches!(step, UndoStep::EndProcesses { .. }) => Ok(said(&processes)),
            _ => pay(step, leaders),
        };
        match paid {
            Ok(what) => done.push(what),
            Err(why) => failed.push(format!("{step}: {why}")),
        }
    }
    (done, failed)
}

fn pay(step: &UndoStep, leaders: &[Leader]) -> Result<String, String> {
    let of = |mark: &str| Vec::from_iter(leaders.iter().filter(|leader| leader.mark == *mark).cloned());
    match step {
        UndoStep::EndProcesses { mark } => {
            let leaders = of(mark);
            let ended =
                end_processes(&Claim { wanted: &|found| found == mark, leaders: &leaders }, STEP_DEADLINE);
            Ok(said(&ended.map_err(|error| error.to_string())?))
        }
        UndoStep::ContinueProcesses { mark } => {
            let leader = of(mark).pop().map(|leader| leader.process);
            let told = Tree::of(mark, leader).resume(STEP_DEADLINE).map_err(|error| error.to_string())?;
            Ok(if told.is_empty() {
                "no process was stopped".into()
            } else {
                format!("continued {}", list(&told))
            })
        }
        UndoStep::RemoveFile { path, mark } => remove_file(Path::new(path), mark),
        UndoStep::RemoveContainers { mark } => containers::remove(mark, STEP_DEADLINE),
        UndoStep::Unknown => {
            Err("this version does not know it: use the cargo-chaos of the version that wrote it".into())
        }
    }
}

/// What came of ending processes, for people.
pub(crate) fn said(ended: &[Marked]) -> String {
    let pids: Vec<u32> = ended.iter().map(|process| process.pid).collect();
    if pids.is_empty() { "no process was left".into() } else { format!("ended {}", list(&pids)) }
}

/// A few processes, for people.
pub(crate) fn list(pids: &[u32]) -> String {
    let shown: Vec<String> = pids.iter().take(8).map(u32::to_string).collect();
    let more = if pids.len() > 8 { format!(" and {} more", pids.len() - 8) } else { String::new() };
    let noun = if pids.len() == 1 { "process" } else { "processes" };
    format!("{noun} {}{more}", shown.join(", "))
}

/// A process that carries a mark of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Marked {
    pub(crate) pid: u32,
    pub(crate) mark: String,
}

/// Every running process of this user that carries a well-formed mark.
pub(crate) fn marked() -> Vec<Marked> {
    let user = nix::unistd::geteuid().as_raw();
    let mut marked = readable();
    marked.retain(|process| procfs::user(process.pid) == Some(user));
    marked
}

/// The same, whoever it runs as, of those this user may look at. What root starts often gives up root's rights.
fn readable() -> Vec<Marked> {
    procfs::all()
        .into_iter()
        .filter_map(|pid| {
            let mark = procfs::variable(pid, MARK)?;
            (mark.parse::<Mark>().is_ok() && procfs::is_running(pid)).then_some(Marked { pid, mark })
        })
        .collect()
}

/// A process that we started as the leader of a session, noted when it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Leader {
    pub(crate) mark: String,
    pub(crate) process: Owner,
}

/// What somebody may end: processes by their marks, and sessions by their leaders.
pub(crate) struct Claim<'a> {
    /// Whether a mark is one of those.
    pub(crate) wanted: &'a dyn Fn(&str) -> bool,
    /// Their leaders, as they were noted. A service may write over its environment, or be such that nobody may look at
    /// it; its session it cannot change.
    pub(crate) leaders: &'a [Leader],
}

/// The processes of a claim that run, the newest mark first, each with its mark or that of its session.
pub(crate) fn of(claim: &Claim<'_>) -> Vec<Marked> {
    ours(claim).into_iter().map(|victim| victim.process).collect()
}

/// Ends every process of a claim, the newest mark first, and waits until all are gone. Returns whom it ended, each with
/// its mark or that of its session.
///
/// A session is ours if its leader carries the mark, or is gone while a member carries it: whatever we start leads a
/// session of its own before it carries a mark, so a mark is in no session but ours. It is ours as well if its leader was
/// noted when we started it and is still that process (a zombie is). What such processes have started is ours as well,
/// unless it carries a mark of somebody else. Looks again until nothing is found, for a process
/// may be about to start another.
///
/// # Errors
/// Some are still there at the deadline; they are named.
pub(crate) fn end_processes(claim: &Claim<'_>, limit: Duration) -> io::Result<Vec<Marked>> {
    let deadline = timer::now() + limit;
    let mut ended: Vec<Marked> = Vec::new();
    loop {
        let victims = ours(claim);
        if victims.is_empty() && procfs::can_look() {
            return Ok(ended);
        }
        let (mut refused, mut leaving) = (None, Vec::new());
        for victim in victims {
            match end(&victim, claim) {
                Err(error) => refused = Some((victim.process.pid, error)),
                // It was something else by then, or gone: the next look tells.
                Ok(false) => {}
                Ok(true) => {
                    if !ended.contains(&victim.process) {
                        ended.push(victim.process.clone());
                    }
                    leaving.push(victim);
                }
            }
        }
        if leaving.is_empty() {
            std::thread::sleep(LOOK);
        }
        // Also where all of them have gone: others may come up as fast as these are ended.
        if !wait_until_gone(&leaving, deadline) || timer::now() >= deadline {
            let left: Vec<u32> = ours(claim).iter().map(|victim| victim.process.pid).collect();
            if left.is_empty() && procfs::can_look() {
                return Ok(ended);
            }
            if left.is_empty() {
                return Err(io::Error::other("processes cannot be looked at"));
            }
            let why = refused.map_or_else(String::new, |(pid, error)| format!(" ({pid}: {error})"));
            return Err(io::Error::other(format!(
                "{} still there after {} s{why}",
                list(&left),
                limit.as_secs_f64()
            )));
        }
    }
}

/// What the kernel says of a session whose leader is outside this pid namespace.
const OUTSIDE: u32 = 0;

/// A process to be ended, and why it is ours.
#[derive(Debug, Clone)]
struct Victim {
    /// With its own mark, or that of its session or its parents.
    process: Marked,
    proof: Proof,
}

/// Why a process is ours.
#[derive(Debug, Clone)]
enum Proof {
    /// Its own mark.
    Mark,
    /// The session it is in.
    Session(u32),
    /// Its parents, when it was looked for; it is still that process if it was started then.
    Descent(Owner),
}

fn ours(claim: &Claim<'_>) -> Vec<Victim> {
    let mut marked: Vec<Marked> =
        readable().into_iter().filter(|found| (claim.wanted)(&found.mark)).collect();
    let by_mark: HashSet<u32> = marked.iter().map(|process| process.pid).collect();
    let mut sessions: HashMap<u32, &str> = marked
        .iter()
        .filter_map(|process| Some((procfs::session(process.pid)?, process.mark.as_str())))
        .filter(|(leader, _)| by_mark.contains(leader) || !procfs::is_running(*leader))
        .collect();
    let noted = claim.leaders.iter().filter(|leader| leader.process.is_there());
    sessions.extend(noted.map(|leader| (leader.process.pid, leader.mark.as_str())));
    sessions.remove(&OUTSIDE);
    let mut members = Vec::new();
    if !sessions.is_empty() {
        let strangers = procfs::all().into_iter().filter(|pid| !by_mark.contains(pid));
        members.extend(strangers.filter_map(|pid| {
            let session = procfs::session(pid)?;
            let mark = (*sessions.get(&session)?).to_owned();
            procfs::is_running(pid)
                .then_some(Victim { process: Marked { pid, mark }, proof: Proof::Session(session) })
        }));
    }
    marked.sort_by_key(|process| std::cmp::Reverse(process.mark.parse::<Mark>().map(|mark| mark.n).ok()));
    let marked = marked.into_iter().map(|process| Victim { process, proof: Proof::Mark });
    let mut victims: Vec<Victim> = marked.chain(members).collect();
    let marks: HashMap<u32, String> =
        victims.iter().map(|victim| (victim.process.pid, victim.process.mark.clone())).collect();
    let roots: Vec<u32> = marks.keys().copied().collect();
    // Last: whoever is ended after its parent is known by its start.
    victims.extend(descent::of(&roots, claim.wanted).into_iter().map(|found| Victim {
        process: Marked { pid: found.process.pid, mark: marks[&found.root].clone() },
        proof: Proof::Descent(found.process),
    }));
    victims
}

/// Sends a process its end; false when it was ours no longer.
fn end(victim: &Victim, claim: &Claim<'_>) -> io::Result<bool> {
    let pid = victim.process.pid;
    let held = match PidFd::open(pid) {
        Ok(held) => Some(held),
        Err(error) if error.raw_os_error() == Some(nix::libc::ESRCH) => return Ok(false),
        // An old kernel, or a container that forbids what it does not know: then by number, looked at just before.
        Err(error) if matches!(error.raw_os_error(), Some(nix::libc::ENOSYS | nix::libc::EPERM)) => None,
        Err(error) => return Err(error),
    };
    // Looked at again now that the number cannot become a stranger's.
    let still = match &victim.proof {
        Proof::Mark => procfs::variable(pid, MARK).is_some_and(|mark| (claim.wanted)(&mark)),
        Proof::Session(session) => procfs::session(pid) == Some(*session),
        Proof::Descent(process) => process.is_there(),
    };
    if !still {
        return Ok(false);
    }
    let killed = match held {
        Some(held) => held.signal(Signal::SIGKILL),
        None => kill(Pid::from_raw(pid as i32), Signal::SIGKILL).map_err(io::Error::from),
    };
    match killed {
        Err(error) if error.raw_os_error() == Some(nix::libc::ESRCH) => Ok(false),
        other => other.map(|()| true),
    }
}

fn wait_until_gone(victims: &[Victim], deadline: Instant) -> bool {
    loop {
        if !victims.iter().any(|victim| procfs::is_running(victim.process.pid)) {
            return true;
        }
        if timer::now() >= deadline {
            return false;
        }
        std::thread::sleep(LOOK);
    }
}

/// Removes a file whose name carries the mark and which belongs to this user.
pub(crate) fn remove_file(path: &Path, mark: &str) -> Result<String, String> {
    let named = path.file_name().is_some_and(|name| name.to_string_lossy().contains(mark));
    if !named || mark.parse::<Mark>().is_err() {
        return Err(format!("{} does not carry our mark in its name", path.display()));
    }
    let meta = match fs::symlink_metadata(path) {
        Ok(meta) => meta,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok("no file was left".into()),
        Err(error) => return Err(error.to_string()),
    };
    if !meta.is_file() || meta.uid() != nix::unistd::geteuid().as_raw() {
        return Err("it is not a file of this user".into());
    }
    fs::remove_file(path).map(|()| format!("removed {}", path.display())).map_err(|error| error.to_string())
}

/// The name that a temporary file of ours begins with; its mark follows.
pub(crate) const FILE_PREFIX: &str = "chaos-test-";

/// Files of this user in the directory for temporary files whose names carry a well-formed mark.
pub(crate) fn marked_files() -> Vec<(PathBuf, String)> {
    let user = nix::unistd::geteuid().as_raw();
    let entries = fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            let mark = name.strip_prefix(FILE_PREFIX)?.split('.').next()?.to_owned();
            let meta = entry.path().symlink_metadata().ok()?;
            let ours = meta.is_file() && meta.uid() == user && mark.parse::<Mark>().is_ok();
            ours.then(|| (entry.path(), mark))
        })
        .collect()
}
