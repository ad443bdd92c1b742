use std::time::Duration;

use super::conditions::RawConditions;
use super::fields::Fields;
use super::node::{Node, Spanned, quoted};
use super::parameters;
use super::reporter::Reporter;
use super::spelling;
use crate::model::{AbortConditions, Fault, FaultKind, Fidelity, Intensity, Pin, Scenario};
use crate::units::show_duration;

/// The keys of an entry.
pub(super) const KEYS: &[&str] = &[
    "name",
    "type",
    "intensity",
    "duration",
    "description",
    "target",
    "parameters",
    "abort_conditions",
    "mechanism",
    "fidelity",
];

pub(super) const FIDELITIES: [(&str, Fidelity); 2] =
    [("stream", Fidelity::Stream), ("packet", Fidelity::Packet)];

pub(super) const INTENSITIES: [(&str, Intensity); 3] =
    [("light", Intensity::Light), ("medium", Intensity::Medium), ("heavy", Intensity::Heavy)];

/// One entry of `scenarios` whose name can be read, whatever else is wrong with it.
///
/// An entry with mistakes still has a name, so that a group that names it is not reported as well.
#[derive(Debug)]
pub(super) struct RawScenario {
    pub(super) name: Spanned<String>,
    pub(super) scenario: Option<Scenario>,
}

impl RawScenario {
    /// Reads the entry with that number, from 1.
    pub(super) fn read(number: usize, node: &Spanned<Node>, out: &mut Reporter<'_>) -> Option<Self> {
        let fields = Fields::checked(node, place(number, node), out, refuse)?;
        let name = fields.require("name", "name: Slow Network", out).and_then(|field| {
            let value = field.name(out)?;
            if !value.contains(char::is_alphanumeric) {
                let message = format!("the scenario name {} has no letter or digit", quoted(&value));
                out.report(field.node.span, message, "its tests are named after it: use words".to_owned());
                return None;
            }
            Some(Spanned { value, span: field.node.span })
        });
        let scenario = scenario(name.as_ref(), &fields, node, out);
        name.map(|name| Self { name, scenario })
    }
}

/// What messages call the entry: by its name where it has one.
fn place(number: usize, node: &Spanned<Node>) -> String {
    let name = match &node.value {
        Node::Map(pairs) => pairs.iter().find(|(key, _)| key.value == "name").map(|(_, value)| &value.value),
        _ => None,
    };
    match name {
        Some(Node::Str(name)) if !name.trim().is_empty() => format!("scenario {}", quoted(name)),
        _ => format!("scenario number {number}"),
    }
}

fn refuse(key: &str) -> Option<(String, String)> {
    if KEYS.contains(&key) {
        None
    } else if parameters::is_parameter(key) {
        Some(("belongs under `parameters`".into(), "move it below `parameters:`, indented".into()))
    } else {
        Some(("is not known".into(), spelling::help(key, KEYS, "the keys here are", '`')))
    }
}

fn scenario(
    name: Option<&Spanned<String>>,
    fields: &Fields<'_>,
    node: &Spanned<Node>,
    out: &mut Reporter<'_>,
) -> Option<Scenario> {
    let kinds = FaultKind::ALL.map(|kind| (kind.name(), kind));
    let kind = fields
        .require("type", "type: network_delay", out)
        .and_then(|field| field.choice("a type of fault", &kinds, out));
    let intensity = fields
        .require("intensity", "intensity: medium", out)
        .and_then(|field| field.choice("an intensity", &INTENSITIES, out));
    let duration = fields.require("duration", "duration: 30", out).and_then(|field| field.some_seconds(out));
    let description = fields.get("description").map(|field| field.text(out));
    let target = fields.get("target").map(|field| field.name(out));
    let abort_conditions = fields.get("abort_conditions").map(|field| {
        let place = format!("the abort_conditions of {}", fields.place);
        RawConditions::read(field.node, place, out).map(|raw| raw.over(&AbortConditions::default()))
    });
    let pin = kind.map(|kind| pin(kind, fields, out));
    let parameters = kind.and_then(|kind| {
        let span = name.map_or(node.span, |name| name.span);
        let node = fields.get("parameters").map(|field| field.node);
        if node.is_none() && fields.refused(explains_missing_parameters) {
            return None;
        }
        let parameters = parameters::read(kind, &fields.place, span, node, out)?;
        check_downtime(&parameters.fault, duration?, fields, out)?;
        Some(parameters)
    })?;
    Some(Scenario {
        name: name?.value.clone(),
        fault: parameters.fault,
        intensity: intensity?,
        duration: duration?,
        description: description.unwrap_or_else(|| Some(String::new()))?,
        target: target.map_or(Some(None), |target| target.map(Some))?,
        expected_impact: parameters.expected_impact,
        abort_conditions: abort_conditions.map_or(Some(None), |conditions| conditions.map(Some))?,
        pin: pin??,
    })
}

/// Which rungs of the ladder the scenario is content with.
fn pin(kind: FaultKind, fields: &Fields<'_>, out: &mut Reporter<'_>) -> Option<Pin> {
    let mechanism = fields.get("mechanism").map(|field| {
        let known: Vec<(&str, &str)> = kind.mechanisms().iter().map(|name| (*name, *name)).collect();
        field.choice(&format!("a mechanism of {kind}"), &known, out)
    });
    let fidelity = fields.get("fidelity").map(|field| {
        if has_fidelity(kind) {
            return field.choice("a fidelity", &FIDELITIES, out);
        }
        let message =
            format!("`fidelity` in {} is for network_delay and network_loss, not for {kind}", fields.place);
        out.report(field.node.span, message, "remove the line, or name a `mechanism`".to_owned());
        None
    });
    Some(Pin {
        mechanism: mechanism.map_or(Some(None), |name| name.map(|name| Some(name.to_owned())))?,
        fidelity: fidelity.map_or(Some(None), |fidelity| fidelity.map(Some))?,
    })
}

/// Whether its mechanisms differ in how true they are to the real thing.
pub(super) fn has_fidelity(kind: FaultKind) -> bool {
    matches!(kind, FaultKind::NetworkDelay | FaultKind::NetworkLoss)
}

/// Whether a refused key already says why there are no `parameters`.
fn explains_missing_parameters(key: &str) -> bool {
    parameters::is_parameter(key) || spelling::nearest(key, ["parameters"]).is_some()
}

/// A container that is still down when the scenario ends would have no time to recover.
fn check_downtime(
    fault: &Fault,
    duration: Duration,
    fields: &Fields<'_>,
    out: &mut Reporter<'_>,
) -> Option<()> {
    let Fault::ContainerCrash { downtime, .. } = fault else { return Some(()) };
    let parameters = fields.get("parameters").map(|field| field.node);
    let written = parameters.and_then(|node| match &node.value {
        Node::Map(pairs) => pairs.iter().find(|(key, _)| key.value == "downtime"),
        _ => None,
    });
    let Some((_, node)) = written.filter(|_| *downtime >= duration) else { return Some(()) };
    let message = format!(
        "`downtime` in the parameters of {}: {} is not shorter than the scenario, which lasts {}",
        fields.place,
        show_duration(*downtime),
        show_duration(duration)
    );
    out.report(node.span, message, "shorten `downtime`, or lengthen the scenario's `duration`".to_owned());
    None
}
