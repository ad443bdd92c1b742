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
mod probe;
mod progress;
mod target;
mod undo;

use std::pin::Pin;

pub use clock::Clock;
pub use container::{ContainerControl, ContainerState, ContainerStatus, GroupUsage, Work, WorkDone};
pub use injector::{
    Dose, DynInjector, InjectError, Injector, ObserveError, Prepared, Presence, RevertError, RevertRecord,
};
pub use keeper::Keeper;
pub use ladder::{Choice, Refusal, Rung, Support};
pub use ledger::{Ledger, LedgerError};
pub use meter::{Meter, Usage};
pub use mishap::Mishap;
pub use packets::{PacketPath, PacketShape};
pub use path::{Closed, NetworkPath, PathShape, Tally};
pub use probe::{Begins, Body, Probe, ProbeSpec};
pub use progress::{Progress, ProgressUpdate};
pub use target::{ProcessControl, Readiness, SyncControl, SyncTrial, Target, TargetKind};
pub use undo::{PlannedStep, UndoStep};

/// A boxed future that may cross threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
