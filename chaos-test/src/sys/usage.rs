//! What services use, by the kernel's account of all their processes.
//!
//! Sums never fall: what a process had used when it ended stays counted. If its parent is one of the service and has
//! waited for it, the kernel adds it to the parent's own account; else it is kept here. What a process used between the
//! last look and its end, and nobody waited for, is not known.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::owner::Owner;
use super::process::ManagedProcess;
use super::procfs::{self, ProcessUsage};
use super::undo::{self, Claim, Leader};
use crate::port::{Meter, ProcessControl, Usage};

/// Reads what processes of environments use, with everything they have started.
pub(crate) struct TreeMeter {
    services: Vec<Account>,
}

/// What is known of one service.
struct Account {
    mark: String,
    /// Not kept alive by being measured.
    process: Weak<ManagedProcess>,
    seen: HashMap<Owner, ProcessUsage>,
    /// Of processes that have ended.
    gone: Sums,
    /// The last sums told.
    told: Sums,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Sums {
    cpu: Duration,
    read: u64,
    written: u64,
}

impl Sums {
    fn of(process: &ProcessUsage) -> Self {
        Self { cpu: process.cpu, read: process.read, written: process.written }
    }

    fn and(self, other: Self) -> Self {
        Self {
            cpu: self.cpu.saturating_add(other.cpu),
            read: self.read.saturating_add(other.read),
            written: self.written.saturating_add(other.written),
        }
    }

    fn at_least(self, other: Self) -> Self {
        Self {
            cpu: self.cpu.max(other.cpu),
            read: self.read.max(other.read),
            written: self.written.max(other.written),
        }
    }
}

impl TreeMeter {
    pub(crate) fn of<'a>(processes: impl IntoIterator<Item = &'a Arc<ManagedProcess>>) -> Self {
        let services =
            processes.into_iter().map(|process| Account::of(process.mark(), Arc::downgrade(process)));
        Self { services: services.collect() }
    }
}

impl Meter for TreeMeter {
    fn read(&mut self) -> io::Result<Vec<Usage>> {
        if self.services.is_empty() {
            return Ok(Vec::new());
        }
        let leaders: Vec<Leader> = self.services.iter().filter_map(Account::leader).collect();
        let marks: Vec<&str> = self.services.iter().map(|service| service.mark.as_str()).collect();
        // One look at the process table for all of them.
        let found = undo::of(&Claim { wanted: &|mark| marks.contains(&mark), leaders: &leaders });
        let usages = self.services.iter_mut().map(|service| {
            let members = found.iter().filter(|process| process.mark == service.mark);
            let now = members.filter_map(|process| {
                let owner = Owner::of(process.pid);
                // One that has just ended is found gone below.
                Some((owner, procfs::usage(process.pid).ok()?))
            });
            service.take(now.collect())
        });
        Ok(usages.collect())
    }
}

impl Account {
    fn of(mark: &str, process: Weak<ManagedProcess>) -> Self {
        let (gone, told) = (Sums::default(), Sums::default());
        Self { mark: mark.to_owned(), process, seen: HashMap::new(), gone, told }
    }

    fn leader(&self) -> Option<Leader> {
        let process = Owner::of(self.process.upgrade()?.pid()?);
        Some(Leader { mark: self.mark.clone(), process })
    }

    fn take(&mut self, now: HashMap<Owner, ProcessUsage>) -> Usage {
        for (owner, last) in &self.seen {
            let waited_for = now.keys().any(|parent| parent.pid == last.parent);
            if !now.contains_key(owner) && !waited_for {
                self.gone = self.gone.and(Sums::of(last));
            }
        }
        let running = now.values().fold(Sums::default(), |sums, process| sums.and(Sums::of(process)));
        self.told = self.gone.and(running).at_least(self.told);
        let own = now.values().map(|process| process.resident.saturating_sub(process.shared));
        let usage = Usage {
            cpu: self.told.cpu,
            read: self.told.read,
            written: self.told.written,
            resident: own.fold(0, u64::saturating_add)
                + now.values().map(|process| process.shared).max().unwrap_or(0),
            processes: u32::try_from(now.len()).unwrap_or(u32::MAX),
        };
        self.seen = now;
        usage
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: u32, start_ticks: u64) -> Owner {
        Owner { pid, start_ticks, ..Owner::this().clone() }
    }

    fn used(parent: u32, millis: u64) -> ProcessUsage {
        ProcessUsage {
            parent,
            cpu: Duration::from_millis(millis),
            resident: 100,
            shared: 60,
            read: millis,
            written: 1,
        }
    }

    #[test]
    fn sums_never_fall_whoever_ends() {
        let mut account = Account::of("m", Weak::new());
        let mut take = |now: &[(Owner, ProcessUsage)]| account.take(now.iter().cloned().collect());
        let (shell, child) = (process(10, 1), process(11, 2));
        let usage = take(&[(shell.clone(), used(1, 100)), (child.clone(), used(10, 500))]);
        assert_eq!((usage.cpu, usage.read, usage.processes), (Duration::from_millis(600), 600, 2));
        // What they share is there once.
        assert_eq!(usage.resident, 40 + 40 + 60);
        // The child has ended, and its parent has not waited for it yet.
        assert_eq!(take(&[(shell.clone(), used(1, 100))]).cpu, Duration::from_millis(600));
        // Now it has: 600 are the child's, of which 500 were known.
        assert_eq!(take(&[(shell, used(1, 710))]).cpu, Duration::from_millis(710));
        // All of it is killed; another is started in its place, with the same number.
        assert_eq!(take(&[]).cpu, Duration::from_millis(710));
        let usage = take(&[(process(10, 9), used(1, 5))]);
        assert_eq!((usage.cpu, usage.processes), (Duration::from_millis(715), 1));
    }

    #[test]
    fn this_process_has_used_something() {
        let usage = procfs::usage(std::process::id()).expect("it runs");
        assert!(usage.resident > usage.shared && usage.resident > 1 << 20, "{usage:?}");
    }
}
