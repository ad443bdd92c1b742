use super::super::Entry;
use super::markdown::{code, escape, symbol};
use crate::units::show_duration;
use std::time::Duration;

/// The whole text of a test that left no record; `told` is what its runner wrote of it.
pub(in crate::report) fn text_of_no_record(entry: &Entry, told: &str) -> String {
    let mut out = format!("{}\n\n", entry.headline);
    for line in told.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
        out += &format!("  nextest    {line}\n");
    }
    out += &format!("  rerun      {}", entry.rerun);
    out
}

/// The part in a Markdown report of a test that left no record.
pub(in crate::report) fn markdown_of_no_record(entry: &Entry) -> String {
    let took = Duration::try_from_secs_f64(entry.took_seconds).map_or_else(|_| "?".into(), show_duration);
    format!(
        "## {}\n\n{} {}\n\n- test binary {}, run {}, took {took}\n- rerun: {}\n\n",
        code(&entry.test),
        symbol(entry.verdict),
        escape(&entry.headline),
        code(&entry.binary),
        code(&entry.run_id),
        code(&entry.rerun)
    )
}
