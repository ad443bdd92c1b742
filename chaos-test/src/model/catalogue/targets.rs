use std::time::Duration;

use super::fields::{Fields, Keys};
use super::node::{Node, Spanned};
use super::reporter::Reporter;
use crate::model::{Objectives, Recovery};
use crate::units::Percent;

const RECOVERY_KEYS: &[&str] =
    &["max_recovery_time_seconds", "required_health_checks", "health_check_interval_seconds"];
const KEYS: Keys = Keys {
    known: &[
        "mttr_seconds",
        "max_error_rate_percent",
        "min_availability_percent",
        "max_latency_degradation_ms",
        "recovery",
    ],
    deeper: &[("recovery", RECOVERY_KEYS)],
};

/// `slo_targets` as one place has them; what it leaves out is inherited.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Targets {
    pub(super) time_to_recover: Option<Duration>,
    pub(super) error_rate: Option<Percent>,
    pub(super) availability: Option<Percent>,
    pub(super) latency_degradation: Option<Duration>,
    pub(super) recovery_time: Option<Duration>,
    pub(super) required_health_checks: Option<u32>,
    pub(super) health_check_interval: Option<Duration>,
}

impl Targets {
    pub(super) fn read(node: &Spanned<Node>, place: &str, out: &mut Reporter<'_>) -> Option<Self> {
        let fields = Fields::keyed(node, format!("`{place}`"), KEYS, out)?;
        let mut targets = Self {
            time_to_recover: fields.get("mttr_seconds").and_then(|field| field.seconds(out)),
            error_rate: fields.get("max_error_rate_percent").and_then(|field| field.percent(out)),
            availability: fields.get("min_availability_percent").and_then(|field| field.percent(out)),
            latency_degradation: fields.get("max_latency_degradation_ms").and_then(|field| field.millis(out)),
            ..Self::default()
        };
        if let Some(field) = fields.get("recovery") {
            let place = format!("`{place}.recovery`");
            if let Some(fields) = Fields::keyed(field.node, place, Keys::new(RECOVERY_KEYS), out) {
                targets.recovery_time =
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
            time_to_recover: self.time_to_recover.or(base.time_to_recover),
            error_rate: self.error_rate.or(base.error_rate),
            availability: self.availability.or(base.availability),
            latency_degradation: self.latency_degradation.or(base.latency_degradation),
            recovery_time: self.recovery_time.or(base.recovery_time),
            required_health_checks: self.required_health_checks.or(base.required_health_checks),
            health_check_interval: self.health_check_interval.or(base.health_check_interval),
        }
    }

    /// The bounds these targets set; what nobody set is not judged.
    pub(super) fn objectives(&self) -> Objectives {
        let usual = Recovery::default();
        Objectives {
            time_to_recover: self.time_to_recover,
            error_rate: self.error_rate,
            availability: self.availability,
            latency_degradation: self.latency_degradation,
            recovery: Recovery {
                time: self.recovery_time,
                required_health_checks: self.required_health_checks.unwrap_or(usual.required_health_checks),
                health_check_interval: self.health_check_interval.unwrap_or(usual.health_check_interval),
            },
        }
    }
}
