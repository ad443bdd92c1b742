use std::io;
use std::path::Path;

use super::{Entry, FORMAT};
use crate::port::RevertRecord;
use crate::sys::files;
use crate::sys::owner::Owner;
use crate::sys::undo::Leader;

/// No ledger is longer than this: a few entries per test.
pub(super) const LONGEST: u64 = 64 * 1024 * 1024;

/// What a ledger says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Account {
    pub(crate) owner: Owner,
    /// What is still owed, oldest first.
    pub(crate) owed: Vec<Debt>,
    /// How many entries were ever owed.
    pub(crate) total: usize,
    /// Experiments whose records are not written.
    pub(crate) open: Vec<Open>,
    /// When the last fault of each experiment was put in, and when it was seen gone.
    pub(crate) faults: Vec<FaultTimes>,
    /// The session leaders that were started, of entries paid or not.
    pub(crate) leaders: Vec<Leader>,
    /// When it was opened, in seconds since 1970.
    pub(crate) opened: f64,
    /// Lines that make no sense, by number. A last line without an end is no damage: whoever wrote it was killed, and had
    /// not acted on it.
    pub(crate) damaged: Vec<usize>,
}

/// One entry that is still owed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Debt {
    pub(crate) record: RevertRecord,
    pub(crate) at: f64,
}

/// An experiment whose record is not written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Open {
    pub(crate) experiment: u64,
    pub(crate) test: String,
    pub(crate) pending: String,
    pub(crate) record: String,
    pub(crate) began: f64,
}

/// When a fault of an experiment was written down, and settled.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FaultTimes {
    pub(crate) experiment: u64,
    id: String,
    pub(crate) owed: f64,
    pub(crate) settled: Option<f64>,
}

/// Why a ledger cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("its first line does not say whose it is")]
    NoOwner,
    #[error(
        "it is of format {0}, and this version knows format {FORMAT}: use the cargo-chaos of the chaos-test that wrote it"
    )]
    Newer(u32),
}

/// Reads a ledger of any process.
pub(crate) fn read(path: &Path) -> Result<Account, ReadError> {
    parse(&files::read_at_most(path, LONGEST)?)
}

pub(crate) fn parse(bytes: &[u8]) -> Result<Account, ReadError> {
    let text = String::from_utf8_lossy(bytes);
    let complete = text.ends_with('\n');
    let lines: Vec<&str> = text.lines().collect();
    let mut account: Option<Account> = None;
    let mut damaged = Vec::new();
    for (n, line) in lines.iter().enumerate() {
        let last = n + 1 == lines.len();
        let Ok(entry) = serde_json::from_str::<Entry>(line) else {
            if !line.trim().is_empty() && (complete || !last) {
                damaged.push(n + 1);
            }
            continue;
        };
        match (&mut account, entry) {
            (None, Entry::Opened { format, .. }) if format > FORMAT => return Err(ReadError::Newer(format)),
            (None, Entry::Opened { owner, unix, .. }) => account = Some(Account::of(owner, unix)),
            (None, _) => return Err(ReadError::NoOwner),
            (Some(account), entry) => account.add(entry),
        }
    }
    let mut account = account.ok_or(ReadError::NoOwner)?;
    account.damaged = damaged;
    Ok(account)
}

impl Account {
    fn of(owner: Owner, opened: f64) -> Self {
        Self {
            owner,
            owed: Vec::new(),
            total: 0,
            open: Vec::new(),
            faults: Vec::new(),
            leaders: Vec::new(),
            opened,
            damaged: Vec::new(),
        }
    }

    fn add(&mut self, entry: Entry) {
        match entry {
            Entry::Owed { record, experiment, at } => {
                self.total += 1;
                if let Some(experiment) = experiment {
                    let id = record.id.clone();
                    self.faults.push(FaultTimes { experiment, id, owed: at, settled: None });
                }
                self.owed.push(Debt { record, at });
            }
            Entry::Started { id, process, .. } => self.leaders.push(Leader { mark: id, process }),
            Entry::Settled { id, at, .. } => {
                self.owed.retain(|debt| debt.record.id != id);
                for fault in self.faults.iter_mut().filter(|fault| fault.id == id) {
                    fault.settled = Some(at);
                }
            }
            Entry::Began { experiment, test, pending, record, at } => {
                self.open.push(Open { experiment, test, pending, record, began: at });
            }
            Entry::Ended { experiment, .. } => self.open.retain(|open| open.experiment != experiment),
            Entry::Opened { .. } | Entry::Unknown => {}
        }
    }

    /// Whether it was written on another machine: under another boot, while this machine, booted then, was up. Of one
    /// from before that it cannot be told; its processes are not here either way.
    pub(crate) fn is_of_another_machine(&self, booted: f64) -> bool {
        // Clocks are set now and then.
        const SLACK: f64 = 60.0;
        self.owner.boot != Owner::this().boot && self.opened > booted + SLACK
    }

    /// Whether nothing is left to be done for it.
    pub(crate) fn is_clear(&self) -> bool {
        self.owed.is_empty() && self.open.is_empty() && self.damaged.is_empty()
    }
}
