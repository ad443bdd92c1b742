//! Chaos engineering as an ordinary test.
//!
//! ```no_run
//! use chaos_test::prelude::*;
//!
//! async fn shop() -> Result<Environment, Error> {
//!     Environment::builder()
//!         .process("app", Process::cargo_bin("shop").args(["--port", "{port}"]).ready(Probe::http("/api/health")))
//!         .start()
//!         .await
//! }
//!
//! #[chaos_test(scenario = "Medium CPU Stress", slo = "staging", environment = shop, repeat = "20/s")]
//! async fn a_customer_can_check_out(chaos: Chaos) -> Result<(), reqwest::Error> {
//!     let app = chaos.client("app");
//!     app.post("/orders").body("1 x tea").send().await?.error_for_status()?;
//!     Ok(())
//! }
//! ```
//!
//! A chaos test starts its environment, measures a baseline, puts a fault in place around the test body, proves that
//! the fault is there, removes it, watches recovery, and holds what it measured against an SLO profile. It is green
//! only if the fault was proven and every objective held.
//!
//! - [`chaos_test`](macro@chaos_test) makes a test of an async function; [`Experiment`] is the same without a macro.
//! - [`Environment`] starts the services and gives each an address that stays.
//! - [`model`] holds scenarios and SLO profiles, [`slo`] the judgement, [`report`] what is left of a run.
//!
//! Without the feature `runtime` only the pure half is built: [`units`], [`model`], [`stats`], [`slo`], [`report`].
//!
//! # What may grow
//!
//! Within a major version variants are added to enums and fields to what a user only reads, so both are
//! `#[non_exhaustive]`. What users write by literal, such as [`model::Bounds`], [`model::Objectives`],
//! [`model::AbortConditions`] and `port::PathShape`, gets new fields as well: end it with `..Default::default()`, or
//! with `..PathShape::NONE`. The variants of [`model::Fault`] cannot be ended so: what a fault of today asks for stays as it
//! is within a major version, and one that asks for more is a variant of its own. The parts of a [`report::Report`], its
//! [`model::Trace`] and its [`report::RunPlan`] are those of the record's format: fields may be added to them, which older
//! records lack. Modules that begin with `__` are for the attribute and the command line alone.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod model;
pub mod report;
pub mod slo;
pub mod stats;
pub mod units;

#[cfg(feature = "runtime")]
mod engine;
#[cfg(feature = "runtime")]
pub mod environment;
#[cfg(feature = "runtime")]
mod error;
#[cfg(feature = "runtime")]
mod failure;
#[cfg(feature = "runtime")]
mod helper;
#[cfg(feature = "runtime")]
pub mod inject;
#[cfg(feature = "runtime")]
pub mod port;
#[cfg(feature = "runtime")]
pub mod probe;
#[cfg(feature = "runtime")]
mod reaper;
#[cfg(feature = "runtime")]
mod run;
#[cfg(feature = "runtime")]
mod sys;

#[cfg(feature = "runtime")]
#[doc(hidden)]
#[allow(missing_docs, reason = "named by the expansion of the attribute only")]
pub mod __private;

#[cfg(feature = "cli")]
#[doc(hidden)]
#[path = "cli_support.rs"]
pub mod __cli;

#[cfg(feature = "runtime")]
pub use environment::{AsEnvironment, Environment, EnvironmentBuilder, Process, Restart, Service};
#[cfg(feature = "containers")]
pub use environment::{Container, IntoContainer};
#[cfg(feature = "runtime")]
pub use error::{Error, ErrorKind};
#[cfg(feature = "runtime")]
pub use failure::{Failure, TestResult};
#[cfg(feature = "runtime")]
pub use probe::Probe;
#[cfg(feature = "runtime")]
pub use run::{
    BodyError, Chaos, Client, Experiment, Inconclusive, IntoBodyResult, Objective, RequestBuilder,
    RequestRecord,
};

#[cfg(feature = "macros")]
pub use chaos_test_macros::chaos_test;

/// The version of testcontainers whose images and requests an [`Environment`] takes.
#[cfg(feature = "containers")]
pub use testcontainers;

/// Everything a chaos test names, in one import.
#[cfg(feature = "runtime")]
pub mod prelude {
    #[cfg(feature = "macros")]
    pub use crate::chaos_test;
    #[cfg(feature = "containers")]
    pub use crate::environment::Container;
    pub use crate::environment::{AsEnvironment, Environment, Process, Restart};
    pub use crate::model::{AbortConditions, Fault, Fidelity, Phase, Samples};
    pub use crate::probe::Probe;
    pub use crate::run::{Chaos, Experiment, Inconclusive, Objective};
    pub use crate::slo::Verdict;
    pub use crate::units::{Percent, RateUnits, TimeUnits};
    pub use crate::{Error, TestResult};
}
