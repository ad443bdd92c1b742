//! Nothing is left behind, however a test ends: tests are killed at random and at chosen moments, and what is left is
//! looked for by code of this suite's own.
//!
//! `CHAOS_TEST_CRASH_ROUNDS` says how often, `CHAOS_TEST_CRASH_SEED` repeats a run, `CHAOS_TEST_CRASH_JOBS` says how many
//! victims live at a time.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "test code may use clocks, files and processes"
)]

mod aim;
mod broken;
mod built;
mod ends;
mod proc;
mod residue;
mod rounds;
mod start;
mod table;
