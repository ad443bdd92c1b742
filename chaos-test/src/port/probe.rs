use std::sync::Arc;
use std::time::Duration;

use super::BoxFuture;
use crate::model::{BodyEnd, Outcome, StreamKind};

/// Reads the system and changes nothing (or, for a transaction, does what a user would do).
pub trait Probe: Send + Sync {
    /// One observation. The engine keeps the time limit and drops the future when it is over.
    ///
    /// `begins` is called when the observation really begins: until then the time is this host's, and none of the
    /// service's. The future must not block its thread.
    fn check(&self, begins: Begins) -> BoxFuture<'static, Outcome>;
}

/// What a probe calls when it begins.
pub type Begins = Box<dyn FnOnce() + Send>;

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
