use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Bounds, EndpointBounds, LatencyBounds};
use crate::units::{Percent, Rate};

/// The bounds of one SLO profile. An absent bound is not judged.
///
/// ```
/// use chaos_test::model::{Catalogue, Objectives};
/// use chaos_test::units::Percent;
///
/// let production = Catalogue::builtin().profile(Some("production")).unwrap().objectives;
/// assert_eq!(production.error_rate, Some(Percent::new(1.0).unwrap()));
/// let looser = Objectives { error_rate: Some(Percent::new(2.0).unwrap()), ..production };
/// assert_eq!(looser.bounds().phrases()[0], "error rate ≤ 2 %");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Objectives {
    /// Longest time from the first bad sample of an outage to the first good one after it (`mttr_seconds`).
    pub time_to_recover: Option<Duration>,
    /// Largest share of bad samples in the chaos phase (`max_error_rate_percent`).
    pub error_rate: Option<Percent>,
    /// Smallest share of the chaos and recovery phases outside an outage (`min_availability_percent`).
    pub availability: Option<Percent>,
    /// Largest rise of the 95th percentile of latency over the baseline's (`max_latency_degradation_ms`).
    pub latency_degradation: Option<Duration>,
    /// What counts as recovered, and how soon it must be.
    pub recovery: Recovery,
    /// Largest latencies in the chaos phase, whatever the baseline's were.
    #[serde(default)]
    pub latency: LatencyBounds,
    /// Fewest good samples a second in the chaos phase (`min_throughput_per_second`).
    #[serde(default)]
    pub throughput: Option<Rate>,
    /// Bounds on the body's own requests to one endpoint each.
    #[serde(default)]
    pub endpoints: Vec<EndpointBounds>,
    /// Bounds of which breaking one is told and fails nothing (`slo_severity.warning`).
    #[serde(default)]
    pub warnings: Bounds,
}

impl Objectives {
    /// Those of which breaking one fails, as a set.
    pub fn bounds(&self) -> Bounds {
        Bounds {
            time_to_recover: self.time_to_recover,
            error_rate: self.error_rate,
            availability: self.availability,
            latency_degradation: self.latency_degradation,
            recovery_time: self.recovery.time,
            latency: self.latency,
            throughput: self.throughput,
            endpoints: self.endpoints.clone(),
        }
    }

    /// The same with the bounds of that set in place of those of which breaking one fails.
    #[must_use]
    pub fn with_bounds(self, bounds: Bounds) -> Self {
        Self {
            time_to_recover: bounds.time_to_recover,
            error_rate: bounds.error_rate,
            availability: bounds.availability,
            latency_degradation: bounds.latency_degradation,
            recovery: Recovery { time: bounds.recovery_time, ..self.recovery },
            latency: bounds.latency,
            throughput: bounds.throughput,
            endpoints: bounds.endpoints,
            warnings: self.warnings,
        }
    }
}

/// What counts as recovered, and how soon it must be.
///
/// ```
/// use chaos_test::model::Recovery;
/// use chaos_test::units::TimeUnits;
///
/// let recovery = Recovery { time: Some(20.seconds()), required_health_checks: 5, ..Recovery::default() };
/// assert_eq!(recovery.limit_or_usual(), 20.seconds());
/// assert_eq!(recovery.stable_for(), 8.seconds(), "five checks, 2 s from one to the next");
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Recovery {
    /// Longest time from the fault's removal to stable service (`max_recovery_time_seconds`).
    pub time: Option<Duration>,
    /// How many health checks in a row make service stable.
    pub required_health_checks: u32,
    /// How far apart those checks are.
    pub health_check_interval: Duration,
}

impl Recovery {
    /// How soon service must be back, 10 s if there is no limit: recovery is watched for twice as long.
    pub fn limit_or_usual(&self) -> Duration {
        self.time.unwrap_or(Duration::from_secs(10))
    }

    /// How long service must be good to count as stable: 3 s, or the span of the required checks if that
    /// is longer.
    pub fn stable_for(&self) -> Duration {
        let span = self.health_check_interval.saturating_mul(self.required_health_checks.saturating_sub(1));
        span.max(Duration::from_secs(3))
    }
}

impl Default for Recovery {
    fn default() -> Self {
        Self { time: None, required_health_checks: 3, health_check_interval: Duration::from_secs(2) }
    }
}

/// A named set of objectives: `staging`.
///
/// ```
/// use chaos_test::model::{Catalogue, SloProfile};
///
/// fn allows(profile: &SloProfile, scenario: &str) -> bool {
///     profile.allowed_scenarios.as_ref().is_none_or(|allowed| allowed.iter().any(|name| name == scenario))
/// }
/// let production = Catalogue::builtin().profile(Some("production")).unwrap();
/// assert!(allows(&production, "Light CPU Stress") && !allows(&production, "Heavy CPU Stress"));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct SloProfile {
    /// The name users write; `default` for the catalogue's base targets.
    pub name: String,
    /// Its bounds, inheritance already applied.
    pub objectives: Objectives,
    /// The scenarios that may run under it; all when absent.
    pub allowed_scenarios: Option<Vec<String>>,
}
