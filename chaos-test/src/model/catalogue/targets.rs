use std::time::Duration;

use super::bounds;
use super::fields::{Fields, Keys};
use super::node::{Node, Spanned};
use super::reporter::Reporter;
use crate::model::{Bounds, Objectives, Recovery};

pub(super) const RECOVERY_KEYS: &[&str] =
    &["max_recovery_time_seconds", "required_health_checks", "health_check_interval_seconds"];
/// The keys of `slo_targets`, wherever it stands.
pub(super) const KNOWN: &[&str] = &[
    "mttr_seconds",
    "max_error_rate_percent",
    "min_availability_percent",
    "max_latency_degradation_ms",
    "recovery",
    "max_latency_p50_ms",
    "max_latency_p95_ms",
    "max_latency_p99_ms",
    "min_throughput_per_second",
    "endpoints",
];
const KEYS: Keys = Keys { known: KNOWN, deeper: &[("recovery", RECOVERY_KEYS)] };

/// `slo_targets` as one place has them; what it leaves out is inherited.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Targets {
    bounds: Bounds,
    required_health_checks: Option<u32>,
    health_check_interval: Option<Duration>,
}

impl Targets {
    pub(super) fn read(node: &Spanned<Node>, place: &str, out: &mut Reporter<'_>) -> Option<Self> {
        let fields = Fields::keyed(node, format!("`{place}`"), KEYS, out)?;
        let mut targets = Self { bounds: bounds::read(&fields, place, out), ..Self::default() };
        if let Some(field) = fields.get("recovery") {
            let place = format!("`{place}.recovery`");
            if let Some(fields) = Fields::keyed(field.node, place, Keys::new(RECOVERY_KEYS), out) {
                targets.bounds.recovery_time =
                    fields.get("max_recovery_time_seconds").and_then(|field| field.some_seconds(out));
                targets.required_health_checks =
                    fields.get("required_health_checks").and_then(|field| field.whole(1..=1000, out));
                targets.health_check_interval =
                    fields.get("health_check_interval_seconds").and_then(|field| field.some_seconds(out));
            }
        }
        Some(targets)
    }

    /// These targets, with `base` for what they leave out.
    pub(super) fn over(&self, base: &Self) -> Self {
        Self {
            bounds: self.bounds.over(&base.bounds),
            required_health_checks: self.required_health_checks.or(base.required_health_checks),
            health_check_interval: self.health_check_interval.or(base.health_check_interval),
        }
    }

    /// The bounds these targets set; what nobody set is not judged.
    pub(super) fn objectives(&self) -> Objectives {
        let usual = Recovery::default();
        let recovery = Recovery {
            time: None,
            required_health_checks: self.required_health_checks.unwrap_or(usual.required_health_checks),
            health_check_interval: self.health_check_interval.unwrap_or(usual.health_check_interval),
        };
        Objectives { recovery, ..Objectives::default() }.with_bounds(self.bounds.clone())
    }
}
