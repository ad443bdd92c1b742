use std::time::Duration;

use super::BoxFuture;

/// One monotonic clock for a run; all instants count from its start.
pub(crate) trait Clock: Send + Sync {
    /// Time since the start of the run.
    fn now(&self) -> Duration;

    /// Waits until that time; returns at once if it has passed.
    fn sleep_until(&self, at: Duration) -> BoxFuture<'static, ()>;
}
