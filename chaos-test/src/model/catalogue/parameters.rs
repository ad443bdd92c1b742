use std::num::NonZeroU32;
use std::time::Duration;

use super::fields::Fields;
use super::node::{Node, Span, Spanned};
use super::reporter::Reporter;
use super::spelling;
use super::value::Field;
use crate::model::{ConnectionFault, Fault, FaultKind, OutageMode, SyncFault};
use crate::units::Percent;

/// How long a crashed container stays down unless the scenario says otherwise.
pub(super) const DOWNTIME: Duration = Duration::from_secs(2);

pub(super) const MODES: [(&str, OutageMode); 4] = [
    ("refuse", OutageMode::Refuse),
    ("hang", OutageMode::Hang),
    ("crash", OutageMode::Crash),
    ("partition", OutageMode::Partition),
];

pub(super) const CONNECTIONS: [(&str, ConnectionFault); 2] =
    [("reset", ConnectionFault::Reset), ("half_open", ConnectionFault::HalfOpen)];

pub(super) const SYNC_ERRORS: [(&str, SyncFault); 2] =
    [("EIO", SyncFault::Failed), ("ENOSPC", SyncFault::Full)];

/// The parameters that a family of faults takes.
pub(super) fn parameters_of(kind: FaultKind) -> &'static [&'static str] {
    match kind {
        FaultKind::CpuExhaust => &["cpu_workers", "cpu_load_percent", "expected_impact"],
        FaultKind::MemoryLeak => &["memory_size", "expected_impact"],
        FaultKind::NetworkDelay => &["delay_ms", "jitter_ms", "bandwidth", "interface", "expected_impact"],
        FaultKind::NetworkLoss => &["loss_percent", "connections", "interface", "expected_impact"],
        FaultKind::DiskStress => &["io_workers", "sync_delay_ms", "sync_error", "expected_impact"],
        FaultKind::ContainerCrash => &["container", "downtime", "recovery_time_expected", "expected_impact"],
        FaultKind::DatabaseDown => &["database", "mode", "recovery_time_expected", "expected_impact"],
        FaultKind::ServiceRecovery => &["container", "recovery_time_expected", "expected_impact"],
    }
}

/// Whether some family of faults takes this parameter.
pub(super) fn is_parameter(key: &str) -> bool {
    FaultKind::ALL.iter().any(|kind| parameters_of(*kind).contains(&key))
}

/// The parameter that a family of faults cannot do without, as a line that would do.
pub(super) fn required(kind: FaultKind) -> Option<&'static str> {
    match kind {
        FaultKind::CpuExhaust => Some("cpu_workers: 2"),
        FaultKind::MemoryLeak => Some("memory_size: \"256M\""),
        FaultKind::NetworkDelay => Some("delay_ms: 200"),
        FaultKind::NetworkLoss => Some("loss_percent: 5"),
        FaultKind::DiskStress => Some("io_workers: 2"),
        _ => None,
    }
}

/// A fault and what its author expects to see.
pub(super) struct Parameters {
    pub(super) fault: Fault,
    pub(super) expected_impact: Option<String>,
}

/// Reads the `parameters` of a scenario of that kind; `node` is `None` when it has none.
pub(super) fn read(
    kind: FaultKind,
    scenario: &str,
    span: Span,
    node: Option<&Spanned<Node>>,
    out: &mut Reporter<'_>,
) -> Option<Parameters> {
    let none = Spanned { value: Node::Map(Vec::new()), span };
    let Some(node) = node.or_else(|| required(kind).is_none().then_some(&none)) else {
        let example = required(kind).unwrap_or_default();
        let help = format!("add it, for example `parameters: {{{example}}}`");
        out.report(span, format!("{scenario} has no `parameters`: {kind} needs them"), help);
        return None;
    };
    let fields =
        Fields::checked(node, format!("the parameters of {scenario}"), out, |key| refuse(kind, key))?;
    let expected_impact = fields.get("expected_impact").and_then(|field| field.text(out));
    let fault = fault(kind, &fields, out)?;
    Some(Parameters { fault, expected_impact })
}

fn refuse(kind: FaultKind, key: &str) -> Option<(String, String)> {
    let takes = parameters_of(kind);
    if takes.contains(&key) {
        return None;
    }
    let listed = spelling::listed(takes.iter().copied(), '`');
    let others: Vec<&str> = FaultKind::ALL
        .iter()
        .filter(|kind| parameters_of(**kind).contains(&key))
        .map(|kind| kind.name())
        .collect();
    Some(match (spelling::nearest(key, takes.iter().copied()), others.as_slice()) {
        (_, [_, ..]) => {
            (format!("is for {}, not for {kind}", others.join(" and ")), format!("{kind} takes {listed}"))
        }
        (Some(meant), []) => ("is not known".into(), format!("did you mean `{meant}`?")),
        (None, []) => ("is not known".into(), format!("{kind} takes {listed}")),
    })
}

fn fault(kind: FaultKind, fields: &Fields<'_>, out: &mut Reporter<'_>) -> Option<Fault> {
    // Read before anything is required, so that one mistake does not hide another.
    let interface = optional(fields, "interface", kind, out, Field::name);
    let container = optional(fields, "container", kind, out, Field::name);
    let recovery_time_expected = optional(fields, "recovery_time_expected", kind, out, Field::some_seconds);
    Some(match kind {
        FaultKind::CpuExhaust => {
            let load = optional(fields, "cpu_load_percent", kind, out, Field::some_percent);
            let workers = workers("cpu_workers", kind, fields, out)?;
            Fault::CpuExhaust { workers, load: load?.unwrap_or(Percent::HUNDRED) }
        }
        FaultKind::DiskStress => disk_stress(fields, out)?,
        FaultKind::MemoryLeak => {
            Fault::MemoryLeak { size: need("memory_size", kind, fields, out)?.size(out)? }
        }
        FaultKind::NetworkDelay => {
            let jitter = optional(fields, "jitter_ms", kind, out, Field::millis);
            let bandwidth = optional(fields, "bandwidth", kind, out, Field::size);
            let delay = need("delay_ms", kind, fields, out)?.some_millis(out)?;
            Fault::NetworkDelay {
                delay,
                jitter: jitter?.unwrap_or_default(),
                bandwidth: bandwidth?,
                interface: interface?,
            }
        }
        FaultKind::NetworkLoss => {
            let connections = optional(fields, "connections", kind, out, |field, out| {
                field.choice("what happens to connections", &CONNECTIONS, out)
            });
            let loss = need("loss_percent", kind, fields, out)?.some_percent(out)?;
            Fault::NetworkLoss { loss, connections: connections?, interface: interface? }
        }
        FaultKind::ContainerCrash => {
            let downtime = optional(fields, "downtime", kind, out, Field::some_seconds)?.unwrap_or(DOWNTIME);
            Fault::ContainerCrash {
                container: container?,
                downtime,
                recovery_time_expected: recovery_time_expected?,
            }
        }
        FaultKind::DatabaseDown => {
            let database = optional(fields, "database", kind, out, Field::name);
            let mode = optional(fields, "mode", kind, out, |field, out| {
                field.choice("a mode of outage", &MODES, out)
            })?;
            Fault::DatabaseDown {
                database: database?,
                mode: mode.unwrap_or(OutageMode::Crash),
                recovery_time_expected: recovery_time_expected?,
            }
        }
        FaultKind::ServiceRecovery => {
            Fault::ServiceRecovery { container: container?, recovery_time_expected: recovery_time_expected? }
        }
    })
}

/// Workers that write, or what happens to the target's own syncs: one of the two.
fn disk_stress(fields: &Fields<'_>, out: &mut Reporter<'_>) -> Option<Fault> {
    let kind = FaultKind::DiskStress;
    let delay = optional(fields, "sync_delay_ms", kind, out, Field::some_millis);
    let error = optional(fields, "sync_error", kind, out, |field, out| {
        field.choice("an error of a sync", &SYNC_ERRORS, out)
    });
    let sync = match (delay?, error?) {
        (None, None) => {
            let workers = workers("io_workers", kind, fields, out)?;
            return Some(Fault::DiskStress { workers, sync: None });
        }
        (Some(_), Some(_)) => {
            let message = format!("{} have both `sync_delay_ms` and `sync_error`", fields.place);
            let span = fields.get("sync_error")?.node.span;
            out.report(span, message, "a sync is late or fails: keep one of the two".to_owned());
            return None;
        }
        (Some(delay), None) => SyncFault::Delay(delay),
        (None, Some(error)) => error,
    };
    if let Some(field) = fields.get("io_workers") {
        let message = format!("`io_workers` in {} has no meaning beside a fault of syncs", fields.place);
        out.report(field.node.span, message, "keep the workers or the fault of syncs".to_owned());
        return None;
    }
    Some(Fault::DiskStress { workers: NonZeroU32::MIN, sync: Some(sync) })
}

fn need<'f>(
    key: &'static str,
    kind: FaultKind,
    fields: &'f Fields<'_>,
    out: &mut Reporter<'_>,
) -> Option<Field<'f>> {
    fields.require(key, required(kind).unwrap_or(key), out)
}

fn workers(
    key: &'static str,
    kind: FaultKind,
    fields: &Fields<'_>,
    out: &mut Reporter<'_>,
) -> Option<NonZeroU32> {
    need(key, kind, fields, out)?.whole(1..=1024, out).and_then(NonZeroU32::new)
}

/// `Some(None)` when the key is absent, `None` when its value is wrong.
fn optional<'f, T>(
    fields: &'f Fields<'_>,
    key: &'static str,
    kind: FaultKind,
    out: &mut Reporter<'_>,
    read: impl Fn(&Field<'f>, &mut Reporter<'_>) -> Option<T>,
) -> Option<Option<T>> {
    match fields.get(key).filter(|_| parameters_of(kind).contains(&key)) {
        None => Some(None),
        Some(field) => read(&field, out).map(Some),
    }
}
