use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::fields::{Fields, Keys};
use super::node::{Node, Spanned};
use super::reporter::Reporter;
use crate::units::Percent;

const BOUND_KEYS: &[&str] = &[
    "mttr_seconds",
    "max_error_rate_percent",
    "min_availability_percent",
    "max_latency_degradation_ms",
    "max_recovery_time_seconds",
];

/// Two sets of bounds for one SLO: past `warning` is reported, past `blocking` fails (`slo_severity`).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Severity {
    /// Past one of these, the test fails.
    pub blocking: SeverityBounds,
    /// Past one of these, the report says so and the test passes.
    pub warning: SeverityBounds,
}

/// One set of bounds of a [`Severity`]. An absent bound is not judged.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SeverityBounds {
    /// Longest time to recover from an outage (`mttr_seconds`).
    pub time_to_recover: Option<Duration>,
    /// Largest share of bad samples (`max_error_rate_percent`).
    pub error_rate: Option<Percent>,
    /// Smallest share of time outside an outage (`min_availability_percent`).
    pub availability: Option<Percent>,
    /// Largest rise of latency over the baseline's (`max_latency_degradation_ms`).
    pub latency_degradation: Option<Duration>,
    /// Longest time from the fault's removal to stable service (`max_recovery_time_seconds`).
    pub recovery_time: Option<Duration>,
}

impl Severity {
    pub(super) fn read(node: &Spanned<Node>, out: &mut Reporter<'_>) -> Option<Self> {
        let fields = Fields::keyed(node, "`slo_severity`", Keys::new(&["blocking", "warning"]), out)?;
        let mut bounds = |key: &'static str| {
            let field = fields.get(key)?;
            SeverityBounds::read(field.node, format!("`slo_severity.{key}`"), out)
        };
        Some(Self {
            blocking: bounds("blocking").unwrap_or_default(),
            warning: bounds("warning").unwrap_or_default(),
        })
    }

    pub(super) fn over(&self, base: &Self) -> Self {
        Self { blocking: self.blocking.over(&base.blocking), warning: self.warning.over(&base.warning) }
    }
}

impl SeverityBounds {
    fn read(node: &Spanned<Node>, place: String, out: &mut Reporter<'_>) -> Option<Self> {
        let fields = Fields::keyed(node, place, Keys::new(BOUND_KEYS), out)?;
        Some(Self {
            time_to_recover: fields.get("mttr_seconds").and_then(|field| field.seconds(out)),
            error_rate: fields.get("max_error_rate_percent").and_then(|field| field.percent(out)),
            availability: fields.get("min_availability_percent").and_then(|field| field.percent(out)),
            latency_degradation: fields.get("max_latency_degradation_ms").and_then(|field| field.millis(out)),
            recovery_time: fields.get("max_recovery_time_seconds").and_then(|field| field.some_seconds(out)),
        })
    }

    fn over(&self, base: &Self) -> Self {
        Self {
            time_to_recover: self.time_to_recover.or(base.time_to_recover),
            error_rate: self.error_rate.or(base.error_rate),
            availability: self.availability.or(base.availability),
            latency_degradation: self.latency_degradation.or(base.latency_degradation),
            recovery_time: self.recovery_time.or(base.recovery_time),
        }
    }
}
