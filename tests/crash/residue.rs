//! What a dead test has left, found in three ways that do not know of each other: by whom it was seen to start, by a
//! variable that this suite gave it, and by the names that the harness gives.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::proc::{Id, Process, listening};

/// The variable by which this suite knows the processes of one victim.
pub(crate) const TAG: &str = "CHAOS_TEST_CRASH_TAG";

/// One victim's family: who belongs to it, and what they listened on.
#[derive(Debug, Default)]
pub(crate) struct Family {
    /// The value of [`TAG`].
    pub(crate) tag: String,
    /// The test process.
    pub(crate) test: Option<Id>,
    /// Who may go on living: a runner that was not killed.
    pub(crate) spared: Vec<Id>,
    /// Descendants of the test process that were seen while it lived.
    seen: BTreeSet<Id>,
    ports: BTreeSet<u16>,
}

/// What is left of it.
#[derive(Debug, Default)]
pub(crate) struct Left {
    /// What disturbs others: processes, listeners, files of faults, debts.
    pub(crate) things: Vec<String>,
    /// What only has to be tidied up: the reaper itself, records that are not finished.
    pub(crate) rest: Vec<String>,
}

impl Left {
    pub(crate) fn is_nothing(&self) -> bool {
        self.things.is_empty() && self.rest.is_empty()
    }
}

impl Family {
    /// Notes who descends from the test process now, and what they are to listen on.
    pub(crate) fn observe(&mut self) {
        let Some(test) = self.test else { return };
        let mut children: BTreeMap<u32, Vec<Process>> = BTreeMap::new();
        for process in Process::all() {
            children.entry(process.parent).or_default().push(process);
        }
        let mut next = vec![test.pid];
        while let Some(parent) = next.pop() {
            for child in children.remove(&parent).unwrap_or_default() {
                next.push(child.id.pid);
                if self.seen.insert(child.id) {
                    self.note_port(&child);
                }
            }
        }
    }

    /// A descendant seen so far whose program has that name.
    pub(crate) fn descendant(&self, program: &str) -> Option<Id> {
        let named = |id: &Id| Process::of(id.pid)?.args().into_iter().next();
        self.seen.iter().copied().find(|id| named(id).is_some_and(|name| name.ends_with(program)))
    }

    /// Looks what there is of it: processes, listeners, temporary files, debts.
    pub(crate) fn left(&mut self, dir: &Path) -> Left {
        let mut left = Left::default();
        let began = self.test.map_or(0, |test| test.ticks);
        // Nobody who was there before the victim belongs to it.
        for process in Process::all().into_iter().filter(|process| process.id.ticks >= began) {
            if self.spared.contains(&process.id) || !process.runs() || !self.owns(&process) {
                continue;
            }
            self.note_port(&process);
            let args = process.args();
            let line = format!("process {} ({})", process.id.pid, args.join(" "));
            if args.first().is_some_and(|name| name == "chaos-test-reap") {
                left.rest.push(line);
            } else {
                left.things.push(line);
            }
        }
        let ports = listening().into_iter().filter(|port| self.ports.contains(port));
        left.things.extend(ports.map(|port| format!("a listener on port {port}")));
        if let Some(mark) = self.mark() {
            let temporary = std::fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten();
            let names = temporary.map(|entry| entry.file_name().to_string_lossy().into_owned());
            left.things.extend(
                names
                    .filter(|name| name.starts_with("chaos-test-") && name.contains(&mark))
                    .map(|name| format!("the file {name}")),
            );
        }
        for ledger in ledgers(dir) {
            let (debts, unfinished) = debts(&ledger);
            left.things.extend(debts);
            left.rest.extend(unfinished);
            // One without entries says nothing, but should not be there.
            left.rest.push(format!("the ledger {}", ledger.display()));
        }
        let unfinished = |name: &str| name.ends_with(".tmp") || name.ends_with(".pending.json");
        left.rest.extend(files(dir, unfinished).iter().map(|path| format!("the file {}", path.display())));
        left
    }

    fn owns(&self, process: &Process) -> bool {
        let tag = format!("{TAG}={}", self.tag);
        let mark = self.mark();
        let named = |entry: &String| {
            let ours = entry.starts_with("CHAOS_TEST_MARK=") || entry.starts_with("CHAOS_TEST_HELPER=");
            *entry == tag || ours && mark.as_ref().is_some_and(|mark| entry.contains(mark))
        };
        self.seen.contains(&process.id) || process.environ().iter().any(named)
    }

    /// What every mark of the test process has in it.
    fn mark(&self) -> Option<String> {
        self.test.map(|test| format!("-{}-{}-", test.pid, test.ticks))
    }

    fn note_port(&mut self, process: &Process) {
        let args = process.args();
        let port = args.iter().skip_while(|arg| *arg != "--port").nth(1);
        self.ports.extend(port.and_then(|port| port.parse::<u16>().ok()));
    }
}

/// The files with such names in the folders of runs below a directory.
pub(crate) fn files(dir: &Path, wanted: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let runs = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let files = runs.flat_map(|run| std::fs::read_dir(run.path()).into_iter().flatten().flatten());
    files.filter(|entry| wanted(&entry.file_name().to_string_lossy())).map(|entry| entry.path()).collect()
}

/// The ledgers there.
pub(crate) fn ledgers(dir: &Path) -> Vec<PathBuf> {
    files(dir, |name| name.starts_with("ledger-") && name.ends_with(".jsonl"))
}

/// The entries of a ledger. A last line that was cut short is none.
pub(crate) fn entries(ledger: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(ledger).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// What a ledger still owes, and which records are missing.
fn debts(ledger: &Path) -> (Vec<String>, Vec<String>) {
    let (mut owed, mut open) = (BTreeMap::new(), BTreeMap::new());
    for entry in entries(ledger) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let experiment = entry["experiment"].to_string();
        match entry["entry"].as_str() {
            Some("owed") => {
                let record = &entry["record"];
                let line = format!("the ledger owes {} on {}", record["injector"], record["service"]);
                owed.insert(text(&record["id"]), line);
            }
            Some("settled") => drop(owed.remove(&text(&entry["id"]))),
            Some("began") => drop(open.insert(experiment, format!("no record of {}", entry["test"]))),
            Some("ended") => drop(open.remove(&experiment)),
            _ => {}
        }
    }
    (owed.into_values().collect(), open.into_values().collect())
}
