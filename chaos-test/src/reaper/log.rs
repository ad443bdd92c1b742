use std::path::{Path, PathBuf};

use crate::sys::clock::{monotonic, unix_time};
use crate::sys::{files, ledger};

/// What a payer did, in a file beside the records.
pub(super) struct Log {
    path: PathBuf,
    began: f64,
}

impl Log {
    /// The log that belongs to a ledger.
    pub(super) fn beside(ledger: &Path) -> Self {
        Self { path: ledger::log_of(ledger), began: monotonic() }
    }

    pub(super) fn line(&mut self, text: &str) {
        let since = (monotonic() - self.began) * 1e3;
        let line = format!("{:.3} +{since:.1} ms  {text}", unix_time().as_secs_f64());
        // What was done is done, whether it can be told or not.
        let _ = files::append_line(&self.path, &line);
    }
}
