use std::time::Duration;

use crate::model::Phase;

/// Somebody who likes to know how a run gets on.
pub trait Progress: Send + Sync {
    /// Called about once a second and at every change of phase.
    fn update(&self, update: &ProgressUpdate);
}

/// How a run gets on.
#[derive(Debug, Clone, PartialEq)]
pub struct ProgressUpdate {
    /// The phase it is in.
    pub phase: Phase,
    /// How long the phase has lasted.
    pub elapsed: Duration,
    /// How long it lasts, or may last at most.
    pub of: Duration,
    /// Samples of this phase so far.
    pub samples: u64,
    /// How many of them were bad.
    pub bad: u64,
    /// 95th percentile of their latency.
    pub p95: Option<Duration>,
    /// Something that just happened.
    pub event: Option<String>,
}
