use std::path::Path;
use std::time::Duration;

use crate::model::{Stage, Trouble};
use crate::report::Report;
use crate::slo;
use crate::sys::files;
use crate::sys::ledger::Open;

/// No pending record is longer than this.
const LONGEST: u64 = 512 * 1024 * 1024;

/// Makes the record of a test that could not write its own, and took that many seconds if it is known; returns where it
/// is.
pub(super) fn finish(open: &Open, message: &str, took: Option<f64>) -> Result<String, String> {
    let (pending, path) = (Path::new(&open.pending), Path::new(&open.record));
    let bytes =
        files::read_at_most(pending, LONGEST).map_err(|error| format!("{}: {error}", pending.display()))?;
    let mut report = Report::from_json(&bytes)?;
    let took = took.and_then(|took| Duration::try_from_secs_f64(took).ok());
    report.took = took.unwrap_or(report.took);
    if report.trace.trouble.is_none() {
        report.trace.trouble = Some(Trouble { stage: Stage::Killed, message: message.to_owned() });
    }
    report.judgement = slo::judge(&report.trace, &report.slo.objectives);
    let json = report.to_json().map_err(|error| error.to_string())?;
    files::write_atomically(path, json.as_bytes()).map_err(|error| format!("{}: {error}", path.display()))?;
    let _ = files::remove(pending);
    Ok(open.record.clone())
}
