//! The faults that take something from the host: what the kernel says of their workers, beside what the witness says.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "test code may read files and start processes"
)]

mod at_rest;
mod cpu;
mod disk;
mod memory;
mod runs;

use chaos_test::prelude::*;

async fn stub() -> Environment {
    let app = Process::cargo_bin("stub").args(["--port", "{port}"]).ready(Probe::http("/"));
    Environment::builder().process("app", app).start().await.expect("a stub")
}
