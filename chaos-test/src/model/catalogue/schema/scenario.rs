use serde_json::{Value, json};

use super::sections::abort_conditions;
use super::values::{
    choice, default, mapping, millis, name, size, some_millis, some_percent, some_seconds, speaking_name,
    text, told, unknown, whole,
};
use crate::model::FaultKind;
use crate::model::catalogue::{entry, parameters};

/// One entry of `scenarios`.
pub(super) fn scenario() -> Value {
    let mut schema = mapping(entry::KEYS, &["name", "type", "intensity", "duration"], key);
    schema["allOf"] = FaultKind::ALL.into_iter().map(of_kind).collect();
    schema
}

fn key(key: &str) -> Value {
    match key {
        "name" => told(
            "Unique in the catalogue. Tests are named after it: `Light CPU Stress` is \
             `light_cpu_stress`.",
            speaking_name(),
        ),
        "type" => {
            let kinds = FaultKind::ALL.map(|kind| format!("{kind}: {}", about(kind)));
            told(
                &format!("What goes wrong.\n\n- {}", kinds.join("\n- ")),
                choice(FaultKind::ALL.map(FaultKind::name)),
            )
        }
        "intensity" => told(
            "How hard it is, for people who choose by it. It changes nothing of the fault.",
            choice(entry::INTENSITIES.map(|(name, _)| name)),
        ),
        "duration" => told(
            "How long the chaos phase lasts at most: seconds, or a text such as \"45s\" or \"2m\".",
            some_seconds(),
        ),
        "description" => told("What it teaches, for people.", text()),
        "target" => told(
            "The service of the environment that it is aimed at. Without it, the service that the \
             parameters name, else the first one.",
            name(),
        ),
        "parameters" => {
            told("How much of it, and how: the keys depend on `type`.", json!({"type": "object"}))
        }
        "abort_conditions" => told(
            "When to stop this scenario because it does more harm than meant, in place of \
             `safety.abort_conditions` as a whole. These also apply while an outage is made on purpose.",
            abort_conditions(),
        ),
        "mechanism" => told(
            "This mechanism and no other; where it is not possible the test is an Error. `cargo chaos \
             doctor` shows what a host offers.",
            text(),
        ),
        "fidelity" => told(
            "Of network_delay and network_loss: at least this true to the real thing. `stream` is made \
             on the bytes of a connection, `packet` on packets.",
            choice(entry::FIDELITIES.map(|(name, _)| name)),
        ),
        _ => unknown(key),
    }
}

/// What holds of the entries of one type.
fn of_kind(kind: FaultKind) -> Value {
    let mut then = json!({
        "properties": {"parameters": parameters(kind), "mechanism": {"enum": kind.mechanisms()}}
    });
    if !entry::has_fidelity(kind) {
        then["properties"]["fidelity"] = json!(false);
    }
    if parameters::required(kind).is_some() {
        then["required"] = json!(["parameters"]);
    }
    json!({"if": {"properties": {"type": {"const": kind.name()}}, "required": ["type"]}, "then": then})
}

fn parameters(kind: FaultKind) -> Value {
    let keys = parameters::parameters_of(kind);
    if kind == FaultKind::DiskStress {
        // Workers that write, or what happens to the service's own syncs.
        let mut schema = mapping(keys, &[], parameter);
        schema["oneOf"] = ["io_workers", "sync_delay_ms", "sync_error"]
            .into_iter()
            .map(|key| json!({"required": [key]}))
            .collect();
        return told(about(kind), schema);
    }
    let required = parameters::required(kind).and_then(|line| line.split(':').next());
    told(about(kind), mapping(keys, required.as_slice(), parameter))
}

/// What a family of faults does, in one sentence.
fn about(kind: FaultKind) -> &'static str {
    match kind {
        FaultKind::CpuExhaust => "Workers that never sleep compete with the service for the processor.",
        FaultKind::MemoryLeak => "Memory is taken away gradually, beside the service.",
        FaultKind::NetworkDelay => "Every exchange with the service takes longer.",
        FaultKind::NetworkLoss => {
            "A share of the packets to and from the service is lost, or of its connections."
        }
        FaultKind::DiskStress => {
            "Workers write and sync where the service has its data, or its own syncs are late or fail."
        }
        FaultKind::ContainerCrash => "The service is killed without warning and started again after a while.",
        FaultKind::DatabaseDown => "A database is out of service for as long as the scenario lasts.",
        FaultKind::ServiceRecovery => "The service is killed, and its own platform must bring it back.",
    }
}

fn parameter(key: &str) -> Value {
    match key {
        "cpu_workers" => told("How many workers, from 1 to 1024.", whole(1, 1024)),
        "cpu_load_percent" => {
            told("How much of a processor each worker asks for.", default(json!(100), some_percent()))
        }
        "memory_size" => told(
            "How much is taken in the end: \"256M\", \"1G\". K, M, G and T are powers of 1024; a plain \
             number is bytes.",
            size(),
        ),
        "delay_ms" => {
            told("Added to a round trip: milliseconds, or a text such as \"200ms\".", some_millis())
        }
        "jitter_ms" => told(
            "Uniform extra time each way, from nothing to this: milliseconds, or a text such as \
             \"20ms\".",
            default(json!(0), millis()),
        ),
        "bandwidth" => told("How much may pass each way in a second: \"1M\".", size()),
        "interface" => told("The network interface, where the mechanism works on one.", name()),
        "loss_percent" => told("The share that is lost.", some_percent()),
        "connections" => told(
            "That share of connections is lost instead of packets. `reset`: both ends are told. \
             `half_open`: neither is, and nothing passes any more.",
            choice(parameters::CONNECTIONS.map(|(name, _)| name)),
        ),
        "io_workers" => told("How many workers write and sync, from 1 to 1024.", whole(1, 1024)),
        "sync_delay_ms" => told(
            "Each sync of a service with supervised syncs takes longer by this: milliseconds, or a text \
             such as \"20ms\".",
            some_millis(),
        ),
        "sync_error" => told(
            "Each sync of a service with supervised syncs fails with this error.",
            choice(parameters::SYNC_ERRORS.map(|(name, _)| name)),
        ),
        "container" => told("The service to crash, where the scenario has no `target`.", name()),
        "downtime" => told(
            "How long it stays down before it is started again: shorter than the scenario.",
            default(json!(parameters::DOWNTIME.as_secs()), some_seconds()),
        ),
        "database" => told("The service that is the database, where the scenario has no `target`.", name()),
        "mode" => told(
            "What its clients see. `refuse`: new connections are refused. `hang`: connections open and \
             nothing answers. `crash`: it is killed and started again. `partition`: packets vanish.",
            default(json!("crash"), choice(parameters::MODES.map(|(name, _)| name))),
        ),
        "recovery_time_expected" => {
            told("How long its recovery is expected to take, for the reader: the SLO judges.", some_seconds())
        }
        "expected_impact" => told("What its author expects to see, for the reader.", text()),
        _ => unknown(key),
    }
}
