use std::sync::Arc;
use std::time::Duration;

use super::BoxFuture;
use crate::model::{BodyEnd, Outcome, StreamKind};

/// Reads the system and changes nothing (or, for a transaction, does what a user would do).
pub trait Probe: Send + Sync {
    /// One observation. The engine keeps the time limit and drops the future when it is over.
    fn check(&self) -> BoxFuture<'static, Check>;
}

/// What one observation came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Check {
    /// What came of it.
    pub outcome: Outcome,
    /// When it really began, from the start of the run, if that was later than the call.
    pub began: Option<Duration>,
}

impl From<Outcome> for Check {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, began: None }
    }
}

/// A probe with its schedule.
#[derive(Clone)]
pub struct ProbeSpec {
    /// The name of its stream.
    pub name: String,
    /// What one sample is.
    pub kind: StreamKind,
    /// The probe.
    pub probe: Arc<dyn Probe>,
    /// Time from one sample to the next.
    pub interval: Duration,
    /// How long one may take.
    pub timeout: Duration,
}

/// A test body that runs once, under the fault.
pub trait Body: Send + Sync {
    /// Starts it; the future ends when it does. Dropping the future stops the body.
    fn run(&self) -> BoxFuture<'static, BodyEnd>;
}
