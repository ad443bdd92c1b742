use std::path::Path;
use std::time::Duration;

use crate::model::{Stage, Trouble};
use crate::report::{FORMAT_VERSION, Report};
use crate::slo;
use crate::sys::files;
use crate::sys::ledger::Open;

/// No pending record is longer than this.
const LONGEST: u64 = 512 * 1024 * 1024;

/// Why there is no record.
#[derive(Debug)]
pub(super) enum Unmade {
    /// All that it takes is there, but for a disk that takes it: another time it may.
    Yet(String),
    /// There is nothing that it could be made of.
    Ever(String),
}

impl From<String> for Unmade {
    fn from(why: String) -> Self {
        Self::Ever(why)
    }
}

/// Makes the record of a test that could not write its own, and took that many seconds if it is known; returns where it
/// is.
///
/// # Errors
/// What kept it from being written. A ledger may name files of its own folder only: it may be anybody's.
pub(super) fn finish(
    open: &Open,
    ledger: &Path,
    message: &str,
    left: &[String],
    took: Option<f64>,
) -> Result<String, Unmade> {
    let (pending, path) = (Path::new(&open.pending), Path::new(&open.record));
    if [pending, path].iter().any(|file| !files::are_beside(file, ledger)) {
        return Err(format!("{} is not in the folder of its ledger", path.display()).into());
    }
    // It was killed between the record and the note of it.
    if files::is_not_older(path, pending) {
        let _ = files::remove(pending);
        return Ok(open.record.clone());
    }
    let bytes =
        files::read_at_most(pending, LONGEST).map_err(|error| format!("{}: {error}", pending.display()))?;
    let mut report = Report::from_json(&bytes)?;
    let took = took.and_then(|took| Duration::try_from_secs_f64(took).ok());
    report.took = took.unwrap_or(report.took);
    if report.trace.trouble.is_none() {
        report.trace.trouble = Some(Trouble { stage: Stage::Killed, message: message.to_owned() });
    }
    report.trace.residue.extend(left.iter().cloned());
    // What another version left pending is judged by the rules of this one.
    report.format_version = FORMAT_VERSION;
    report.judgement = slo::judge(&report.trace, &report.slo.objectives);
    let json = report.to_json().map_err(|error| error.to_string())?;
    files::write_atomically(path, json.as_bytes())
        .map_err(|error| Unmade::Yet(format!("{}: {error}", path.display())))?;
    let _ = files::remove(pending);
    Ok(open.record.clone())
}
