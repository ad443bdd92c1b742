use std::time::Duration;

use crate::model::Phase;

/// Somebody who likes to know how a run gets on.
pub(crate) trait Progress: Send + Sync {
    /// Called about once a second and at every change of phase.
    fn update(&self, update: &ProgressUpdate);
}

/// How a run gets on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ProgressUpdate {
    /// The phase it is in.
    pub(crate) phase: Phase,
    /// How long the phase has lasted.
    pub(crate) elapsed: Duration,
    /// How long it lasts, or may last at most.
    pub(crate) of: Duration,
    /// Samples of this phase so far.
    pub(crate) samples: u64,
    /// How many of them were bad.
    pub(crate) bad: u64,
    /// 95th percentile of their latency.
    pub(crate) p95: Option<Duration>,
    /// Something that just happened.
    pub(crate) event: Option<String>,
}
