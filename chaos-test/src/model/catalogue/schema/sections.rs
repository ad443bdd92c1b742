use serde_json::{Value, json};

use super::values::{
    choice, endpoint, list, mapping, millis, name, named, names, path, percent, rate, seconds, some_millis,
    some_seconds, text, told, unknown, whole,
};
use crate::model::catalogue::{
    bounds, conditions, environments, group, monitoring, safety, severity, targets,
};
use crate::model::{FaultKind, Metric};

pub(super) fn groups() -> Value {
    named(
        name(),
        mapping(group::KEYS, &["scenarios"], |key| match key {
            "description" => told("What it is for, for people.", text()),
            "scenarios" => {
                let mut names = names();
                names["minItems"] = json!(1);
                told(
                    "The names of its scenarios, built-in ones too, in the order in which they are run.",
                    names,
                )
            }
            _ => unknown(key),
        }),
    )
}

/// `slo_targets`, wherever it stands.
pub(super) fn targets() -> Value {
    mapping(targets::KNOWN, &[], |key| match key {
        "recovery" => told("What counts as recovered, and how soon it must be.", recovery()),
        _ => bound(key),
    })
}

fn recovery() -> Value {
    mapping(targets::RECOVERY_KEYS, &[], |key| match key {
        "required_health_checks" => {
            told("How many health checks in a row make service stable, from 1 to 1000.", whole(1, 1000))
        }
        "health_check_interval_seconds" => {
            told("How far apart these are: seconds, or a text such as \"500ms\".", some_seconds())
        }
        _ => bound(key),
    })
}

pub(super) fn severity() -> Value {
    mapping(severity::KEYS, &[], |key| {
        let text = match key {
            "blocking" => "Past one of these the test fails, in place of the same bound of the SLO profile.",
            "warning" => "Past one of these the report says so, and the test passes.",
            _ => return unknown(key),
        };
        told(text, mapping(severity::BOUND_KEYS, &[], bound))
    })
}

fn bound(key: &str) -> Value {
    match key {
        "mttr_seconds" => told(
            "The longest time from the first bad sample of an outage to the first good one after it: \
             seconds, or a text such as \"45s\".",
            seconds(),
        ),
        "max_error_rate_percent" => told("The largest share of bad samples in the chaos phase.", percent()),
        "min_availability_percent" => {
            told("The smallest share of the chaos and recovery phases outside an outage.", percent())
        }
        "max_latency_degradation_ms" => told(
            "The largest rise of the 95th percentile of latency over the baseline's: milliseconds, or a \
             text such as \"200ms\".",
            millis(),
        ),
        "max_recovery_time_seconds" => told(
            "The longest time from the fault's removal to stable service: seconds, or a text such as \
             \"10s\".",
            some_seconds(),
        ),
        "max_latency_p50_ms" => told(
            "The largest median of latency in the chaos phase as it is, not its rise: milliseconds, or a \
             text such as \"200ms\".",
            some_millis(),
        ),
        "max_latency_p95_ms" => told("The same for the 95th percentile.", some_millis()),
        "max_latency_p99_ms" => told("The same for the 99th percentile.", some_millis()),
        "min_throughput_per_second" => told(
            "The fewest good transactions, or good looks of a probe, a second in the chaos phase: a \
             number from 1/60 to 1000, or a text such as \"20/s\". Less than are sent.",
            rate(),
        ),
        "endpoints" => {
            told("Bounds on the test body's own requests to one endpoint each.", list(of_endpoint()))
        }
        _ => unknown(key),
    }
}

fn of_endpoint() -> Value {
    let mut schema = mapping(bounds::ENDPOINT_KEYS, &["endpoint"], |key| match key {
        "endpoint" => told(
            "A method and a path: `POST /orders`, `GET /orders/{id}`. `{name}` or `*` stands for one \
             segment; the query does not count.",
            endpoint(),
        ),
        _ => bound(key),
    });
    // Without a bound nothing would be judged.
    schema["minProperties"] = json!(2);
    schema
}

pub(super) fn environments() -> Value {
    // Of these `default` is the profile without an environment, the others are short for one.
    let taken: Vec<&str> =
        [environments::BASE].into_iter().chain(environments::SHORT.map(|(short, _)| short)).collect();
    let mut key = name();
    key["not"] = json!({"enum": taken});
    named(
        key,
        mapping(environments::KEYS.known, &[], |key| match key {
            "description" => told("What it is, for people.", text()),
            "slo_targets" => told(
                "Its bounds. An absent one is that of the built-in environment of the same name \
                     (`development`, `staging` and `production` set `mttr_seconds`, `max_error_rate_percent` and \
                     `min_availability_percent`), else that of the `slo_targets` at the top.",
                targets(),
            ),
            "allowed_scenarios" => told("The scenarios that may run under it; all where absent.", names()),
            _ => unknown(key),
        }),
    )
}

/// `abort_conditions`, of `safety` or of a scenario.
pub(super) fn abort_conditions() -> Value {
    mapping(conditions::KEYS, &[], |key| match key {
        "error_rate_percent" => told("More bad samples than this share.", percent()),
        "consecutive_failures" => {
            told("That many health checks' time without a good sample, at least 1.", whole(1, u32::MAX))
        }
        "response_time_ms" => told(
            "An answer that takes longer than this: milliseconds, or a text such as \"5s\".",
            some_millis(),
        ),
        _ => unknown(key),
    })
}

pub(super) fn safety() -> Value {
    mapping(safety::KEYS.known, &[], |key| match key {
        "abort_conditions" => told(
            "When to stop a run that does more harm than meant. For a fault that makes errors on purpose \
             they count only from the first good sample after it was removed, or once `mttr_seconds` have \
             passed since.",
            abort_conditions(),
        ),
        "cooldown_seconds" => told(
            "How long a running target is left alone after a fault was removed, at least: seconds, or a \
             text such as \"5s\".",
            seconds(),
        ),
        "max_total_duration_seconds" => told(
            "How long all tests of one run may take together: seconds, or a text such as \"30m\".",
            some_seconds(),
        ),
        "require_confirmation" => told(
            "Types of fault that want a confirmation against what the run did not start itself.",
            list(choice(FaultKind::ALL.map(FaultKind::name))),
        ),
        "allowed_targets" => told(
            "Where faults may be aimed beside what the run started itself and loopback addresses: a \
             host, host:port, \"*.staging.example\", 10.1.2.3, 10.1.0.0/16.",
            names(),
        ),
        "auto_rollback" => told(
            "Always: every fault is removed, whatever happens. It cannot be turned off.",
            json!({"enum": [true, "yes", "on"]}),
        ),
        _ => unknown(key),
    })
}

pub(super) fn monitoring() -> Value {
    mapping(monitoring::KEYS.known, &[], |key| match key {
        "metrics" => told(
            "The figures that are sampled. One of cpu_usage, memory_usage and disk_io is enough for all three; \
             the others are in every record.",
            list(choice(Metric::ALL.map(|(name, _)| name))),
        ),
        "sampling_interval" => told(
            "How often, from 100 ms to 1 s, and what is longer counts as 1 s: seconds, or a text such as \
             \"500ms\".",
            some_seconds(),
        ),
        "health_check" => {
            told("The health check used where a target brings none of its own.", health_check())
        }
        "alerts" => told(
            "Past one of these a figure becomes an event on the timeline. An absent one is inherited.",
            alerts(),
        ),
        _ => unknown(key),
    })
}

fn health_check() -> Value {
    mapping(monitoring::HEALTH_KEYS, &[], |key| match key {
        "endpoint" => told("The path that is asked: \"/api/health\". The target brings its address.", path()),
        "timeout" => told(
            "How long an answer may take, 1 s at most: seconds, or a text such as \"500ms\".",
            some_seconds(),
        ),
        "interval" => told(
            "The step in which abort conditions and alerts look back; the check itself is asked every 20 ms.",
            some_seconds(),
        ),
        _ => unknown(key),
    })
}

fn alerts() -> Value {
    mapping(monitoring::ALERT_KEYS, &[], |key| match key {
        "cpu_threshold" => told("Percent of the processors that the service may use.", percent()),
        "memory_threshold" => told("Percent of the memory that it may use.", percent()),
        "error_rate_threshold" => told("Percent of samples that are bad.", percent()),
        "response_time_threshold" => told("Milliseconds, or a text such as \"1s\".", some_millis()),
        _ => unknown(key),
    })
}
