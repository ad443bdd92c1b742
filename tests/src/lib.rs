//! What the end-to-end suites share: a stub service that does what it is told, and a fault that tells it.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "test code may use clocks, files and processes"
)]

/// The Rust of the documents, compiled; what of it needs no service is run.
#[cfg(doctest)]
mod documented {
    #[doc = include_str!("../../README.md")]
    struct Readme;

    #[doc = include_str!("../../docs/guide.md")]
    struct Guide;

    #[doc = include_str!("../../docs/writing-tests.md")]
    struct WritingTests;

    #[cfg(feature = "containers")]
    #[doc = include_str!("../../docs/containers.md")]
    struct Containers;
}

pub mod docker;
mod door;
pub mod figures;
mod generated;
mod marked;
pub mod metastable;
mod nobody;
mod noted;
mod own_group;
mod relay;
mod scripted;
pub mod stress;
mod stub;
pub mod told;
mod undermined;
mod unsteady;
pub mod victim;
mod void;

pub use door::{Door, echo};
pub use generated::generated;
pub use marked::marked;
pub use nobody::{as_nobody, once_more_as_nobody};
pub use noted::Noted;
pub use own_group::OwnGroup;
pub use relay::Relay;
pub use scripted::Scripted;
pub use stress::Stress;
pub use stub::{Answer, Served, Stub};
pub use undermined::{Saboteur, Undermined};
pub use unsteady::Unsteady;
pub use void::{VOID, carried_out, is_void, unless_late, unless_void, unless_void_with};

/// The ledger of this process in the folder of its run: `ledger-<pid>-<start, in ticks since the boot>.jsonl`.
pub fn own_ledger(folder: &std::path::Path) -> std::path::PathBuf {
    let pid = std::process::id();
    folder.join(format!("ledger-{pid}-{}.jsonl", start_ticks(pid)))
}

/// The ledger of this process beside a record, whose path is as a report of one of these tests has it.
///
/// # Panics
/// The path is that of a folder.
pub fn ledger_beside(record: &str) -> std::path::PathBuf {
    // The workspace is above; a path that is whole already stays as it is.
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(record);
    own_ledger(path.parent().expect("a record is in a folder"))
}

/// When that process was started, in ticks since the boot.
///
/// # Panics
/// There is no such process.
pub fn start_ticks(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("every process has one");
    let after_name = stat.rsplit_once(") ").expect("the name is in brackets").1;
    let ticks = after_name.split(' ').nth(19).expect("proc(5), field 22");
    ticks.parse().expect("a number")
}

/// Carries these out side by side on this thread, and returns what came of each.
pub async fn at_once<T: 'static>(
    works: impl IntoIterator<Item = impl Future<Output = T> + 'static>,
) -> Vec<T> {
    let set = tokio::task::LocalSet::new();
    let works: Vec<_> = works.into_iter().map(|work| set.spawn_local(work)).collect();
    set.run_until(async {
        let mut done = Vec::new();
        for work in works {
            done.push(work.await.expect("it does not panic"));
        }
        done
    })
    .await
}
