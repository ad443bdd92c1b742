//! The seams between the engine and the world: traits, and the plain data that crosses them.
//!
//! Purpose: the engine measures, injects and reverts through these traits only; `sys`, `inject`, `probe` and
//! `environment` implement them. A test of the engine brings fakes.
//!
//! Invariants: nothing here acts. Every future is boxed where a trait is used as an object, so that
//! implementors may write plain `async fn`.
//! Not here: any implementation.

mod clock;
mod injector;
mod keeper;
mod ledger;
mod probe;
mod progress;
mod target;
mod undo;

use std::pin::Pin;

pub use clock::Clock;
pub use injector::{
    Dose, DynInjector, InjectError, Injector, ObserveError, Prepared, Presence, RevertError, RevertRecord,
    Support,
};
pub use keeper::Keeper;
pub use ledger::{Ledger, LedgerError};
pub use probe::{Begins, Body, Probe, ProbeSpec};
pub use progress::{Progress, ProgressUpdate};
pub use target::{NetworkPath, PathShape, ProcessControl, Target, TargetKind};
pub use undo::{PlannedStep, UndoStep};

/// A boxed future that may cross threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
