use std::io;

use serde::{Deserialize, Serialize};

use super::super::{Entry, Summary, Violation};
use super::keys::{BoundKeys, bound_keys};
use crate::model::Objectives;
use crate::slo::Verdict;

/// The version of the validation's format. It grows when a field changes its meaning or goes.
///
/// ```
/// use chaos_test::report::render::{VALIDATION_VERSION, Validation};
///
/// fn read(json: &[u8]) -> Result<Validation, String> {
///     let validation: Validation = serde_json::from_slice(json).map_err(|error| error.to_string())?;
///     if validation.format_version > VALIDATION_VERSION {
///         return Err(format!("of format {}, which is newer", validation.format_version));
///     }
///     Ok(validation)
/// }
/// ```
pub const VALIDATION_VERSION: u32 = 2;

/// `resilience_validation.json`: what pipelines ask first. Keys as the earlier tool wrote them, and more.
///
/// ```
/// use chaos_test::report::render::Validation;
///
/// fn may_deploy(json: &[u8]) -> serde_json::Result<bool> {
///     let validation: Validation = serde_json::from_slice(json)?;
///     for broken in &validation.violations {
///         println!("{}: {} {}, may be {}", broken.test, broken.objective, broken.measured, broken.limit);
///     }
///     Ok(validation.passed)
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Validation {
    /// [`VALIDATION_VERSION`] of the writer; absent before there was a second one.
    #[serde(default)]
    pub format_version: u32,
    /// Whether every test passed, and not all of them were skipped.
    pub passed: bool,
    /// How many tests were skipped; they count for nothing.
    #[serde(default)]
    pub skipped: usize,
    /// When it was written, in seconds since 1970.
    pub timestamp: f64,
    /// The objectives of each SLO profile that was judged by.
    pub slo_targets: Vec<Targets>,
    /// One entry per test.
    pub metrics: Vec<Entry>,
    /// Every broken objective.
    pub violations: Vec<Violation>,
    /// Every broken bound of those that only warn. They fail no test.
    #[serde(default)]
    pub warnings: Vec<Violation>,
}

/// The objectives of one SLO profile, under the keys of a catalogue.
///
/// ```
/// use chaos_test::model::Bounds;
/// use chaos_test::report::render::{Targets, Validation, bound_keys};
///
/// /// The profiles with bounds that only warn.
/// fn that_warn(validation: &Validation) -> Vec<&str> {
///     let no_bound = bound_keys(&Bounds::default());
///     let warns = |targets: &&Targets| targets.warning != no_bound;
///     validation.slo_targets.iter().filter(warns).map(|targets| targets.profile.as_str()).collect()
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Targets {
    /// The profile.
    pub profile: String,
    /// What fails a test.
    #[serde(flatten)]
    pub blocking: BoundKeys,
    /// What only warns.
    pub warning: BoundKeys,
}

/// The same of a summary that is kept: of ten thousand tests a copy is a hundred megabytes.
#[derive(Serialize)]
struct View<'s> {
    format_version: u32,
    passed: bool,
    skipped: usize,
    timestamp: f64,
    slo_targets: Vec<Targets>,
    metrics: &'s [Entry],
    violations: Vec<&'s Violation>,
    warnings: Vec<&'s Violation>,
}

impl<'s> View<'s> {
    fn of(summary: &'s Summary, timestamp: f64) -> Self {
        let targets = |(name, objectives): &(String, Objectives)| Targets {
            profile: name.clone(),
            blocking: bound_keys(&objectives.bounds()),
            warning: bound_keys(&objectives.warnings),
        };
        Self {
            format_version: VALIDATION_VERSION,
            passed: summary.passed(),
            skipped: summary.count(Verdict::Skipped),
            timestamp,
            slo_targets: summary.profiles.iter().map(targets).collect(),
            metrics: &summary.tests,
            violations: summary.violations(),
            warnings: summary.warnings(),
        }
    }
}

/// The validation of a summary, stamped with a time.
///
/// ```
/// use chaos_test::report::Summary;
/// use chaos_test::report::render::{VALIDATION_VERSION, validation};
///
/// let found = validation(&Summary::of(Vec::new()), 1_750_000_000.0);
/// assert_eq!(found.format_version, VALIDATION_VERSION);
/// assert!(!found.passed, "no test at all is no pass");
/// ```
pub fn validation(summary: &Summary, timestamp: f64) -> Validation {
    let view = View::of(summary, timestamp);
    Validation {
        format_version: view.format_version,
        passed: view.passed,
        skipped: view.skipped,
        timestamp,
        slo_targets: view.slo_targets,
        metrics: view.metrics.to_vec(),
        violations: view.violations.into_iter().cloned().collect(),
        warnings: view.warnings.into_iter().cloned().collect(),
    }
}

/// The validation as indented JSON.
///
/// ```
/// use chaos_test::report::Summary;
/// use chaos_test::report::render::validation_json;
///
/// let json = validation_json(&Summary::of(Vec::new()), 1_750_000_000.0)?;
/// let read: serde_json::Value = serde_json::from_str(&json)?;
/// assert_eq!(read["passed"], false);
/// # Ok::<(), serde_json::Error>(())
/// ```
pub fn validation_json(summary: &Summary, timestamp: f64) -> serde_json::Result<String> {
    serde_json::to_string_pretty(&View::of(summary, timestamp))
}

/// The same piece by piece, with the end of the line: never is all of it held.
///
/// ```
/// use chaos_test::report::Summary;
/// use chaos_test::report::render::{validation_json, write_validation};
///
/// let (none, mut out) = (Summary::of(Vec::new()), Vec::<u8>::new());
/// write_validation(&none, 0.0, &mut out)?;
/// assert_eq!(out, format!("{}\n", validation_json(&none, 0.0)?).into_bytes());
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn write_validation(summary: &Summary, timestamp: f64, out: &mut dyn io::Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &View::of(summary, timestamp))?;
    out.write_all(b"\n")
}
