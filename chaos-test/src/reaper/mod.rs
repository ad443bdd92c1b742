//! The process that pays what a test process owes when that is gone.
//!
//! Purpose: [`watch`] is all the life of a reaper: it waits for the end of the test process (or of the runner that
//! started it, or for the time at which it should have ended), pays its ledger, newest first, and writes the records it
//! could not. [`sweep`] does the same for the dead whose reapers died as well.
//!
//! Invariants: only what a ledger or a mark proves to be ours is touched, and never what belongs to a process that lives.
//! Everything has a deadline; what fails does not keep the rest from being done; what was done is logged beside the
//! records. Locks are kept until the debts are paid.
//! Not here: how anything is undone (`sys::undo`), how a reaper is started (`sys::reaper`).

mod log;
mod pay;
mod record;
mod sweep;
mod watch;

#[cfg(feature = "cli")]
pub(crate) use sweep::{Found, find_contained, find_debts, find_strays};
pub(crate) use sweep::{find, sweep};
pub(crate) use watch::watch;
