//! The seams between the engine and the world: traits, and the plain data that crosses them.
//!
//! Purpose: the engine measures, injects and reverts through these traits only; `sys`, `inject`, `probe` and
//! `environment` implement them. A test of the engine brings fakes.
//!
//! Invariants: nothing here acts. Every future is boxed where a trait is used as an object, so that
//! implementors may write plain `async fn`.
//! Not here: any implementation.

mod clock;
mod container;
mod injector;
mod keeper;
mod ladder;
mod ledger;
mod meter;
mod mishap;
mod packets;
mod path;
mod presence;
mod probe;
mod progress;
mod target;
mod undo;

use std::pin::Pin;

pub(crate) use clock::Clock;
pub use container::{ContainerControl, ContainerState, ContainerStatus, GroupUsage, Work, WorkDone};
pub use injector::{DynInjector, Injector, Prepared, RevertRecord};
pub(crate) use keeper::Keeper;
pub use ladder::{Choice, Refusal, Rung, Support};
pub(crate) use ledger::{Ledger, LedgerError};
pub(crate) use meter::{Meter, Usage};
pub(crate) use mishap::Mishap;
pub use packets::{PacketPath, PacketShape};
pub use path::{Closed, NetworkPath, PathShape, Tally};
pub use presence::{Dose, InjectError, ObserveError, Presence, RevertError};
pub use probe::{Begins, Probe};
pub(crate) use probe::{Body, ProbeSpec};
pub(crate) use progress::{Progress, ProgressUpdate};
pub use target::{ProcessControl, Readiness, SyncControl, SyncTrial, Target, TargetKind};
pub use undo::{PlannedStep, UndoStep};

/// A boxed future that may cross threads.
///
/// ```
/// use std::io;
/// use std::time::Duration;
///
/// use chaos_test::port::BoxFuture;
///
/// /// What a path that somebody made up answers to a measurement.
/// fn round_trip(took: Duration) -> BoxFuture<'static, io::Result<Duration>> {
///     Box::pin(async move { Ok(took) })
/// }
/// ```
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
