use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{Bounds, EndpointBounds, LatencyBounds};

/// Bounds under the keys of a catalogue, in their units; for programs.
///
/// ```
/// use chaos_test::model::Bounds;
/// use chaos_test::report::render::{BoundKeys, bound_keys};
/// use std::time::Duration;
///
/// fn seconds_to_recover(keys: &BoundKeys) -> Option<f64> {
///     serde_json::to_value(keys).ok()?["mttr_seconds"].as_f64()
/// }
/// let bounds = Bounds { time_to_recover: Some(Duration::from_secs(30)), ..Bounds::default() };
/// assert_eq!(seconds_to_recover(&bound_keys(&bounds)), Some(30.0));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BoundKeys {
    mttr_seconds: Option<f64>,
    max_error_rate_percent: Option<f64>,
    min_availability_percent: Option<f64>,
    max_latency_degradation_ms: Option<f64>,
    max_recovery_time_seconds: Option<f64>,
    #[serde(flatten)]
    latency: LatencyKeys,
    min_throughput_per_second: Option<f64>,
    endpoints: Vec<EndpointKeys>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct LatencyKeys {
    max_latency_p50_ms: Option<f64>,
    max_latency_p95_ms: Option<f64>,
    max_latency_p99_ms: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct EndpointKeys {
    endpoint: String,
    max_error_rate_percent: Option<f64>,
    #[serde(flatten)]
    latency: LatencyKeys,
}

/// A set of bounds under the keys of a catalogue.
///
/// ```
/// use chaos_test::model::Catalogue;
/// use chaos_test::report::render::bound_keys;
///
/// let staging = Catalogue::builtin().profile(Some("staging"))?;
/// let keys = serde_json::to_value(bound_keys(&staging.objectives.bounds()))?;
/// assert_eq!(keys["max_error_rate_percent"], 5.0);
/// assert_eq!(keys["mttr_seconds"], 45.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn bound_keys(bounds: &Bounds) -> BoundKeys {
    let seconds = |limit: Option<Duration>| limit.map(|limit| limit.as_secs_f64());
    BoundKeys {
        mttr_seconds: seconds(bounds.time_to_recover),
        max_error_rate_percent: bounds.error_rate.map(|limit| limit.value()),
        min_availability_percent: bounds.availability.map(|limit| limit.value()),
        max_latency_degradation_ms: bounds.latency_degradation.map(milliseconds),
        max_recovery_time_seconds: seconds(bounds.recovery_time),
        latency: latency(&bounds.latency),
        min_throughput_per_second: bounds.throughput.map(f64::from),
        endpoints: bounds.endpoints.iter().map(endpoint).collect(),
    }
}

fn latency(bounds: &LatencyBounds) -> LatencyKeys {
    LatencyKeys {
        max_latency_p50_ms: bounds.p50.map(milliseconds),
        max_latency_p95_ms: bounds.p95.map(milliseconds),
        max_latency_p99_ms: bounds.p99.map(milliseconds),
    }
}

fn endpoint(bounds: &EndpointBounds) -> EndpointKeys {
    EndpointKeys {
        endpoint: bounds.endpoint.to_string(),
        max_error_rate_percent: bounds.error_rate.map(|limit| limit.value()),
        latency: latency(&bounds.latency),
    }
}

fn milliseconds(span: Duration) -> f64 {
    span.as_secs_f64() * 1e3
}
