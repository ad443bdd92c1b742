use super::entry::RawScenario;
use super::environments::RawProfile;
use super::fields::{Fields, Keys};
use super::group::RawGroup;
use super::monitoring::RawMonitoring;
use super::node::{Node, Span, Spanned};
use super::reporter::Reporter;
use super::safety::RawSafety;
use super::severity::SeverityBounds;
use super::targets::Targets;

/// The keys of a file.
pub(super) const KEYS: Keys = Keys::new(&[
    "scenarios",
    "scenario_groups",
    "slo_targets",
    "slo_severity",
    "environments",
    "safety",
    "monitoring",
]);

/// What one file says, each value checked by itself; names it refers to may not exist.
///
/// A part with a mistake is left out: it has been reported, and the rest is still read.
#[derive(Debug, Default)]
pub(super) struct RawCatalogue {
    pub(super) scenarios: Vec<RawScenario>,
    pub(super) groups: Vec<RawGroup>,
    pub(super) targets: Targets,
    pub(super) severity: Option<SeverityBounds>,
    pub(super) profiles: Vec<RawProfile>,
    pub(super) safety: RawSafety,
    pub(super) monitoring: RawMonitoring,
}

impl RawCatalogue {
    /// Reads a whole file's nodes.
    pub(super) fn read(root: &Spanned<Node>, out: &mut Reporter<'_>) -> Self {
        // A root is never reported as a whole, only at its first line.
        let root_at = Span { length: 0, ..root.span };
        let help = match &root.value {
            Node::Map(pairs) if pairs.is_empty() => Some("add at least one scenario"),
            Node::Map(_) => None,
            Node::Seq(_) => Some("put the list under `scenarios:`, one level deeper"),
            _ => Some("is this the right file? A catalogue begins with a line such as `scenarios:`"),
        };
        if let Some(help) = help {
            let empty = if matches!(&root.value, Node::Map(_)) { " without entries" } else { "" };
            let message = format!(
                "the file: expected a mapping with keys such as `scenarios`, found {}{empty}",
                root.value
            );
            out.report(root_at, message, help.to_owned());
            return Self::default();
        }
        let Some(fields) = Fields::keyed(root, "the catalogue", KEYS, out) else { return Self::default() };
        Self {
            scenarios: fields
                .get("scenarios")
                .and_then(|field| field.entries("scenarios", out))
                .unwrap_or_default()
                .iter()
                .enumerate()
                .filter_map(|(index, entry)| RawScenario::read(index + 1, entry.node, out))
                .collect(),
            groups: fields
                .get("scenario_groups")
                .map(|field| RawGroup::read_all(field.node, out))
                .unwrap_or_default(),
            targets: fields
                .get("slo_targets")
                .and_then(|field| Targets::read(field.node, "slo_targets", out))
                .unwrap_or_default(),
            severity: fields.get("slo_severity").and_then(|field| SeverityBounds::read(field.node, out)),
            profiles: fields
                .get("environments")
                .map(|field| RawProfile::read_all(field.node, out))
                .unwrap_or_default(),
            safety: fields
                .get("safety")
                .and_then(|field| RawSafety::read(field.node, out))
                .unwrap_or_default(),
            monitoring: fields
                .get("monitoring")
                .and_then(|field| RawMonitoring::read(field.node, out))
                .unwrap_or_default(),
        }
    }
}
