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
pub mod victim;

pub use noted::Noted;
pub use relay::Relay;
pub use scripted::Scripted;
pub use stub::{Answer, Served, Stub};

/// The ledger of this process in the folder of its run: `ledger-<pid>-<start, in ticks since the boot>.jsonl`.
pub fn own_ledger(folder: &std::path::Path) -> std::path::PathBuf {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("every process has one");
    let after_name = stat.rsplit_once(") ").expect("the name is in brackets").1;
    let ticks = after_name.split(' ').nth(19).expect("proc(5), field 22");
    folder.join(format!("ledger-{}-{ticks}.jsonl", std::process::id()))
}
