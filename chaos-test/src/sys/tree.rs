//! The processes of a service: whoever carries its mark, and the session of its leader.
#![allow(clippy::disallowed_methods, reason = "sys is where processes are touched")]

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::time::Duration;

use nix::sys::signal::Signal;

use super::owner::Owner;
use super::pidfd::PidFd;
use super::undo::{Claim, Leader};
use super::{procfs, timer, undo};

/// How long between two looks whether all of it stands still.
const LOOK: Duration = Duration::from_millis(1);

/// A service's processes, known by its mark.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    mark: String,
    leader: Option<Leader>,
}

impl Tree {
    /// Of the service with this mark; of the session that `leader` leads as well, if it is that process still.
    pub(crate) fn of(mark: &str, leader: Option<Owner>) -> Self {
        let leader = leader.map(|process| Leader { mark: mark.to_owned(), process });
        Self { mark: mark.to_owned(), leader }
    }

    /// Those that run (or are stopped), by number.
    pub(crate) fn members(&self) -> Vec<u32> {
        let leaders = Vec::from_iter(self.leader.clone());
        let claim = Claim { wanted: &|found| found == self.mark, leaders: &leaders };
        let members = undo::of(&claim).into_iter().map(|process| process.pid);
        BTreeSet::from_iter(members).into_iter().collect()
    }

    /// Those of them that are not stopped.
    pub(crate) fn moving(&self) -> Vec<u32> {
        self.members().into_iter().filter(|pid| !procfs::is_stopped(*pid)).collect()
    }

    /// Stops all of it, and whoever is started meanwhile. Returns how many stand still.
    ///
    /// # Errors
    /// There is nothing to stop, or some still run at the limit.
    pub(crate) fn stop(&self, limit: Duration) -> io::Result<usize> {
        let deadline = timer::now() + limit;
        loop {
            let moving = self.moving();
            if moving.is_empty() {
                return match self.members().len() {
                    0 => Err(io::Error::other("no process of it is left")),
                    all => Ok(all),
                };
            }
            if timer::now() >= deadline {
                return Err(io::Error::other(format!("{} still not stopped", undo::list(&moving))));
            }
            self.send(&moving, Signal::SIGSTOP)?;
            std::thread::sleep(LOOK);
        }
    }

    /// Lets all of it go on. Returns whom it had to tell.
    ///
    /// # Errors
    /// Some are still stopped at the limit.
    pub(crate) fn resume(&self, limit: Duration) -> io::Result<Vec<u32>> {
        let deadline = timer::now() + limit;
        let mut told = BTreeSet::new();
        loop {
            let stopped: Vec<u32> =
                self.members().into_iter().filter(|pid| procfs::is_stopped(*pid)).collect();
            let can_look = !stopped.is_empty() || procfs::can_look();
            if stopped.is_empty() && can_look {
                return Ok(told.into_iter().collect());
            }
            if timer::now() >= deadline && !can_look {
                return Err(io::Error::other("processes cannot be looked at"));
            }
            if timer::now() >= deadline {
                return Err(io::Error::other(format!("{} still stopped", undo::list(&stopped))));
            }
            self.send(&stopped, Signal::SIGCONT)?;
            told.extend(stopped);
            std::thread::sleep(LOOK);
        }
    }

    fn send(&self, pids: &[u32], signal: Signal) -> io::Result<()> {
        let held = pids.iter().map(|pid| match PidFd::open(*pid) {
            Ok(held) => Ok(Some((*pid, held))),
            // It has ended meanwhile.
            Err(error) if error.raw_os_error() == Some(nix::libc::ESRCH) => Ok(None),
            Err(error) => Err(error),
        });
        let held: Vec<(u32, PidFd)> = held.filter_map(Result::transpose).collect::<io::Result<_>>()?;
        // Looked at again now that the numbers cannot become strangers'.
        let members = self.members();
        for (_, process) in held.iter().filter(|(pid, _)| members.contains(pid)) {
            match process.signal(signal) {
                Err(error) if error.raw_os_error() != Some(nix::libc::ESRCH) => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// Those of it that listen on this TCP port.
    pub(crate) fn listeners(&self, port: u16) -> Vec<Owner> {
        let members = self.members();
        let inodes: BTreeSet<String> =
            members.iter().flat_map(|pid| procfs::listening_sockets(*pid, port)).collect();
        let listens = |pid: &u32| {
            let open = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
            open.filter_map(|entry| fs::read_link(entry.path()).ok())
                .any(|link| inodes.contains(link.to_string_lossy().as_ref()))
        };
        members.into_iter().filter(listens).map(Owner::of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_listens_is_found_by_its_socket() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("bound").port();
        assert_eq!(procfs::listening_sockets(std::process::id(), port).len(), 1);
        assert_eq!(procfs::listening_sockets(std::process::id(), 1), Vec::<String>::new());
    }

    #[test]
    fn a_mark_that_nobody_carries_is_an_empty_tree() {
        let tree = Tree::of(&super::super::owner::new_mark(), None);
        assert!(tree.members().is_empty());
        assert!(tree.stop(Duration::ZERO).is_err());
        assert_eq!(tree.resume(Duration::ZERO).ok(), Some(Vec::new()));
    }
}
