use chaos_test::model::{Bounds, EndpointBounds, LatencyBounds, Objectives, Recovery};
use chaos_test::units::{Percent, Rate};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::traces::span;

fn percent() -> impl Strategy<Value = Option<Percent>> {
    option::of((0.0..=100.0_f64).prop_map(|value| Percent::new(value).unwrap()))
}

fn latency_bounds() -> impl Strategy<Value = LatencyBounds> {
    let limit = || option::weighted(0.3, span());
    (limit(), limit(), limit()).prop_map(|(p50, p95, p99)| LatencyBounds { p50, p95, p99 })
}

/// Also of the streams that there are.
fn endpoint_bounds() -> impl Strategy<Value = EndpointBounds> {
    let endpoint = select(vec!["GET /", "POST /orders", "GET /orders/{id}"]);
    (endpoint, percent(), latency_bounds()).prop_map(|(endpoint, error_rate, latency)| EndpointBounds {
        endpoint: endpoint.parse().unwrap(),
        error_rate,
        latency,
    })
}

/// Any bound may be missing; a damaged record may hold any bound.
fn bounds() -> impl Strategy<Value = Bounds> {
    let rate = option::of((0.02..=1000.0_f64).prop_map(|rate| Rate::per_second(rate).unwrap()));
    let times = (option::of(span()), option::of(span()), option::of(span()));
    (times, percent(), percent(), latency_bounds(), rate, vec(endpoint_bounds(), 0..3)).prop_map(
        |(
            (time_to_recover, latency_degradation, recovery_time),
            error_rate,
            availability,
            latency,
            throughput,
            endpoints,
        )| Bounds {
            time_to_recover,
            error_rate,
            availability,
            latency_degradation,
            recovery_time,
            latency,
            throughput,
            endpoints,
        },
    )
}

pub(crate) fn objectives() -> impl Strategy<Value = Objectives> {
    let checks = (any::<u32>(), span());
    (bounds(), prop_oneof![Just(Bounds::default()), bounds()], checks).prop_map(
        |(bounds, warnings, checks)| {
            let recovery = Recovery {
                time: None,
                required_health_checks: checks.0 % 4 * (checks.0 / 4),
                health_check_interval: checks.1,
            };
            Objectives { recovery, warnings, ..Objectives::default() }.with_bounds(bounds)
        },
    )
}
