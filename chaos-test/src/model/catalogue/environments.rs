use super::fields::{Fields, Keys};
use super::group::check_key;
use super::node::{Node, Spanned, quoted};
use super::reporter::Reporter;
use super::targets::{self, Targets};

/// The name of the profile without an environment.
pub(super) const BASE: &str = "default";

/// Short names, and what each is short for.
pub(super) const SHORT: [(&str, &str); 2] = [("dev", "development"), ("prod", "production")];

/// The keys of an entry.
pub(super) const KEYS: Keys = Keys {
    known: &["description", "slo_targets", "allowed_scenarios"],
    deeper: &[("slo_targets", targets::KNOWN)],
};

/// What a short name is short for.
pub(super) fn long_name(short: &str) -> Option<&'static str> {
    SHORT.iter().find(|(name, _)| *name == short).map(|(_, long)| *long)
}

/// One entry of `environments`, its references checked: where a catalogue's SLOs differ from the base.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Profile {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) targets: Targets,
    pub(super) allowed_scenarios: Option<Vec<String>>,
}

/// One entry of `environments`; the scenarios it allows may not exist.
#[derive(Debug)]
pub(super) struct RawProfile {
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) targets: Targets,
    pub(super) allowed_scenarios: Option<Vec<Spanned<String>>>,
}

impl RawProfile {
    /// Reads all of `environments`.
    pub(super) fn read_all(node: &Spanned<Node>, out: &mut Reporter<'_>) -> Vec<Self> {
        let Some(profiles) = Fields::named(node, "`environments`", out) else { return Vec::new() };
        profiles.iter().filter_map(|(name, node)| Self::read(name, node, out)).collect()
    }

    fn read(name: &Spanned<String>, node: &Spanned<Node>, out: &mut Reporter<'_>) -> Option<Self> {
        check_key("environment", name, out)?;
        if name.value == BASE {
            let help = "change `slo_targets` at the top level, or choose another name".to_owned();
            out.report(
                name.span,
                "the environment name \"default\" is taken: it means the base `slo_targets`",
                help,
            );
        }
        // A second environment beside the long one would lose what that one inherits, such as the scenarios
        // it allows.
        if let Some(long) = long_name(&name.value) {
            let message = format!("the environment name \"{}\" is short for \"{long}\"", name.value);
            out.report(name.span, message, format!("write `{long}:`"));
        }
        let fields = Fields::keyed(node, format!("environment {}", quoted(&name.value)), KEYS, out)?;
        Some(Self {
            name: name.value.clone(),
            description: fields.get("description").and_then(|field| field.text(out)),
            targets: fields
                .get("slo_targets")
                .and_then(|field| {
                    let place = format!("environments.{}.slo_targets", name.value);
                    Targets::read(field.node, &place, out)
                })
                .unwrap_or_default(),
            allowed_scenarios: fields
                .get("allowed_scenarios")
                .and_then(|field| field.names("scenario names", out)),
        })
    }
}
