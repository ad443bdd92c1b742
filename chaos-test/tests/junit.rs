//! JUnit: what is written, that others read it, and nextest's file beside it.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "test code may touch files, processes and the clock"
)]

mod arbitrary;
#[path = "junit/consumers.rs"]
mod consumers;
#[path = "junit/hostile.rs"]
mod hostile;
#[path = "junit/nextest.rs"]
mod nextest;
#[path = "cli/sandbox.rs"]
#[allow(dead_code, reason = "each test binary uses a part")]
mod sandbox;
mod synthetic;
#[path = "junit/verdicts.rs"]
mod verdicts;
