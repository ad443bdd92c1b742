use serde::{Deserialize, Serialize};

use super::fields::{Fields, Keys};
use super::node::{Node, Spanned, quoted};
use super::reporter::Reporter;
use super::value::broken_name;

/// The keys of an entry.
pub(super) const KEYS: &[&str] = &["description", "scenarios"];

/// A named set of scenarios that are run together: `smoke_test`.
///
/// ```
/// use chaos_test::model::Catalogue;
/// use std::time::Duration;
/// let catalogue = Catalogue::builtin();
/// let smoke = catalogue.group("smoke").unwrap();
/// assert_eq!(smoke.scenarios, ["Light CPU Stress", "Light Memory Stress", "Light Network Delay"]);
/// let scenarios = smoke.scenarios.iter().filter_map(|name| catalogue.scenario(name).ok());
/// let lasting: Duration = scenarios.map(|scenario| scenario.duration).sum();
/// assert_eq!(lasting, Duration::from_secs(90));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Group {
    /// The name users write.
    pub name: String,
    /// What it is for, for people.
    pub description: String,
    /// The names of its scenarios, all of the same catalogue, in the order they are run.
    pub scenarios: Vec<String>,
}

/// One entry of `scenario_groups`; its scenarios may not exist.
#[derive(Debug)]
pub(super) struct RawGroup {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) scenarios: Vec<Spanned<String>>,
}

impl RawGroup {
    /// Reads all of `scenario_groups`.
    pub(super) fn read_all(node: &Spanned<Node>, out: &mut Reporter<'_>) -> Vec<Self> {
        let Some(groups) = Fields::named(node, "`scenario_groups`", out) else { return Vec::new() };
        groups.iter().filter_map(|(name, node)| Self::read(name, node, out)).collect()
    }

    fn read(name: &Spanned<String>, node: &Spanned<Node>, out: &mut Reporter<'_>) -> Option<Self> {
        check_key("group", name, out)?;
        if let Node::Seq(_) = &node.value {
            let message = format!("group {} is a list: expected a mapping", quoted(&name.value));
            out.report(name.span, message, "put the list under `scenarios:`, one level deeper".to_owned());
            return None;
        }
        let place = format!("group {}", quoted(&name.value));
        let fields = Fields::keyed(node, place, Keys::new(KEYS), out)?;
        let description = fields.get("description").and_then(|field| field.text(out)).unwrap_or_default();
        let field = fields.require("scenarios", "scenarios: [Light CPU Stress]", out)?;
        let scenarios = field.names("scenario names", out)?;
        if matches!(&field.node.value, Node::Seq(nodes) if nodes.is_empty()) {
            let message = format!("{} has no scenarios: running it would test nothing", fields.place);
            out.report(
                field.node.span,
                message,
                "name at least one scenario, or remove the group".to_owned(),
            );
        }
        Some(Self { name: name.value.clone(), description, scenarios })
    }
}

/// A name that the user chose as a key must be a name, as everywhere else.
pub(super) fn check_key(what: &str, key: &Spanned<String>, out: &mut Reporter<'_>) -> Option<()> {
    let Some((expected, help)) = broken_name(&key.value) else { return Some(()) };
    out.report(key.span, format!("the {what} {}: expected {expected}", quoted(&key.value)), help.to_owned());
    None
}
