use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::time::Duration;

use crate::model::Phase;
use crate::port::{Progress, ProgressUpdate};
use crate::sys::env;
use crate::units::show_duration;

/// No progress: for tests, whose output nobody reads while they run.
pub(super) struct Silent;

impl Progress for Silent {
    fn update(&self, _update: &ProgressUpdate) {}
}

/// Progress on standard error: a line that is written over on a terminal, one line every few seconds elsewhere.
pub(super) struct Lines {
    name: String,
    over: bool,
    every: Duration,
    last: Mutex<(Phase, Option<Duration>)>,
}

impl Lines {
    pub(super) fn new(name: &str) -> Self {
        let over = std::io::stderr().is_terminal();
        let every = Duration::from_secs(if over { 0 } else { 2 });
        Self { name: name.to_owned(), over, every, last: Mutex::new((Phase::Baseline, None)) }
    }

    /// Whether progress was asked for, or the output goes to nextest, which shows it with a test that fails.
    pub(super) fn wanted() -> bool {
        match env::var("CHAOS_TEST_PROGRESS") {
            Some(value) => value != "0",
            None => env::var("NEXTEST").is_some(),
        }
    }

    fn print(&self, text: &str, stays: bool) {
        let mut err = std::io::stderr().lock();
        // Progress that cannot be shown is no reason to stop.
        let _ = if !self.over {
            writeln!(err, "{text}")
        } else if stays {
            writeln!(err, "\r\x1b[K{text}")
        } else {
            write!(err, "\r\x1b[K{text}").and_then(|()| err.flush())
        };
    }
}

impl Progress for Lines {
    fn update(&self, update: &ProgressUpdate) {
        let phase = phase_name(update.phase);
        if let Some(event) = &update.event {
            return self.print(&format!("{}: {event}", self.name), true);
        }
        let mut last = self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let due = last.0 != update.phase || last.1.is_none_or(|before| update.elapsed >= before + self.every);
        if !due {
            return;
        }
        *last = (update.phase, Some(update.elapsed));
        let bad = update.bad as f64 / update.samples.max(1) as f64 * 100.0;
        let p95 = update.p95.map_or_else(|| "-".into(), show_duration);
        self.print(
            &format!(
                "{}: {phase:<9} {:>4.0} of {:.0} s   {:>5} samples   {bad:>5.1} % bad   p95 {p95}",
                self.name,
                update.elapsed.as_secs_f64(),
                update.of.as_secs_f64(),
                update.samples
            ),
            false,
        );
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        if self.over {
            self.print("", false);
        }
    }
}

/// A phase as it stands in a progress line.
fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Baseline => "baseline",
        Phase::Chaos => "chaos",
        Phase::Recovery => "recovery",
        Phase::Recovered => "done",
    }
}
