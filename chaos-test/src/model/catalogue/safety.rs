use std::time::Duration;

use super::conditions::{self, RawConditions};
use super::fields::{Fields, Keys};
use super::node::{Node, Spanned};
use super::reporter::Reporter;
use super::value::Field;
use crate::model::{AllowedTarget, FaultKind, Safety};

/// The keys of the section.
pub(super) const KEYS: Keys = Keys {
    known: &[
        "abort_conditions",
        "cooldown_seconds",
        "max_total_duration_seconds",
        "require_confirmation",
        "allowed_targets",
        "auto_rollback",
    ],
    deeper: &[("abort_conditions", conditions::KEYS)],
};

/// `safety` as one file has it; what it leaves out is inherited.
#[derive(Debug, Default)]
pub(super) struct RawSafety {
    abort_conditions: RawConditions,
    cooldown: Option<Duration>,
    max_total_duration: Option<Duration>,
    require_confirmation: Option<Vec<FaultKind>>,
    allowed_targets: Option<Vec<AllowedTarget>>,
}

impl RawSafety {
    pub(super) fn read(node: &Spanned<Node>, out: &mut Reporter<'_>) -> Option<Self> {
        let fields = Fields::keyed(node, "`safety`", KEYS, out)?;
        if let Some(field) = fields.get("auto_rollback") {
            check_rollback(field, out);
        }
        Some(Self {
            abort_conditions: fields
                .get("abort_conditions")
                .and_then(|field| RawConditions::read(field.node, "`safety.abort_conditions`".into(), out))
                .unwrap_or_default(),
            cooldown: fields.get("cooldown_seconds").and_then(|field| field.seconds(out)),
            max_total_duration: fields
                .get("max_total_duration_seconds")
                .and_then(|field| field.some_seconds(out)),
            require_confirmation: fields.get("require_confirmation").and_then(|field| kinds(field, out)),
            allowed_targets: fields.get("allowed_targets").and_then(|field| targets(field, out)),
        })
    }

    pub(super) fn over(self, base: &Safety) -> Safety {
        Safety {
            abort_conditions: self.abort_conditions.over(&base.abort_conditions),
            cooldown: self.cooldown.unwrap_or(base.cooldown),
            max_total_duration: self.max_total_duration.unwrap_or(base.max_total_duration),
            require_confirmation: self
                .require_confirmation
                .unwrap_or_else(|| base.require_confirmation.clone()),
            allowed_targets: self.allowed_targets.unwrap_or_else(|| base.allowed_targets.clone()),
        }
    }
}

const OFF: &str = "`auto_rollback` in `safety` cannot be turned off here: every fault is removed when its test ends, \
                   also after a failure, a panic or a kill";
const LOOK: &str =
    "remove the line; to look at a broken system, let the test wait while the fault is in place";

/// The key exists in files of earlier tools; here a fault that outlives its test is a bug, not a setting.
fn check_rollback(field: Field<'_>, out: &mut Reporter<'_>) {
    let (message, help) = match &field.node.value {
        Node::Bool(true) => return,
        Node::Str(word) if matches!(word.as_str(), "yes" | "on") => return,
        Node::Bool(false) => (OFF.to_owned(), LOOK),
        Node::Str(word) if matches!(word.as_str(), "no" | "off" | "false") => (OFF.to_owned(), LOOK),
        found => (
            format!("`auto_rollback` in `safety`: expected `true`, found {found}"),
            "rollback is always on here: remove the line",
        ),
    };
    out.report(field.node.span, message, help.to_owned());
}

fn kinds(field: Field<'_>, out: &mut Reporter<'_>) -> Option<Vec<FaultKind>> {
    let known = FaultKind::ALL.map(|kind| (kind.name(), kind));
    let entries = field.entries("types of fault", out)?;
    Some(entries.iter().filter_map(|entry| entry.choice("a type of fault", &known, out)).collect())
}

fn targets(field: Field<'_>, out: &mut Reporter<'_>) -> Option<Vec<AllowedTarget>> {
    let names = field.names("hosts", out)?;
    let targets = names.iter().filter_map(|name| match name.value.parse() {
        Ok(target) => Some(target),
        Err(error) => {
            let help =
                "a host as it stands in the URL, without `http://` and path; `*.` only in front of a domain";
            out.report(name.span, format!("`allowed_targets` in `safety`: {error}"), help.to_owned());
            None
        }
    });
    Some(targets.collect())
}
