//! Test processes that were killed, and the ledgers they left.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use crate::planted::{Planted, start_ticks};

/// The identity of a process, as marks and ledgers write it.
#[derive(Debug, Clone)]
pub(crate) struct Owner {
    pub(crate) boot: String,
    pub(crate) pid_ns: u64,
    pub(crate) pid: u32,
    pub(crate) start_ticks: u64,
}

impl Owner {
    pub(crate) fn of(pid: u32) -> Self {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
        let namespace = fs::read_link("/proc/self/ns/pid").unwrap().display().to_string();
        Self {
            boot: boot[..8].to_owned(),
            pid_ns: namespace.trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap(),
            pid,
            start_ticks: start_ticks(pid).unwrap(),
        }
    }

    /// A mark that nothing else carries.
    pub(crate) fn mark(&self) -> String {
        static NEXT: AtomicU64 = AtomicU64::new(100);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        format!("chaos1-{}-{}-{}-{}-{n}", self.boot, self.pid_ns, self.pid, self.start_ticks)
    }

    pub(crate) fn opened(&self) -> Value {
        let Self { boot, pid_ns, pid, start_ticks } = self;
        let owner = json!({"boot": boot, "pid_ns": pid_ns, "pid": pid, "start_ticks": start_ticks});
        json!({"entry": "opened", "format": 1, "version": "0.1.0", "owner": owner, "at": 1.0, "unix": 1.75e9})
    }

    /// Where its ledger is kept, in a sandbox.
    pub(crate) fn ledger(&self) -> String {
        format!("runs/run-{0}/ledger-{0}-{1}.jsonl", self.pid, self.start_ticks)
    }

    /// What pays it says what it did there.
    pub(crate) fn log(&self) -> String {
        format!("runs/run-{0}/reaper-{0}-{1}.log", self.pid, self.start_ticks)
    }
}

/// A process that will have been a test run: it lives while what it leaves is planted, so that nobody takes that away.
pub(crate) struct Doomed {
    pub(crate) owner: Owner,
    process: Planted,
}

impl Doomed {
    pub(crate) fn new() -> Self {
        let process = Planted::start(Command::new("sleep").arg("1000"));
        Self { owner: Owner::of(process.pid()), process }
    }

    /// Killed, and waited for: its number is free.
    pub(crate) fn die(self) {
        drop(self.process);
    }
}

/// An entry that owes these steps.
pub(crate) fn owed(id: &str, steps: &[Value]) -> Value {
    let record = json!({"id": id, "injector": "service", "service": "app", "payload": null, "undo": steps});
    json!({"entry": "owed", "record": record, "experiment": null, "at": 2.0})
}

/// An entry that owes the end of the processes with that mark.
pub(crate) fn owed_end(mark: &str) -> Value {
    owed(mark, &[json!({"step": "end_processes", "mark": mark})])
}

pub(crate) fn remove_file(path: &Path, mark: &str) -> Value {
    json!({"step": "remove_file", "path": path, "mark": mark})
}

/// A ledger with these lines.
pub(crate) fn lines(entries: &[Value]) -> String {
    entries.iter().map(|entry| format!("{entry}\n")).collect()
}
