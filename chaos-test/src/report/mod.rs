//! What a run leaves for people and machines: one [`Report`] per test, a [`Summary`] of many.
//!
//! Purpose: the record's schema (versioned, `docs/report-schema.md`), the sentence a failure begins with, and
//! renderers to text, Markdown and JSON.
//!
//! Invariants: rendering is pure and total; a sentence is only printed when the record holds its evidence. A report
//! can be judged again from its trace.
//! Not here: where files are kept, and reading or writing them.

mod advice;
mod curve;
mod harness;
mod headline;
mod noise;
mod plan;
pub mod render;
mod resources;
mod show;
mod summary;
mod verify;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{Scenario, SloProfile, Trace};
use crate::slo::{Judgement, Verdict};

pub use plan::{PlannedAction, PlannedInjection, PlannedService, PlannedStream, RunPlan};
pub use summary::{Retried, Summary, Unreadable, Violation};
pub use verify::{Difference, Verification};

/// The version of the record's format. It grows when a field changes its meaning or goes, or a rule of the judgement does.
pub const FORMAT_VERSION: u32 = 2;

/// The oldest version that can be read.
pub const OLDEST_FORMAT: u32 = 1;

/// One test's record: what was asked, what was observed, what it came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// [`FORMAT_VERSION`] of the writer.
    pub format_version: u32,
    /// The test, as nextest and libtest name it: `checkout_survives::medium_cpu_stress`. Behind the name of the second
    /// experiment of one test stands ` (2)`.
    pub test: String,
    /// The test binary, as nextest names it, package and program: `shop::checkout`; outside Cargo the program's name.
    pub binary: String,
    /// The run all its tests share.
    pub run_id: String,
    /// When it began, in seconds since 1970.
    pub started_at: f64,
    /// How long it took, environment and all.
    pub took: Duration,
    /// The scenario as it ran, overrides applied.
    pub scenario: Scenario,
    /// The SLO profile as it was judged by, overrides applied.
    pub slo: SloProfile,
    /// The catalogue file beside the built-in one, if there was one.
    pub catalogue: Option<String>,
    /// How long the phases were to be.
    pub planned: Planned,
    /// What the run was to do, step by step; absent when it ended before that was known, and in older records.
    #[serde(default)]
    pub plan: Option<RunPlan>,
    /// The services of the environment.
    pub services: Vec<ServiceRecord>,
    /// The machine.
    pub host: Host,
    /// What was cleaned up at the start after runs that were gone, one line each.
    #[serde(default)]
    pub housekeeping: Vec<String>,
    /// Everything observed.
    pub trace: Trace,
    /// What it came to.
    pub judgement: Judgement,
    /// Whether the test passes when the verdict is Inconclusive.
    pub inconclusive_passes: bool,
    /// The command that runs just this test again.
    pub rerun: String,
    /// Where this record is kept, as told to people.
    pub path: Option<String>,
}

/// How long the phases were to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// The baseline.
    pub baseline: Duration,
    /// The chaos phase.
    pub chaos: Duration,
    /// The recovery watch, at most.
    pub watch: Duration,
}

/// One service of the environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceRecord {
    /// Its name.
    pub name: String,
    /// What sort of thing it is: `process`, `url`.
    pub kind: String,
    /// Its front door.
    pub address: String,
    /// The last lines it wrote.
    pub log_tail: Vec<String>,
    /// The file with all it wrote.
    pub log_file: Option<String>,
}

/// The machine a run ran on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// Operating system and processor family: `linux x86_64`.
    pub system: String,
    /// How many processors it could use.
    pub processors: u32,
}

impl Report {
    /// What the run came to.
    pub fn verdict(&self) -> Verdict {
        self.judgement.verdict
    }

    /// Whether a test with this report passes: its verdict is Pass, Inconclusive where that is allowed to, or Skipped,
    /// which says nothing about resilience.
    pub fn passed(&self) -> bool {
        match self.verdict() {
            Verdict::Pass | Verdict::Skipped => true,
            Verdict::Inconclusive => self.inconclusive_passes,
            Verdict::Fail | Verdict::Aborted | Verdict::Error => false,
        }
    }

    /// One sentence that says what happened: `SLO "staging" breached under "Medium CPU Stress": …`.
    pub fn headline(&self) -> String {
        headline::of(self)
    }

    /// The whole text a failing test prints.
    pub fn text(&self) -> String {
        render::text(self)
    }

    /// Panics with the whole text unless the test [passes](Self::passed).
    ///
    /// # Panics
    /// With the same text as the attribute's error.
    #[track_caller]
    pub fn expect_pass(&self) {
        assert!(self.passed(), "Error: {}", self.text());
    }

    /// The record as JSON.
    pub fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }

    /// Reads a record.
    ///
    /// # Errors
    /// What is wrong with it, for people: not JSON, not a record, or of a version this one cannot read.
    pub fn from_json(bytes: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Version {
            format_version: u32,
        }
        match bytes.trim_ascii().first() {
            None => return Err("the file is empty".into()),
            Some(b'{') => {}
            Some(_) => return Err("not a chaos-test record: it is no JSON object".into()),
        }
        let version: Version = serde_json::from_slice(bytes).map_err(|error| {
            if error.is_data() {
                "not a chaos-test record: it has no number `format_version`".into()
            } else if error.is_eof() {
                format!("cut short: {error}")
            } else {
                format!("not JSON: {error}")
            }
        })?;
        if !(OLDEST_FORMAT..=FORMAT_VERSION).contains(&version.format_version) {
            return Err(format!(
                "a record of format {}, and this version reads formats {OLDEST_FORMAT} to {FORMAT_VERSION}: use the cargo-chaos of the \
                 chaos-test that wrote it",
                version.format_version
            ));
        }
        serde_json::from_slice(bytes).map_err(|error| format!("a damaged record: {error}"))
    }
}
