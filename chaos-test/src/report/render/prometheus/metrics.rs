use super::super::super::{Dose, Entry, Row, StreamMetrics};
use crate::model::Severity;
use crate::slo::Verdict;

/// A metric: all of them are gauges, for each report stands for itself.
///
/// ```
/// use chaos_test::report::render::{METRICS, Metric};
///
/// fn row(metric: &Metric) -> String {
///     format!("| {} | {} | {} |", metric.name, metric.labels().join(", "), metric.help)
/// }
/// let failed = METRICS.iter().find(|metric| metric.name == "chaos_scenarios_failed").map(row);
/// assert_eq!(failed.as_deref(), Some("| chaos_scenarios_failed | environment | Tests that did not pass. |"));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// What it is, in a line.
    pub help: &'static str,
    pub(super) of: Of,
}

/// What has a series of its own, and its value. `None` is what is not known.
#[derive(Debug, Clone, Copy)]
pub(super) enum Of {
    /// Every test.
    Test(fn(&Entry) -> Option<f64>),
    /// Every test, with its verdict.
    Verdict,
    /// Every fault that was measured.
    Dose(fn(&Dose) -> Option<f64>),
    /// Every judged stream.
    Stream(fn(&StreamMetrics) -> Option<f64>),
    /// Every objective held against a stream.
    Objective(fn(&Row) -> Option<f64>),
    /// The tests of an environment that this is true of.
    Environment(fn(&Entry) -> bool),
    /// The report itself: how many records could not be read.
    Unreadable,
    /// The report itself: how many tests have the labels of a later one.
    Superseded,
}

const TEST: &[&str] = &["scenario", "type", "intensity", "environment", "test", "binary"];

impl Metric {
    /// The labels its series may have. `instance`, `job` and the labels of a group come from who scrapes.
    pub fn labels(&self) -> Vec<&'static str> {
        let (common, own): (&[_], &[_]) = match self.of {
            Of::Test(_) => (TEST, &[]),
            Of::Verdict => (TEST, &["verdict"]),
            Of::Dose(_) => (TEST, &["mechanism", "unit"]),
            Of::Stream(_) => (TEST, &["stream"]),
            Of::Objective(_) => (TEST, &["stream", "objective", "severity", "bound", "unit"]),
            Of::Environment(_) => (&[], &["environment"]),
            Of::Unreadable | Of::Superseded => (&[], &[]),
        };
        [common, own].concat()
    }
}

/// Every metric, in the order in which they are written.
///
/// Those of the earlier tool keep the names that users have queries for, although `_percent` and `_ms` are no base units,
/// and `_total` and `_count` say counter and histogram where these are gauges.
///
/// ```
/// use chaos_test::report::render::METRICS;
///
/// let per_stream = METRICS.iter().filter(|metric| metric.labels().contains(&"stream"));
/// let names: Vec<&str> = per_stream.map(|metric| metric.name).collect();
/// assert!(names.contains(&"chaos_error_rate_percent"));
/// assert!(!names.contains(&"chaos_slo_passed"));
/// ```
pub const METRICS: &[Metric] = &[
    Metric {
        name: "chaos_mttr_seconds",
        help: "Mean time to recover from an outage, in seconds.",
        of: Of::Stream(|stream| stream.mttr_seconds),
    },
    Metric {
        name: "chaos_error_rate_percent",
        help: "Bad requests of all in the chaos phase, in percent (0 to 100).",
        of: Of::Stream(|stream| (stream.total_requests > 0).then_some(stream.error_rate_percent)),
    },
    Metric {
        name: "chaos_availability_percent",
        help: "Time outside an outage from the injection to the end of the watch, in percent (0 to 100).",
        of: Of::Stream(|stream| (stream.total_requests > 0).then_some(stream.availability_percent)),
    },
    Metric {
        name: "chaos_latency_degradation_ms",
        help: "95th percentile of latency in the chaos phase less that of the baseline, in milliseconds.",
        of: Of::Stream(|stream| stream.latency_degradation_ms),
    },
    Metric {
        name: "chaos_recovery_time_seconds",
        help: "From the removal of the fault to stable service, in seconds.",
        of: Of::Stream(|stream| stream.recovery_time_seconds),
    },
    Metric {
        name: "chaos_slo_passed",
        help: "Whether every objective that decides held (1) or one was broken (0).",
        of: Of::Test(slo_passed),
    },
    Metric {
        name: "chaos_slo_violations_count",
        help: "Objectives that decide and were broken.",
        of: Of::Test(|entry| judged(entry, entry.violations.len())),
    },
    Metric {
        name: "chaos_slo_warnings",
        help: "Objectives that only warn and were broken.",
        of: Of::Test(|entry| judged(entry, entry.warnings.len())),
    },
    Metric {
        name: "chaos_scenarios_total",
        help: "Tests in which a fault was to be made; those that were skipped are not counted.",
        of: Of::Environment(|entry| entry.verdict != Verdict::Skipped),
    },
    Metric {
        name: "chaos_scenarios_successful",
        help: "Tests that passed.",
        of: Of::Environment(|entry| success(entry) == Some(1.0)),
    },
    Metric {
        name: "chaos_scenarios_failed",
        help: "Tests that did not pass.",
        of: Of::Environment(|entry| success(entry) == Some(0.0)),
    },
    Metric {
        name: "chaos_scenarios_skipped",
        help: "Tests that injected nothing because that was asked for.",
        of: Of::Environment(|entry| entry.verdict == Verdict::Skipped),
    },
    Metric {
        name: "chaos_scenario_duration_seconds",
        help: "How long the test took, environment and all, in seconds.",
        of: Of::Test(|entry| Some(entry.took_seconds)),
    },
    Metric {
        name: "chaos_scenario_success",
        help: "Whether the test passed (1) or not (0).",
        of: Of::Test(success),
    },
    Metric { name: "chaos_test_verdict", help: "1 for the verdict the test came to.", of: Of::Verdict },
    Metric {
        name: "chaos_fault_dose_ratio",
        help: "The fault that was measured (median) over the fault that was asked for, as a ratio.",
        of: Of::Dose(|dose| ratio(dose.measured?, dose.asked?)),
    },
    Metric {
        name: "chaos_fault_checks_ratio",
        help: "Checks of the witness in which enough of the fault was measured over all of them, as a ratio.",
        of: Of::Dose(|dose| ratio(dose.enough as f64, dose.checks as f64)),
    },
    Metric {
        name: "chaos_objective_measured_ratio",
        help: "What an objective's indicator was over its limit, as a ratio; above 1 a limit with bound=\"max\" is broken.",
        of: Of::Objective(|row| ratio(row.measured?, row.limit)),
    },
    Metric {
        name: "chaos_objective_limit",
        help: "The limit of an objective, in the unit that its label says.",
        of: Of::Objective(|row| Some(row.limit)),
    },
    Metric {
        name: "chaos_run_timestamp_seconds",
        help: "When the test began, in seconds since 1970.",
        of: Of::Test(|entry| (entry.started_at > 0.0).then_some(entry.started_at)),
    },
    Metric {
        name: "chaos_records_unreadable",
        help: "Records that could not be read and are missing here.",
        of: Of::Unreadable,
    },
    Metric {
        name: "chaos_records_superseded",
        help: "Records that are not counted here, for a test with the same labels began later.",
        of: Of::Superseded,
    },
];

fn success(entry: &Entry) -> Option<f64> {
    (entry.verdict != Verdict::Skipped).then_some(f64::from(u8::from(entry.passed)))
}

/// A run that could not tell, or was stopped, says of an objective neither that it held nor that it was broken.
fn slo_passed(entry: &Entry) -> Option<f64> {
    let deciding = || entry.objectives.iter().filter(|row| row.severity == Severity::Blocking);
    let held = deciding().count() > 0 && deciding().all(|row| row.verdict == Verdict::Pass);
    match entry.verdict {
        Verdict::Pass => Some(1.0),
        _ if !entry.violations.is_empty() => Some(0.0),
        // It failed for another reason: the test body's, or because it has not come back.
        Verdict::Fail if held => Some(1.0),
        _ => None,
    }
}

/// A count that is known: of nothing broken only where all was judged.
fn judged(entry: &Entry, count: usize) -> Option<f64> {
    let all = matches!(entry.verdict, Verdict::Pass | Verdict::Fail);
    (all || count > 0).then_some(count as f64)
}

fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole != 0.0).then_some(part / whole)
}
