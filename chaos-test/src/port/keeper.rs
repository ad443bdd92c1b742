use crate::model::Trace;

/// Keeps what a run has observed so far where it outlives this process.
pub(crate) trait Keeper: Send + Sync {
    /// Keeps it in place of what was kept before. This may take as long as a disk does; the engine calls it off its own
    /// threads. It does not fail: a run goes on whether it is kept or not.
    fn keep(&self, trace: Trace);
}
