use std::time::Duration;

use crate::error::Error;
use crate::model::{Bounds, EndpointBounds};
use crate::units::{Percent, Rate, seconds};

/// A bound that replaces the SLO profile's.
///
/// ```
/// use chaos_test::prelude::*;
///
/// fn strict(experiment: Experiment) -> Experiment {
///     experiment.objective(Objective::LatencyP95(400.ms())).warn(Objective::RecoveryTime(5.seconds()))
/// }
/// // By the key that it has in a catalogue.
/// assert_eq!(Objective::by_key("mttr_seconds", 45.0), Ok(Objective::TimeToRecover(45.seconds())));
/// assert!(Objective::by_key("max_error_rate_percent", 250.0).is_err_and(|error| error.is_input()));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Objective {
    /// Longest outage.
    TimeToRecover(Duration),
    /// Largest share of bad samples in the chaos phase.
    ErrorRate(Percent),
    /// Smallest availability in the chaos and recovery phases.
    Availability(Percent),
    /// Largest rise of p95 latency.
    LatencyDegradation(Duration),
    /// Longest time from the fault's removal to stable service.
    RecoveryTime(Duration),
    /// Largest median latency in the chaos phase.
    LatencyP50(Duration),
    /// Largest p95 latency in the chaos phase.
    LatencyP95(Duration),
    /// Largest p99 latency in the chaos phase.
    LatencyP99(Duration),
    /// Fewest good samples a second in the chaos phase: of the repeated body, else of every probe. It must be below the
    /// rate at which they are sent.
    Throughput(Rate),
}

impl Objective {
    /// The bound a catalogue calls by that key, `max_error_rate_percent` for one, in that key's unit.
    pub fn by_key(key: &str, value: f64) -> Result<Self, Error> {
        let wrong = |why: crate::units::UnitError| Error::input(format!("{key} = {value}: {why}"));
        let latency = || match seconds(value / 1e3) {
            Ok(limit) if limit.is_zero() => {
                Err(Error::input(format!("{key} = {value}: no answer takes no time; give more than 0")))
            }
            limit => limit.map_err(wrong),
        };
        Ok(match key {
            "mttr_seconds" => Self::TimeToRecover(seconds(value).map_err(wrong)?),
            "max_error_rate_percent" => Self::ErrorRate(Percent::new(value).map_err(wrong)?),
            "min_availability_percent" => Self::Availability(Percent::new(value).map_err(wrong)?),
            "max_latency_degradation_ms" => Self::LatencyDegradation(seconds(value / 1e3).map_err(wrong)?),
            "max_recovery_time_seconds" => Self::RecoveryTime(seconds(value).map_err(wrong)?),
            "max_latency_p50_ms" => Self::LatencyP50(latency()?),
            "max_latency_p95_ms" => Self::LatencyP95(latency()?),
            "max_latency_p99_ms" => Self::LatencyP99(latency()?),
            "min_throughput_per_second" => Self::Throughput(Rate::per_second(value).map_err(wrong)?),
            _ => return Err(Error::input(format!("no objective is called `{key}`"))),
        })
    }

    pub(super) fn apply(self, bounds: &mut Bounds) {
        match self {
            Self::TimeToRecover(limit) => bounds.time_to_recover = Some(limit),
            Self::ErrorRate(limit) => bounds.error_rate = Some(limit),
            Self::Availability(limit) => bounds.availability = Some(limit),
            Self::LatencyDegradation(limit) => bounds.latency_degradation = Some(limit),
            Self::RecoveryTime(limit) => bounds.recovery_time = Some(limit),
            Self::LatencyP50(limit) => bounds.latency.p50 = Some(limit),
            Self::LatencyP95(limit) => bounds.latency.p95 = Some(limit),
            Self::LatencyP99(limit) => bounds.latency.p99 = Some(limit),
            Self::Throughput(floor) => bounds.throughput = Some(floor),
        }
    }

    /// Sets it for one endpoint; false where that has no such bound.
    pub(super) fn apply_to_endpoint(self, bounds: &mut EndpointBounds) -> bool {
        match self {
            Self::ErrorRate(limit) => bounds.error_rate = Some(limit),
            Self::LatencyP50(limit) => bounds.latency.p50 = Some(limit),
            Self::LatencyP95(limit) => bounds.latency.p95 = Some(limit),
            Self::LatencyP99(limit) => bounds.latency.p99 = Some(limit),
            _ => return false,
        }
        true
    }
}
