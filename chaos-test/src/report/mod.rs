//! What a run leaves for people and machines: one [`Report`] per test, a [`Summary`] of many.
//!
//! Purpose: the record's schema (versioned, `docs/report-schema.md`), the sentence a failure begins with, and
//! renderers to text, Markdown and JSON.
//!
//! Invariants: rendering is pure and total; a sentence is only printed when the record holds its evidence. A report
//! can be judged again from its trace.
//! Not here: where files are kept, and reading or writing them.

mod advice;
mod compare;
mod curve;
mod entry;
mod figures;
mod harness;
mod headline;
mod history;
#[cfg(feature = "reports")]
pub mod nextest;
mod noise;
mod plan;
pub mod render;
mod resources;
#[cfg(feature = "schema")]
pub mod schema;
mod show;
mod streams;
mod summary;
mod unreadable;
mod verify;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{Scenario, SloProfile, Trace};
use crate::slo::{Judgement, Verdict};

pub use advice::Recommendation;
pub use compare::{Change, Comparison, FigureChange, Shift};
pub use entry::{Entry, Row, Shown, Unit};
pub use figures::{Dose, StreamMetrics};
pub use history::{HISTORY_VERSION, HistoryFigure, HistoryLine, HistoryTest, Tightest, Trend, trends};
pub use plan::{PlannedAction, PlannedInjection, PlannedService, PlannedStream, RunPlan};
pub use summary::{Merge, Retried, Summary, Unreadable, Violation};
pub use verify::{Difference, Verification};

/// The version of the record's format. It grows when a field changes its meaning or goes, or a rule of the judgement does. Before
/// the first release a record may be judged otherwise within its version.
///
/// ```
/// use chaos_test::report::{FORMAT_VERSION, Report};
/// let record = format!(r#"{{"format_version": {}}}"#, FORMAT_VERSION + 1);
/// let error = Report::from_json(record.as_bytes()).unwrap_err();
/// assert!(error.starts_with("a record of format "));
/// ```
pub const FORMAT_VERSION: u32 = 2;

/// The oldest version that can be read.
///
/// ```
/// use chaos_test::report::{FORMAT_VERSION, OLDEST_FORMAT};
/// fn can_be_read(format_version: u32) -> bool {
///     (OLDEST_FORMAT..=FORMAT_VERSION).contains(&format_version)
/// }
/// assert!(can_be_read(FORMAT_VERSION) && !can_be_read(FORMAT_VERSION + 1));
/// ```
pub const OLDEST_FORMAT: u32 = 1;

/// One test's record: what was asked, what was observed, what it came to.
///
/// ```
/// use chaos_test::report::Report;
/// fn told(record: &[u8]) -> Result<String, String> {
///     let report = Report::from_json(record)?;
///     Ok(if report.passed() { report.headline() } else { report.text() })
/// }
/// assert_eq!(told(b""), Err("the file is empty".into()));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
///
/// ```
/// use chaos_test::report::Planned;
/// use chaos_test::units::TimeUnits;
/// let planned = Planned { baseline: 4.seconds(), chaos: 45.seconds(), watch: 20.seconds() };
/// assert_eq!(planned.baseline + planned.chaos + planned.watch, 69.seconds());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Planned {
    /// The baseline.
    pub baseline: Duration,
    /// The chaos phase.
    pub chaos: Duration,
    /// The recovery watch, at most.
    pub watch: Duration,
}

/// One service of the environment.
///
/// ```
/// use chaos_test::report::{Report, ServiceRecord};
/// fn last_line<'r>(report: &'r Report, service: &str) -> Option<&'r str> {
///     let service: &ServiceRecord = report.services.iter().find(|one| one.name == service)?;
///     service.log_tail.last().map(String::as_str)
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
///
/// ```
/// use chaos_test::report::{Host, Report};
/// /// Latencies of unlike machines say little about each other.
/// fn ran_on<'r>(reports: &'r [Report], host: &Host) -> Vec<&'r Report> {
///     reports.iter().filter(|report| report.host == *host).collect()
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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

    /// The service the fault was aimed at: the one named, else the environment's first.
    pub fn target(&self) -> Option<&str> {
        let first = || Some(self.services.first()?.name.as_str());
        self.plan.as_ref().map(|plan| plan.target.as_str()).or_else(|| self.scenario.service()).or_else(first)
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
        // Once is enough where all is well, and that is nearly always.
        let known = OLDEST_FORMAT..=FORMAT_VERSION;
        let text = str::from_utf8(bytes).map_err(|error| unreadable::not_text(bytes, error))?;
        let damage = match serde_json::from_str::<Self>(text) {
            Ok(report) if known.contains(&report.format_version) => return Ok(report),
            Ok(_) => None,
            Err(error) => Some(error),
        };
        Err(unreadable::why(bytes, damage, &known))
    }
}
