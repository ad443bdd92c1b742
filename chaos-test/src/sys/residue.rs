//! What may be left behind on this host, looked at before and after.
//!
//! The audit does not ask an injector whether it has undone its fault; it looks for itself, for everything the faults of
//! this version could have touched: processes with our marks, processes that were stopped, listeners, temporary files,
//! entries of the ledger, and what the container engine keeps with our marks.
#![allow(clippy::disallowed_methods, reason = "sys is where /proc is read")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use super::undo::Claim;
use super::{ledger, procfs, timer, undo};
use crate::port::UndoStep;

/// How long something may be on its way out.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long a container engine may take to tell what it keeps.
#[cfg(feature = "containers")]
const ENGINE: Duration = Duration::from_secs(4);
/// How long between two looks.
const LOOK: Duration = Duration::from_millis(10);

/// What an experiment could have touched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Scope {
    /// The marks of its services, with their names.
    pub(crate) services: Vec<(String, String)>,
    /// The ports its services listen on.
    pub(crate) ports: Vec<u16>,
    /// The marks of its faults.
    pub(crate) faults: Vec<String>,
    /// Whether any of its services is in a container.
    pub(crate) contained: bool,
}

/// What was there at one time, of what belongs to a scope.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Snapshot {
    /// Running processes, by mark.
    processes: BTreeMap<String, BTreeSet<u32>>,
    /// Those of them that are stopped.
    stopped: BTreeSet<u32>,
    /// Ports of the scope on which somebody listens.
    listeners: BTreeSet<u16>,
    /// Temporary files, by mark.
    files: BTreeSet<PathBuf>,
    /// Entries of the ledger that are still owed.
    owed: BTreeSet<String>,
    /// What the container engine keeps, by mark, for people.
    kept: BTreeMap<String, BTreeSet<String>>,
    /// Containers of it that are frozen.
    frozen: BTreeSet<String>,
    /// Why nobody knows what the container engine keeps, if so.
    unknown: Option<String>,
}

impl Scope {
    /// Looks at everything in this scope.
    pub(crate) fn look(&self) -> Snapshot {
        let mut seen = Snapshot::default();
        let mine = |mark: &str| {
            self.faults.iter().any(|fault| fault == mark)
                || self.services.iter().any(|(service, _)| service == mark)
        };
        let account = ledger::current().map(|path| ledger::read(&path));
        if let Some(Err(why)) = &account {
            seen.unknown = Some(format!("nobody knows what is owed: {why}"));
        }
        let account = account.and_then(Result::ok);
        let mut leaders = account.as_ref().map_or_else(Vec::new, |account| account.leaders.clone());
        leaders.retain(|leader| mine(&leader.mark));
        for process in undo::of(&Claim { wanted: &mine, leaders: &leaders }) {
            if procfs::is_stopped(process.pid) {
                seen.stopped.insert(process.pid);
            }
            seen.processes.entry(process.mark).or_default().insert(process.pid);
        }
        seen.files =
            undo::marked_files().into_iter().filter(|(_, mark)| mine(mark)).map(|(path, _)| path).collect();
        let listening = listening();
        seen.listeners = self.ports.iter().copied().filter(|port| listening.contains(port)).collect();
        let owed = account.into_iter().flat_map(|account| account.owed);
        for debt in owed.filter(|debt| mine(&debt.record.id)) {
            // A file may be where nobody would look for it.
            seen.files.extend(debt.record.undo.iter().filter_map(|step| match step {
                UndoStep::RemoveFile { path, .. } => Some(PathBuf::from(path)).filter(|path| path.exists()),
                _ => None,
            }));
            seen.owed.insert(debt.record.id);
        }
        if !procfs::can_look() {
            seen.unknown = Some("nobody knows which processes are left: they cannot be looked at".into());
        }
        if self.contained {
            seen.ask_the_engine(mine);
        }
        seen
    }

    /// What the faults have left, after the last revert and while the services still run. A service that has ended by
    /// itself is no residue: that is what the objectives are for.
    pub(crate) fn after_revert(&self, before: &Snapshot, after: &Snapshot, debts_told: bool) -> Vec<String> {
        let mut left = Vec::new();
        for fault in &self.faults {
            if let Some(pids) = after.processes.get(fault) {
                left.push(format!(
                    "{} of the fault {fault}",
                    undo::list(&Vec::from_iter(pids.iter().copied()))
                ));
            }
            if after.owed.contains(fault) && !debts_told {
                left.push(format!("the ledger still owes {fault}"));
            }
        }
        let stopped: Vec<u32> = after.stopped.difference(&before.stopped).copied().collect();
        if !stopped.is_empty() {
            left.push(format!("{} stopped and never continued", undo::list(&stopped)));
        }
        left.extend(after.files.difference(&before.files).map(|path| format!("the file {}", path.display())));
        for (mark, things) in after.kept.iter().filter(|(mark, _)| self.faults.contains(mark)) {
            left.extend(things.iter().map(|thing| format!("the {thing} of the fault {mark}")));
        }
        let frozen = after.frozen.difference(&before.frozen);
        left.extend(frozen.map(|container| format!("the {container} was paused and never continued")));
        left.extend(after.unknown.clone());
        left
    }

    /// What is left when the services have ended as well: nothing at all should be.
    pub(crate) fn after_end(&self, after: &Snapshot) -> Vec<String> {
        let mut left = Vec::new();
        for (mark, name) in &self.services {
            if let Some(pids) = after.processes.get(mark) {
                left.push(format!("{} of {name}", undo::list(&Vec::from_iter(pids.iter().copied()))));
            }
            if after.owed.contains(mark) {
                left.push(format!("the ledger still owes the end of {name}"));
            }
        }
        left.extend(after.kept.values().flatten().map(|thing| format!("the {thing}")));
        left.extend(after.unknown.clone());
        left.extend(after.listeners.iter().map(|port| format!("somebody still listens on port {port}")));
        left
    }
}

impl Snapshot {
    #[cfg(feature = "containers")]
    fn ask_the_engine(&mut self, mine: impl Fn(&str) -> bool) {
        match super::docker::marked_now(ENGINE) {
            Ok(things) => {
                for thing in things.into_iter().filter(|thing| mine(&thing.mark)) {
                    if thing.paused {
                        self.frozen.insert(thing.name.clone());
                    }
                    self.kept.entry(thing.mark).or_default().insert(thing.name);
                }
            }
            Err(why) => self.unknown = Some(format!("nobody knows which containers are left: {why}")),
        }
    }

    #[cfg(not(feature = "containers"))]
    fn ask_the_engine(&mut self, _mine: impl Fn(&str) -> bool) {
        self.unknown =
            Some("nobody knows which containers are left: there is no feature `containers`".into());
    }
}

/// What is found again and again. A process that was killed a moment ago and is nobody's child of ours may still be
/// letting go of its port, so only what stays is residue.
pub(crate) fn that_stays(look: impl Fn() -> Vec<String>) -> Vec<String> {
    let deadline = timer::now() + PATIENCE;
    // One look may take longer than that, and one alone proves nothing.
    let mut looked = false;
    loop {
        let left = look();
        if left.is_empty() || (looked && timer::now() >= deadline) {
            return left;
        }
        looked = true;
        std::thread::sleep(LOOK);
    }
}

/// The TCP ports of this network namespace on which somebody listens.
fn listening() -> BTreeSet<u16> {
    const LISTEN: &str = "0A";
    let tables = ["/proc/self/net/tcp", "/proc/self/net/tcp6"];
    let lines = tables.into_iter().filter_map(|table| fs::read_to_string(table).ok());
    lines
        .flat_map(|table| {
            let ports = table.lines().skip(1).filter_map(|line| {
                let mut fields = line.split_ascii_whitespace();
                let local = fields.nth(1)?;
                let listens = fields.nth(1)? == LISTEN;
                listens.then(|| u16::from_str_radix(local.rsplit_once(':')?.1, 16).ok()).flatten()
            });
            ports.collect::<Vec<u16>>()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope() -> Scope {
        Scope {
            services: vec![("s".into(), "app".into())],
            ports: vec![10_000],
            faults: vec!["f".into()],
            contained: false,
        }
    }

    #[test]
    fn what_a_fault_leaves_is_listed() {
        let scope = scope();
        let mut after = Snapshot::default();
        assert!(scope.after_revert(&Snapshot::default(), &after, false).is_empty());
        after.processes.insert("f".into(), BTreeSet::from([7, 8]));
        after.stopped.insert(9);
        after.files.insert("/tmp/chaos-test-f".into());
        after.owed.insert("f".into());
        assert_eq!(
            scope.after_revert(&Snapshot::default(), &after, false),
            [
                "processes 7, 8 of the fault f",
                "the ledger still owes f",
                "process 9 stopped and never continued",
                "the file /tmp/chaos-test-f",
            ]
        );
        // What was so before is not the fault's doing.
        let before = Snapshot { processes: BTreeMap::new(), owed: BTreeSet::new(), ..after.clone() };
        after.processes.clear();
        after.owed.clear();
        assert!(scope.after_revert(&before, &after, false).is_empty());
    }

    #[test]
    fn what_a_service_leaves_is_listed() {
        let mut after = Snapshot::default();
        after.processes.insert("s".into(), BTreeSet::from([7]));
        after.listeners.insert(10_000);
        after.owed.insert("s".into());
        assert_eq!(
            scope().after_end(&after),
            [
                "process 7 of app",
                "the ledger still owes the end of app",
                "somebody still listens on port 10000"
            ]
        );
    }

    #[test]
    fn what_the_container_engine_keeps_is_listed() {
        let mut after = Snapshot::default();
        after.kept.insert("f".into(), BTreeSet::from(["container x".into()]));
        after.kept.insert("s".into(), BTreeSet::from(["network y".into()]));
        after.frozen.insert("container z".into());
        assert_eq!(
            scope().after_revert(&Snapshot::default(), &after, false),
            ["the container x of the fault f", "the container z was paused and never continued"]
        );
        assert_eq!(scope().after_end(&after), ["the container x", "the network y"]);
    }

    #[test]
    fn what_goes_by_itself_is_no_residue() {
        let looks = std::cell::Cell::new(0);
        let goes = || {
            looks.set(looks.get() + 1);
            if looks.get() < 5 { vec!["a port".into()] } else { Vec::new() }
        };
        assert!(that_stays(goes).is_empty());
        assert_eq!(that_stays(|| vec!["a file".into()]), ["a file"]);
    }

    #[test]
    fn a_listener_is_seen() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("bound").port();
        assert!(listening().contains(&port));
        drop(listener);
        assert!(!listening().contains(&port));
    }
}
