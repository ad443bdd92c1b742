//! `cargo chaos` as its users run it: the real binary, real files, its exit codes.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "test code may touch files, processes and the clock"
)]

#[path = "cli/alone.rs"]
mod alone;
#[path = "cli/catalogues.rs"]
mod catalogues;
#[path = "cli/contained.rs"]
mod contained;
#[path = "cli/dead_runs.rs"]
mod dead_runs;
#[path = "cli/doctor.rs"]
mod doctor;
#[path = "cli/earlier_tool.rs"]
mod earlier_tool;
#[path = "cli/harmless.rs"]
mod harmless;
#[path = "cli/hostile_files.rs"]
mod hostile_files;
#[path = "cli/hostile_records.rs"]
mod hostile_records;
#[path = "cli/init.rs"]
mod init;
#[path = "cli/lost_runs.rs"]
mod lost_runs;
#[path = "cli/outputs.rs"]
mod outputs;
#[path = "cli/over_time.rs"]
mod over_time;
#[path = "cli/pages.rs"]
mod pages;
#[path = "cli/planted.rs"]
mod planted;
#[path = "cli/reaped.rs"]
mod reaped;
#[path = "cli/reports.rs"]
mod reports;
#[path = "cli/residues.rs"]
mod residues;
#[path = "cli/runs.rs"]
mod runs;
#[path = "cli/sandbox.rs"]
mod sandbox;
#[path = "cli/several.rs"]
mod several;
#[path = "cli/strangers.rs"]
mod strangers;
mod synthetic;
#[path = "cli/verified.rs"]
mod verified;
