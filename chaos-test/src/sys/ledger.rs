use std::path::PathBuf;

use serde::Serialize;

use super::files;
use crate::port::{Ledger, LedgerError, RevertRecord};

/// A ledger in a file of JSON lines, each on the disk before the call returns.
pub(crate) struct FileLedger {
    path: PathBuf,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case", tag = "entry")]
enum Entry<'a> {
    Owed { record: &'a RevertRecord, owner: Owner },
    Settled { id: &'a str },
}

/// The process that owes: its pid and its start, which together name it for good.
#[derive(Serialize)]
struct Owner {
    pid: u32,
    start_ticks: u64,
}

impl FileLedger {
    pub(crate) fn at(path: PathBuf) -> Self {
        Self { path }
    }

    fn append(&self, entry: &Entry<'_>) -> Result<(), LedgerError> {
        let fail = |source| LedgerError { path: self.path.display().to_string(), source };
        let line = serde_json::to_string(entry).map_err(|error| fail(error.into()))?;
        files::append_line_durably(&self.path, &line).map_err(fail)
    }
}

impl Ledger for FileLedger {
    fn owe(&self, record: &RevertRecord) -> Result<(), LedgerError> {
        let pid = std::process::id();
        let owner = Owner { pid, start_ticks: super::procfs::start_ticks(pid).unwrap_or_default() };
        self.append(&Entry::Owed { record, owner })
    }

    fn settle(&self, record: &RevertRecord) -> Result<(), LedgerError> {
        self.append(&Entry::Settled { id: &record.id })
    }
}
