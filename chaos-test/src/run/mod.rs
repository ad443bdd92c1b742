//! The one place where everything comes together: an [`Experiment`] binds a scenario to an environment, an SLO
//! profile and a test body, and [`Experiment::run`] carries it out.
//!
//! Purpose: public and complete; the attribute macro is only sugar over it.
//!
//! Invariants: the engine, the probers and the proxies run on the harness's threads, the test body on the caller's;
//! a run that has begun leaves a record.
//! Not here: how anything is measured, injected or judged.

mod active;
mod alerts;
mod asked;
mod audit;
mod body;
mod catalogue_file;
mod chaos;
mod client;
mod consent;
mod custom;
mod deadline;
mod door;
mod driver;
mod evidence;
mod execute;
mod experiment;
mod housekeeping;
mod identity;
mod inconclusive;
mod locks;
mod monitor;
mod noise;
mod noted;
mod objective;
mod panics;
mod phases;
mod pinned;
mod plan;
mod progress;
mod record;
mod requests;
mod safety;
mod supervise;

pub use body::{BodyError, IntoBodyResult};
pub use chaos::{Chaos, RequestRecord};
pub use client::{Client, RequestBuilder};
pub use experiment::Experiment;
pub use housekeeping::owe_and_settle;
pub use inconclusive::Inconclusive;
pub use objective::Objective;

pub(crate) use body::BodyResult;
pub(crate) use catalogue_file::{Located, embedded, locate, read};
#[cfg(feature = "cli")]
pub(crate) use catalogue_file::{locate_in, workspace_root};
pub(crate) use deadline::refused;
pub(crate) use identity::Identity;

/// A boxed future that stays on its thread.
pub(crate) type LocalFuture<T> = std::pin::Pin<Box<dyn Future<Output = T>>>;
