//! What the end-to-end suites share: a stub service that does what it is told, and a fault that tells it.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "test code may use clocks, files and processes"
)]

pub mod figures;
mod noted;
mod relay;
mod scripted;
mod stub;

pub use noted::Noted;
pub use relay::Relay;
pub use scripted::Scripted;
pub use stub::{Answer, Served, Stub};
