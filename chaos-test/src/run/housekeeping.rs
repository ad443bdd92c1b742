use std::io;

use crate::port::RevertRecord;
use crate::reaper;
use crate::sys::{ledger, owner, run_folder, runtime};

/// Cleans up after runs that are gone and whose reapers could not; returns what was done, a line each. Told at once as
/// well: whoever sees processes vanish should know why.
pub(super) async fn sweep() -> Vec<String> {
    let work = || {
        let found = reaper::find(run_folder::results_dir());
        if found.is_empty() {
            return Vec::new();
        }
        let (done, failed) = reaper::sweep(found);
        let done = done.into_iter().map(|line| format!("cleaned up after a run that is gone: {line}"));
        let failed =
            failed.into_iter().map(|line| format!("could not clean up after a run that is gone: {line}"));
        done.chain(failed).collect()
    };
    // It may have to wait for a reaper that is at it.
    let swept = runtime::harness().spawn_blocking(work).await.unwrap_or_default();
    for line in &swept {
        eprintln!("chaos-test: {line}");
    }
    swept
}

/// Writes an entry in this process's ledger and settles it: for the benchmark of what that costs. The first one of a
/// process starts its reaper.
pub fn owe_and_settle() -> io::Result<()> {
    let record = RevertRecord {
        id: owner::new_mark(),
        injector: "nothing".into(),
        service: "nothing".into(),
        payload: serde_json::Value::Null,
        undo: Vec::new(),
    };
    crate::helper::link();
    ledger::owe(&record, None)?;
    ledger::settle(&record.id)
}
