use serde::Serialize;

use super::super::{Summary, Violation};
use super::keys::{BoundKeys, bound_keys, milliseconds};
use crate::model::Objectives;
use crate::slo::{RecoveryTime, Verdict};

/// `resilience_validation.json`: what pipelines ask first. Keys as the earlier tool wrote them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Validation {
    /// Whether every test passed, and not all of them were skipped.
    passed: bool,
    /// How many tests were skipped; they count for nothing.
    skipped: usize,
    /// When it was written, in seconds since 1970.
    timestamp: f64,
    /// The objectives of each SLO profile that was judged by.
    slo_targets: Vec<Targets>,
    /// One entry per test.
    metrics: Vec<Metrics>,
    /// Every broken objective.
    violations: Vec<Violation>,
    /// Every broken bound of those that only warn. They fail no test.
    warnings: Vec<Violation>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Targets {
    profile: String,
    #[serde(flatten)]
    blocking: BoundKeys,
    warning: BoundKeys,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Metrics {
    test: String,
    scenario: String,
    verdict: Verdict,
    reason: Option<String>,
    streams: Vec<StreamMetrics>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct StreamMetrics {
    stream: String,
    mttr_seconds: Option<f64>,
    recovery_time_seconds: Option<f64>,
    first_success_seconds: Option<f64>,
    total_requests: u64,
    failed_requests: u64,
    error_rate_percent: f64,
    downtime_seconds: f64,
    availability_percent: f64,
    baseline_p95_ms: Option<f64>,
    chaos_p95_ms: Option<f64>,
    latency_degradation_ms: Option<f64>,
}

/// The validation of a summary, stamped with a time.
pub fn validation(summary: &Summary, timestamp: f64) -> Validation {
    let mut slo_targets: Vec<Targets> = Vec::new();
    for report in &summary.reports {
        if !slo_targets.iter().any(|known| known.profile == report.slo.name) {
            slo_targets.push(targets(&report.slo.name, &report.slo.objectives));
        }
    }
    Validation {
        passed: summary.passed(),
        skipped: summary.count(Verdict::Skipped),
        timestamp,
        slo_targets,
        metrics: summary.reports.iter().map(metrics).collect(),
        violations: summary.violations(),
        warnings: summary.warnings(),
    }
}

/// The validation as indented JSON.
pub fn validation_json(summary: &Summary, timestamp: f64) -> serde_json::Result<String> {
    serde_json::to_string_pretty(&validation(summary, timestamp))
}

fn targets(profile: &str, objectives: &Objectives) -> Targets {
    let (blocking, warning) = (bound_keys(&objectives.bounds()), bound_keys(&objectives.warnings));
    Targets { profile: profile.to_owned(), blocking, warning }
}

fn metrics(report: &super::super::Report) -> Metrics {
    let marks = &report.trace.marks;
    let (from, to) = marks.exposed().unwrap_or_default();
    let whole = to.saturating_sub(from).as_secs_f64();
    let ms = milliseconds;
    let streams = report.judgement.streams.iter().map(|stream| {
        let down: f64 = stream.outages.iter().map(|outage| outage.length(to).as_secs_f64()).sum();
        let (total, failed) = stream.chaos;
        let baseline = stream.baseline.map(|normal| ms(normal.p95));
        let chaos = stream.chaos_latency.map(|(_, p95, _)| ms(p95));
        StreamMetrics {
            stream: stream.name.clone(),
            mttr_seconds: stream.mean_time_to_recover.map(|time| time.as_secs_f64()),
            recovery_time_seconds: stream.recovery_time.and_then(|time| match time {
                RecoveryTime::After(time) => Some(time.as_secs_f64()),
                RecoveryTime::NotWithin(_) => None,
            }),
            first_success_seconds: stream.first_success.map(|time| time.as_secs_f64()),
            total_requests: total,
            failed_requests: failed,
            error_rate_percent: failed as f64 / total.max(1) as f64 * 100.0,
            downtime_seconds: down,
            availability_percent: if whole > 0.0 { (1.0 - down / whole) * 100.0 } else { 0.0 },
            baseline_p95_ms: baseline,
            chaos_p95_ms: chaos,
            latency_degradation_ms: chaos.zip(baseline).map(|(chaos, normal)| chaos - normal),
        }
    });
    Metrics {
        test: report.test.clone(),
        scenario: report.scenario.name.clone(),
        verdict: report.verdict(),
        reason: report.judgement.weightiest().map(ToString::to_string),
        streams: streams.collect(),
    }
}
