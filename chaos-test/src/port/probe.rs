use std::sync::Arc;
use std::time::Duration;

use super::BoxFuture;
use crate::model::{BodyEnd, Outcome, StreamKind};

/// Reads the system and changes nothing (or, for a transaction, does what a user would do).
///
/// ```
/// use chaos_test::model::Outcome;
/// use chaos_test::port::Probe;
/// use chaos_test::units::TimeUnits;
///
/// /// Looks until the service is well, so often at most.
/// async fn comes_up(probe: &dyn Probe, looks: u32) -> bool {
///     for _ in 0..looks {
///         if probe.check(Box::new(|| {})).await == Outcome::Good {
///             return true;
///         }
///         tokio::time::sleep(20.ms()).await;
///     }
///     false
/// }
/// ```
pub trait Probe: Send + Sync {
    /// One observation. The engine keeps the time limit and drops the future when it is over.
    ///
    /// `begins` is called when the observation really begins: until then the time is this host's, and none of the
    /// service's. The future must not block its thread.
    fn check(&self, begins: Begins) -> BoxFuture<'static, Outcome>;
}

/// What a probe calls when it begins.
///
/// ```
/// use std::sync::mpsc;
/// use std::time::{Duration, Instant};
///
/// use chaos_test::port::{Begins, Probe};
///
/// /// How long a look takes from when it really begins; `None` if it never did.
/// async fn took(probe: &dyn Probe) -> Option<Duration> {
///     let (began, when) = mpsc::channel();
///     let begins: Begins = Box::new(move || {
///         let _ = began.send(Instant::now());
///     });
///     probe.check(begins).await;
///     when.try_recv().ok().map(|began| began.elapsed())
/// }
/// ```
pub type Begins = Box<dyn FnOnce() + Send>;

/// A probe with its schedule.
#[derive(Clone)]
pub(crate) struct ProbeSpec {
    /// The name of its stream, which no other has.
    pub(crate) name: String,
    /// What one sample is.
    pub(crate) kind: StreamKind,
    /// Whether it looks at a service that is not known to be on this host.
    pub(crate) elsewhere: bool,
    /// The probe.
    pub(crate) probe: Arc<dyn Probe>,
    /// Time from one sample to the next.
    pub(crate) interval: Duration,
    /// How long one may take.
    pub(crate) timeout: Duration,
}

/// A test body that runs once, under the fault.
pub(crate) trait Body: Send + Sync {
    /// Starts it; the future ends when it does. Dropping the future stops the body.
    fn run(&self) -> BoxFuture<'static, BodyEnd>;
}
