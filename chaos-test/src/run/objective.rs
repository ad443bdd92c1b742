use std::time::Duration;

use crate::error::Error;
use crate::model::Objectives;
use crate::units::{Percent, seconds};

/// A bound that replaces the SLO profile's.
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
}

impl Objective {
    /// The bound a catalogue calls by that key, `max_error_rate_percent` for one, in that key's unit.
    pub fn by_key(key: &str, value: f64) -> Result<Self, Error> {
        let wrong = |why: crate::units::UnitError| Error::input(format!("{key} = {value}: {why}"));
        Ok(match key {
            "mttr_seconds" => Self::TimeToRecover(seconds(value).map_err(wrong)?),
            "max_error_rate_percent" => Self::ErrorRate(Percent::new(value).map_err(wrong)?),
            "min_availability_percent" => Self::Availability(Percent::new(value).map_err(wrong)?),
            "max_latency_degradation_ms" => Self::LatencyDegradation(seconds(value / 1e3).map_err(wrong)?),
            "max_recovery_time_seconds" => Self::RecoveryTime(seconds(value).map_err(wrong)?),
            _ => return Err(Error::input(format!("no objective is called `{key}`"))),
        })
    }

    pub(super) fn apply(self, objectives: &mut Objectives) {
        match self {
            Self::TimeToRecover(limit) => objectives.time_to_recover = Some(limit),
            Self::ErrorRate(limit) => objectives.error_rate = Some(limit),
            Self::Availability(limit) => objectives.availability = Some(limit),
            Self::LatencyDegradation(limit) => objectives.latency_degradation = Some(limit),
            Self::RecoveryTime(limit) => objectives.recovery.time = Some(limit),
        }
    }
}
