//! Who was started by whom: what is ours by its parents where neither its environment nor its session says so.
//!
//! A database server is such a case: each of its workers begins a session of its own and writes its title over its
//! environment. The parent of a process is beyond its own reach, but is forgotten when the parent ends; so this is for
//! looking before anybody is ended.
#![allow(clippy::disallowed_methods, reason = "sys is where /proc is read")]

use std::collections::{HashMap, HashSet};
use std::io;
use std::time::Duration;

use nix::sys::signal::Signal;

use super::hook::{self, MARK};
use super::owner::{Mark, Owner, Standing};
use super::pidfd::PidFd;
use super::{procfs, timer, undo};

/// How long between two looks whether a process is gone.
const LOOK: Duration = Duration::from_millis(1);

/// A process by its parents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Descendant {
    pub(crate) process: Owner,
    /// Which of the roots it comes from.
    pub(crate) root: u32,
}

/// The first process of a pid namespace is given everybody's orphans: its children say nothing.
const FIRST: u32 = 1;

/// The running descendants of these processes, parents before children. Whoever carries a mark that is not `wanted` is
/// somebody else's, with all it has started. This process and those it comes from are nobody's to end, wherever they stand.
pub(crate) fn of(roots: &[u32], wanted: &dyn Fn(&str) -> bool) -> Vec<Descendant> {
    let mut children: HashMap<u32, Vec<Owner>> = HashMap::new();
    for process in procfs::all() {
        // Read at one go: this start belongs to the process that has this parent.
        if let Some((parent, start_ticks)) = procfs::parent_and_start(process) {
            children.entry(parent).or_default().push(Owner {
                start_ticks,
                pid: process,
                ..Owner::this().clone()
            });
        }
    }
    let lineage = lineage(&children);
    let mut found: Vec<Descendant> = Vec::new();
    let mut open: Vec<(u32, u32)> =
        roots.iter().filter(|root| **root != FIRST).map(|root| (*root, *root)).collect();
    while let Some((parent, root)) = open.pop() {
        // Taken out, so that a root below another is gone through once.
        for process in children.remove(&parent).unwrap_or_default() {
            let others = procfs::variable(process.pid, MARK)
                .is_some_and(|mark| mark.parse::<Mark>().is_ok() && !wanted(&mark));
            // A reaper outlives whom it watches, pays, and ends by itself.
            if others || lineage.contains(&process.pid) || hook::is_reaper(process.pid) {
                continue;
            }
            open.push((process.pid, root));
            if !roots.contains(&process.pid) && procfs::is_running(process.pid) {
                found.push(Descendant { process, root });
            }
        }
    }
    found
}

/// This process and all it comes from.
fn lineage(children: &HashMap<u32, Vec<Owner>>) -> HashSet<u32> {
    let parents: HashMap<u32, u32> = children
        .iter()
        .flat_map(|(parent, below)| below.iter().map(|process| (process.pid, *parent)))
        .collect();
    let parent = |pid: &u32| parents.get(pid).copied().filter(|parent| *parent != 0);
    std::iter::successors(Some(std::process::id()), parent).collect()
}

/// Ends these processes, if they are still those, and waits until they are gone.
///
/// # Errors
/// Some are still there at the limit; they are named.
pub(crate) fn end(processes: &[Descendant], limit: Duration) -> io::Result<()> {
    let deadline = timer::now() + limit;
    loop {
        let left: Vec<&Owner> = processes.iter().map(|found| &found.process).collect();
        let left: Vec<&Owner> = left.into_iter().filter(|one| one.standing() == Standing::Alive).collect();
        if left.is_empty() {
            return Ok(());
        }
        if timer::now() >= deadline {
            let left: Vec<u32> = left.iter().map(|one| one.pid).collect();
            return Err(io::Error::other(format!("{} still there", undo::list(&left))));
        }
        for process in left {
            // Refused or not, the next look tells.
            let _ = PidFd::of(process).map(|held| held.signal(Signal::SIGKILL));
        }
        std::thread::sleep(LOOK);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt;
    use std::process::Command;

    use super::*;

    #[test]
    fn the_orphans_of_everybody_and_those_we_come_from_are_nobodys() {
        assert_eq!(of(&[FIRST], &|_| true), [], "orphans");
        let mine = std::process::id();
        let parent = std::os::unix::process::parent_id();
        let below = of(&[parent], &|_| true);
        assert!(below.iter().all(|one| one.process.pid != mine), "{below:?}");
    }

    #[test]
    #[allow(clippy::disallowed_types, reason = "a test of processes starts one")]
    fn who_left_session_and_environment_is_found_by_its_parents_and_ended() {
        let script = "env -i setsid sh -c 'sleep 61; :' & wait";
        let mut shell = Command::new("sh").args(["-c", script]).spawn().expect("there is a shell");
        let below = || of(&[shell.id()], &|_| false);
        // setsid forks only where it leads a group; here are a shell and its sleep.
        let sleeps = |found: &[Descendant]| {
            found.iter().any(|one| procfs::name(one.process.pid).as_deref() == Some("sleep"))
        };
        while !sleeps(&below()) {
            std::thread::sleep(LOOK);
        }
        let found = below();
        assert!(found.iter().all(|one| one.root == shell.id()), "{found:?}");
        end(&found, Duration::from_secs(5)).expect("all are ours");
        assert!(found.iter().all(|one| one.process.standing() == Standing::Dead));
        shell.wait().expect("it is our child");
    }

    #[test]
    #[allow(clippy::disallowed_types, reason = "a test of processes starts some")]
    fn a_reaper_is_left_to_pay_and_nobody_else() {
        let sleep = |name: &str, role: Option<&str>| {
            let mut command = Command::new("sleep");
            command.arg0(name).arg("60").envs(role.map(|role| (hook::ROLE, role)));
            command.spawn().expect("there is a sleep")
        };
        // The second one has only a stray variable, the third only the name.
        let mut children = [
            sleep("chaos-test-reap", Some("reap x")),
            sleep("sleep", Some("reap x")),
            sleep("chaos-test-reap", None),
        ];
        let below = of(&[std::process::id()], &|_| true);
        let is_found = |child: &std::process::Child| below.iter().any(|one| one.process.pid == child.id());
        let found = children.each_ref().map(is_found);
        for child in &mut children {
            child.kill().and_then(|()| child.wait()).expect("it is our child");
        }
        assert_eq!(found, [false, true, true]);
    }
}
