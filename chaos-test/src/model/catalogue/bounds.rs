use super::fields::{Fields, Keys};
use super::node::{Node, Spanned, quoted};
use super::reporter::Reporter;
use super::value::Field;
use crate::model::{Bounds, Endpoint, EndpointBounds, LatencyBounds};

pub(super) const ENDPOINT_KEYS: &[&str] =
    &["endpoint", "max_error_rate_percent", "max_latency_p50_ms", "max_latency_p95_ms", "max_latency_p99_ms"];

/// The bounds in a mapping; not the one on the recovery time, which is not everywhere in the same place.
pub(super) fn read(fields: &Fields<'_>, place: &str, out: &mut Reporter<'_>) -> Bounds {
    Bounds {
        time_to_recover: fields.get("mttr_seconds").and_then(|field| field.seconds(out)),
        error_rate: fields.get("max_error_rate_percent").and_then(|field| field.percent(out)),
        availability: fields.get("min_availability_percent").and_then(|field| field.percent(out)),
        latency_degradation: fields.get("max_latency_degradation_ms").and_then(|field| field.millis(out)),
        recovery_time: None,
        latency: latency(fields, out),
        throughput: fields.get("min_throughput_per_second").and_then(|field| field.rate(out)),
        endpoints: fields
            .get("endpoints")
            .map(|field| endpoints(field, &format!("{place}.endpoints"), out))
            .unwrap_or_default(),
    }
}

fn latency(fields: &Fields<'_>, out: &mut Reporter<'_>) -> LatencyBounds {
    let mut limit = |key| fields.get(key).and_then(|field| field.limit_millis(out));
    LatencyBounds {
        p50: limit("max_latency_p50_ms"),
        p95: limit("max_latency_p95_ms"),
        p99: limit("max_latency_p99_ms"),
    }
}

fn endpoints(field: Field<'_>, place: &str, out: &mut Reporter<'_>) -> Vec<EndpointBounds> {
    let mut found: Vec<(EndpointBounds, u32)> = Vec::new();
    for (index, entry) in field.entries("endpoints", out).unwrap_or_default().iter().enumerate() {
        let place = format!("entry {} of `{place}`", index + 1);
        let Some(bounds) = endpoint(entry.node, place, out) else { continue };
        match found.iter().find(|(other, _)| other.endpoint == bounds.endpoint) {
            Some((_, line)) => {
                let name = quoted(&bounds.endpoint.to_string());
                let message = format!("the endpoint {name} has two entries in `{}`", field.key);
                out.report(
                    entry.node.span,
                    message,
                    format!("the other is on line {line}: make one of them"),
                );
            }
            None => found.push((bounds, entry.node.span.line)),
        }
    }
    found.into_iter().map(|(bounds, _)| bounds).collect()
}

fn endpoint(node: &Spanned<Node>, place: String, out: &mut Reporter<'_>) -> Option<EndpointBounds> {
    let fields = Fields::keyed(node, place, Keys::new(ENDPOINT_KEYS), out)?;
    let endpoint = fields.require("endpoint", "endpoint: POST /orders", out).and_then(|field| {
        let text = field.text(out)?;
        let endpoint = text.parse::<Endpoint>();
        let help = "for example POST /orders or GET /orders/{id}";
        endpoint.map_err(|error| field.refused(&error.to_string(), help, out)).ok()
    });
    // What is wrong with its bounds is told also where the endpoint is none.
    let error_rate = fields.get("max_error_rate_percent").and_then(|field| field.percent(out));
    let latency = latency(&fields, out);
    if !ENDPOINT_KEYS[1..].iter().any(|key| fields.get(key).is_some()) && !fields.refused(|_| true) {
        let help = "add one, for example `max_error_rate_percent: 1`, or remove the entry".to_owned();
        out.report(node.span, format!("{} has no bound: nothing would be judged", fields.place), help);
    }
    Some(EndpointBounds { endpoint: endpoint?, error_rate, latency })
}
