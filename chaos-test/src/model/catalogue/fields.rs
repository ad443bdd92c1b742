use std::collections::HashMap;

use super::node::{Node, Span, Spanned, quoted};
use super::reporter::Reporter;
use super::spelling;
use super::value::Field;

/// The keys a mapping may have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keys {
    pub(super) known: &'static [&'static str],
    /// Keys that belong one level deeper, with the key they belong under.
    pub(super) deeper: &'static [(&'static str, &'static [&'static str])],
}

impl Keys {
    pub(super) const fn new(known: &'static [&'static str]) -> Self {
        Self { known, deeper: &[] }
    }
}

/// A mapping whose keys have been checked, ready to be asked for its values.
#[derive(Debug)]
pub(super) struct Fields<'n> {
    pub(super) place: String,
    span: Span,
    entries: Vec<(&'n Spanned<String>, &'n Spanned<Node>)>,
    /// Keys that have been reported.
    refused: Vec<&'n str>,
}

impl<'n> Fields<'n> {
    /// A mapping whose keys are names that the user chooses.
    pub(super) fn named(
        node: &'n Spanned<Node>,
        place: impl Into<String>,
        out: &mut Reporter<'_>,
    ) -> Option<Self> {
        let place = place.into();
        let Node::Map(pairs) = &node.value else {
            let help = match &node.value {
                Node::Null => "write its keys below it, indented, or remove the line",
                _ => "write `key: value` lines below it, indented",
            };
            out.report(
                node.span,
                format!("{place}: expected a mapping, found {}", node.value),
                help.to_owned(),
            );
            return None;
        };
        let mut entries = Vec::with_capacity(pairs.len());
        let mut seen: HashMap<&str, u32> = HashMap::new();
        for (key, value) in pairs {
            if let Some(line) = seen.get(key.value.as_str()) {
                let message = format!("the key {} is in {place} twice", ticked(&key.value));
                out.report(key.span, message, format!("it is on line {line} already: remove one"));
                continue;
            }
            seen.insert(&key.value, key.span.line);
            entries.push((key, value));
        }
        Some(Self { place, span: node.span, entries, refused: Vec::new() })
    }

    /// A mapping with a fixed set of keys.
    pub(super) fn keyed(
        node: &'n Spanned<Node>,
        place: impl Into<String>,
        keys: Keys,
        out: &mut Reporter<'_>,
    ) -> Option<Self> {
        Self::checked(node, place, out, |key| {
            if keys.known.contains(&key) {
                return None;
            }
            let deeper = keys.deeper.iter().find(|(_, under)| under.contains(&key));
            Some(match deeper {
                Some((under, _)) => {
                    (format!("belongs under `{under}`"), format!("move it below `{under}:`, indented"))
                }
                None => ("is not known".into(), spelling::help(key, keys.known, "the keys here are", '`')),
            })
        })
    }

    /// A mapping whose keys `refuse` judges: the rule a key breaks and the help, or `None`.
    pub(super) fn checked(
        node: &'n Spanned<Node>,
        place: impl Into<String>,
        out: &mut Reporter<'_>,
        refuse: impl Fn(&str) -> Option<(String, String)>,
    ) -> Option<Self> {
        let mut fields = Self::named(node, place, out)?;
        for (key, _) in &fields.entries {
            if let Some((rule, help)) = refuse(&key.value) {
                fields.refused.push(&key.value);
                out.report(
                    key.span,
                    format!("the key {} in {} {rule}", ticked(&key.value), fields.place),
                    help,
                );
            }
        }
        Some(fields)
    }

    /// The value of a key.
    pub(super) fn get(&self, key: &'static str) -> Option<Field<'_>> {
        let (_, node) = self.entries.iter().find(|(found, _)| found.value == key)?;
        Some(Field { key, place: &self.place, node })
    }

    /// The value of a key that must be there; `example` is a line that would do.
    pub(super) fn require(
        &self,
        key: &'static str,
        example: &str,
        out: &mut Reporter<'_>,
    ) -> Option<Field<'_>> {
        let field = self.get(key);
        // Under a misspelt key that has been reported, it is not missing.
        if field.is_none() && !self.refused.iter().any(|refused| spelling::nearest(refused, [key]).is_some())
        {
            let at = self.entries.first().map_or(self.span, |(key, _)| key.span);
            out.report(
                at,
                format!("`{key}` is missing in {}", self.place),
                format!("add it, for example `{example}`"),
            );
        }
        field
    }

    /// Whether a key has been reported for which `is` holds.
    pub(super) fn refused(&self, is: impl Fn(&str) -> bool) -> bool {
        self.refused.iter().any(|key| is(key))
    }

    /// Every key with its value.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'n Spanned<String>, &'n Spanned<Node>)> {
        self.entries.iter().copied()
    }
}

/// A key of the user's as a message shows it.
fn ticked(key: &str) -> String {
    let quoted = quoted(key);
    format!("`{}`", &quoted[1..quoted.len() - 1])
}
