use std::time::Duration;

use serde::Serialize;

use crate::model::{Bounds, EndpointBounds, LatencyBounds};

/// Bounds under the keys of a catalogue, in their units; for programs.
#[derive(Debug, Clone, PartialEq, Serialize)]
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

#[derive(Debug, Clone, PartialEq, Serialize)]
struct LatencyKeys {
    max_latency_p50_ms: Option<f64>,
    max_latency_p95_ms: Option<f64>,
    max_latency_p99_ms: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct EndpointKeys {
    endpoint: String,
    max_error_rate_percent: Option<f64>,
    #[serde(flatten)]
    latency: LatencyKeys,
}

/// A set of bounds under the keys of a catalogue.
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

pub(super) fn milliseconds(span: Duration) -> f64 {
    span.as_secs_f64() * 1e3
}
