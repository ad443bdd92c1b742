use super::RevertRecord;

/// The durable list of reverts still owed.
///
/// An entry is on disk before its fault is injected and is settled after the fault is gone, so another process can
/// pay what a dead one owes.
pub(crate) trait Ledger: Send + Sync {
    /// Writes the entry down, durably. If this fails, nothing may be injected.
    fn owe(&self, record: &RevertRecord) -> Result<(), LedgerError>;

    /// Marks the entry as paid.
    fn settle(&self, record: &RevertRecord) -> Result<(), LedgerError>;
}

/// The ledger could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the ledger {path}: {source}")]
pub(crate) struct LedgerError {
    /// The ledger's file.
    pub(crate) path: String,
    /// Why.
    pub(crate) source: std::io::Error,
}
