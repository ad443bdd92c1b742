//! `cargo chaos` as its users run it: the real binary, real files, its exit codes.

#[path = "cli/catalogues.rs"]
mod catalogues;
#[path = "cli/reports.rs"]
mod reports;
#[path = "cli/sandbox.rs"]
mod sandbox;
mod synthetic;
