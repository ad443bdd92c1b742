//! The time that a whole run may take: all tests of one `cargo nextest run` or `cargo test` together.

use std::time::Duration;

use crate::error::Error;
use crate::sys::clock::unix_time;
use crate::sys::{run_folder, run_start};
use crate::units::show_duration;

/// Sees to it that a run has begun, also where its first test was refused: what is reported is then that run, which has no
/// record, and not the one before it.
pub(crate) fn refused<T>(outcome: Result<T, Error>) -> Result<T, Error> {
    // Where it cannot be written there is nothing else to be done than to tell why the test was refused.
    outcome.inspect_err(|_| drop(run_start::of_this_run()))
}

/// What is left of the time that a whole run may take.
pub(super) fn run_deadline(longest: Duration) -> Result<Duration, Error> {
    let started = run_start::of_this_run().map_err(Error::record)?;
    let now = unix_time();
    let left = (started + longest).saturating_sub(now);
    if !left.is_zero() {
        return Ok(left);
    }
    Err(Error::setup(format!(
        "the run {} began at {}, {} ago, and `safety.max_total_duration_seconds` gives a whole run {}: nothing was \
         injected. Raise that key in the catalogue, or begin another run",
        run_folder::run_id(),
        time_of_day(started),
        show_duration(Duration::from_secs(now.saturating_sub(started).as_secs())),
        show_duration(longest)
    )))
}

/// `16:04:09 UTC`
fn time_of_day(time: Duration) -> String {
    let secs = time.as_secs() % 86_400;
    format!("{:02}:{:02}:{:02} UTC", secs / 3600, secs / 60 % 60, secs % 60)
}
