use std::path::Path;

use chaos_test::model::{Stage, Trouble};
use chaos_test::report::{FORMAT_VERSION, Report};
use chaos_test::slo::judge;

use crate::records;

const WHY: &str = "it has left no record: it still runs, or it was killed and its reaper with it (`cargo chaos reap` puts \
                   that in order), or there was no room on the disk";

/// The report of a test that has none of its own: as far as it came, and an error.
pub(super) fn read(path: &Path) -> Result<Option<Report>, String> {
    let Some(mut report) = records::read(path)? else { return Ok(None) };
    if report.trace.trouble.is_none() {
        report.trace.trouble = Some(Trouble { stage: Stage::Killed, message: WHY.into() });
    }
    report.path = Some(path.display().to_string());
    // As the reaper does: what another version left pending is judged by the rules of this one.
    report.format_version = FORMAT_VERSION;
    report.judgement = judge(&report.trace, &report.slo.objectives);
    Ok(Some(report))
}
