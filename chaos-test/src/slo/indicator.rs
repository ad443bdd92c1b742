use std::fmt;

use serde::{Deserialize, Serialize};

/// What is judged.
///
/// ```
/// use chaos_test::slo::Indicator;
///
/// // One name for people, one for records.
/// assert_eq!(Indicator::LatencyP95.to_string(), "p95 latency");
/// assert_eq!(Indicator::LatencyP95.key(), "latency_p95");
/// // A floor is broken by what is less.
/// assert!(Indicator::Throughput.is_floor());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Indicator {
    /// Bad samples of all that were scheduled in the chaos phase.
    ErrorRate,
    /// Bad requests of all that the test body made in the chaos phase.
    RequestErrorRate,
    /// Share of the chaos and recovery phases outside an outage.
    Availability,
    /// The longest outage.
    WorstTimeToRecover,
    /// From the fault's removal to stable service.
    RecoveryTime,
    /// 95th percentile of latency in the chaos phase, less the baseline's.
    LatencyDegradation,
    /// Median latency in the chaos phase.
    LatencyP50,
    /// 95th percentile of latency in the chaos phase.
    LatencyP95,
    /// 99th percentile of latency in the chaos phase.
    LatencyP99,
    /// Good samples a second in the chaos phase.
    Throughput,
    /// Bad requests of all that the test body made to one endpoint in the chaos phase.
    EndpointErrorRate,
    /// Median latency of the requests to one endpoint in the chaos phase.
    EndpointLatencyP50,
    /// 95th percentile of latency of the requests to one endpoint in the chaos phase.
    EndpointLatencyP95,
    /// 99th percentile of latency of the requests to one endpoint in the chaos phase.
    EndpointLatencyP99,
    /// An objective of the test's own, in code.
    Custom,
}

impl Indicator {
    /// Whether it is a latency, so that what its count counts was too slow and not bad.
    pub fn is_latency(self) -> bool {
        match self {
            Self::LatencyDegradation | Self::LatencyP50 | Self::LatencyP95 | Self::LatencyP99 => true,
            _ => self.is_of_endpoint() && self != Self::EndpointErrorRate,
        }
    }

    /// Whether its bound is the least that it may be.
    pub fn is_floor(self) -> bool {
        matches!(self, Self::Availability | Self::Throughput)
    }

    /// Whether it is measured on the requests to one endpoint, whose name belongs to it.
    pub fn is_of_endpoint(self) -> bool {
        matches!(
            self,
            Self::EndpointErrorRate
                | Self::EndpointLatencyP50
                | Self::EndpointLatencyP95
                | Self::EndpointLatencyP99
        )
    }

    /// Whether it is measured on requests that the test body made on its own account.
    pub fn is_of_requests(self) -> bool {
        self == Self::RequestErrorRate || self.is_of_endpoint()
    }

    /// Its place among several that are broken: latency and errors name the cause; downtime and recovery follow from them.
    pub(super) fn place(self) -> u8 {
        match self {
            _ if self.is_latency() => 0,
            Self::ErrorRate => 1,
            Self::RequestErrorRate | Self::EndpointErrorRate => 2,
            Self::Throughput => 3,
            Self::Custom => 4,
            Self::WorstTimeToRecover => 5,
            Self::RecoveryTime => 6,
            _ => 7,
        }
    }
}

impl Indicator {
    /// As records name it: `error_rate`.
    pub fn key(self) -> String {
        serde_json::to_value(self).ok().and_then(|key| key.as_str().map(str::to_owned)).unwrap_or_default()
    }
}

impl fmt::Display for Indicator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ErrorRate | Self::EndpointErrorRate => "error rate",
            Self::RequestErrorRate => "error rate of requests",
            Self::Availability => "availability",
            Self::WorstTimeToRecover => "worst time to recover",
            Self::RecoveryTime => "recovery time",
            Self::LatencyDegradation => "p95 degradation",
            Self::LatencyP50 | Self::EndpointLatencyP50 => "p50 latency",
            Self::LatencyP95 | Self::EndpointLatencyP95 => "p95 latency",
            Self::LatencyP99 | Self::EndpointLatencyP99 => "p99 latency",
            Self::Throughput => "throughput",
            Self::Custom => "custom objective",
        })
    }
}
