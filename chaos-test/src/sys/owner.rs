//! Who a process, a file or a ledger entry belongs to, so that it can be proven.
//!
//! A pid alone proves nothing: numbers are used again, and mean something else in another pid namespace. A pid with its
//! start time, in one pid namespace, in one boot, names a process for good.
#![allow(clippy::disallowed_methods, reason = "sys is where /proc is read")]

use std::fmt;
use std::fs;
use std::str::FromStr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use super::procfs;

/// A process of this host, named for good.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Owner {
    /// The boot it belongs to: the first eight digits of the kernel's boot id.
    pub(crate) boot: String,
    /// Its pid namespace, by inode.
    pub(crate) pid_ns: u64,
    pub(crate) pid: u32,
    /// When it was started, in ticks since the boot.
    pub(crate) start_ticks: u64,
}

/// How an owner stands to this process's view of the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It runs.
    Alive,
    /// It has ended; what is left of it may be cleaned up.
    Dead,
    /// It is in another pid namespace: whether it runs cannot be known from here.
    Elsewhere,
}

impl Owner {
    /// This process.
    pub(crate) fn this() -> &'static Self {
        static THIS: OnceLock<Owner> = OnceLock::new();
        THIS.get_or_init(|| Self::of(std::process::id()))
    }

    /// A process that runs in this pid namespace.
    pub(crate) fn of(pid: u32) -> Self {
        let (boot, pid_ns) = here();
        let start_ticks = procfs::start_ticks(pid).unwrap_or_default();
        Self { boot: boot.clone(), pid_ns: *pid_ns, pid, start_ticks }
    }

    pub(crate) fn standing(&self) -> Standing {
        let (boot, pid_ns) = here();
        if self.boot != *boot {
            return Standing::Dead;
        }
        if self.pid_ns != *pid_ns {
            return Standing::Elsewhere;
        }
        match procfs::find_start(self.pid) {
            // Where other users' processes are hidden (`hidepid`), what cannot be seen may live all the same.
            Ok(None) if is_hidden(self.pid) => Standing::Alive,
            Ok(start) if start != Some(self.start_ticks) => Standing::Dead,
            Ok(_) if procfs::is_running(self.pid) => Standing::Alive,
            Ok(_) => Standing::Dead,
            // Who cannot look, for want of descriptors or rights, does not take anybody for dead.
            Err(_) => Standing::Alive,
        }
    }

    /// Whether that very process is in the process table: it runs, or it has ended and nobody has waited for it.
    pub(crate) fn is_there(&self) -> bool {
        let (boot, pid_ns) = here();
        self.boot == *boot
            && self.pid_ns == *pid_ns
            && procfs::start_ticks(self.pid) == Some(self.start_ticks)
    }
}

/// Whether there is a process of that number, though nobody shows it to us.
fn is_hidden(pid: u32) -> bool {
    use nix::{errno::Errno, sys::signal::kill, unistd::Pid};
    i32::try_from(pid).is_ok_and(|pid| kill(Pid::from_raw(pid), None) != Err(Errno::ESRCH))
}

/// This boot and this pid namespace.
fn here() -> &'static (String, u64) {
    static HERE: OnceLock<(String, u64)> = OnceLock::new();
    HERE.get_or_init(|| {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let boot: String = boot.chars().filter(char::is_ascii_hexdigit).take(8).collect();
        let link = fs::read_link("/proc/self/ns/pid").map(|link| link.display().to_string());
        let inode = link.ok().and_then(|link| link.split(['[', ']']).nth(1)?.parse().ok());
        (if boot.is_empty() { "00000000".into() } else { boot }, inode.unwrap_or_default())
    })
}

/// What a process of ours carries in its environment, and a file of ours in its name: its owner and a number.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Mark {
    pub(crate) owner: Owner,
    /// The owner's how-manieth it is.
    pub(crate) n: u64,
}

/// A mark that nothing else on this host carries.
pub(crate) fn new_mark() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    Mark { owner: Owner::this().clone(), n: NEXT.fetch_add(1, Ordering::Relaxed) }.to_string()
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Owner { boot, pid_ns, pid, start_ticks } = &self.owner;
        write!(f, "chaos1-{boot}-{pid_ns}-{pid}-{start_ticks}-{}", self.n)
    }
}

impl FromStr for Mark {
    type Err = ();

    /// Only what [`Display`](fmt::Display) writes is a mark: anything else belongs to somebody else.
    fn from_str(text: &str) -> Result<Self, ()> {
        let fields: Vec<&str> = text.split('-').collect();
        let ["chaos1", boot, pid_ns, pid, start_ticks, n] = fields[..] else { return Err(()) };
        let number = |text: &str| text.parse::<u64>().map_err(|_| ());
        let mark = Self {
            owner: Owner {
                boot: boot.to_owned(),
                pid_ns: number(pid_ns)?,
                pid: pid.parse().map_err(|_| ())?,
                start_ticks: number(start_ticks)?,
            },
            n: number(n)?,
        };
        if mark.to_string() == text && boot.len() == 8 { Ok(mark) } else { Err(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_names_its_owner() {
        let text = new_mark();
        let mark: Mark = text.parse().expect("a mark of ours");
        assert_eq!(mark.owner, *Owner::this());
        assert_eq!(mark.to_string(), text);
        assert_ne!(text, new_mark());
    }

    #[test]
    fn look_alikes_are_no_marks() {
        for text in [
            "",
            "chaos1",
            "chaos1-----",
            "chaos1-ca3701d9-1-2-3",
            "chaos1-ca3701d9-1-2-3-4-5",
            "chaos2-ca3701d9-1-2-3-4",
            "chaos1-ca3701d9-1-2-3-04",
            "chaos1-ca3701d9-1-+2-3-4",
            "chaos1-ca37-1-2-3-4",
            " chaos1-ca3701d9-1-2-3-4",
        ] {
            assert!(text.parse::<Mark>().is_err(), "{text}");
        }
    }

    #[test]
    fn standing_is_told_by_boot_namespace_and_start() {
        let this = Owner::this().clone();
        assert_eq!(this.standing(), Standing::Alive);
        assert_eq!(Owner { start_ticks: this.start_ticks + 1, ..this.clone() }.standing(), Standing::Dead);
        assert_eq!(Owner { boot: "ffffffff".into(), ..this.clone() }.standing(), Standing::Dead);
        assert_eq!(Owner { pid_ns: this.pid_ns + 1, ..this }.standing(), Standing::Elsewhere);
    }
}
