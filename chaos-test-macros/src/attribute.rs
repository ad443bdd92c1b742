//! What the user asked for: the attribute's keys, checked for everything that needs no catalogue.

use std::collections::BTreeSet;

use proc_macro2::{Span, TokenStream};
use syn::{LitStr, Path};

use crate::entry::{Entry, entries};
use crate::errors::Errors;
use crate::{shape, suggest};

/// Every key with an example of its use, in the order in which messages list them.
const KEYS: &[(&str, &str)] = &[
    ("scenario", r#"scenario = "Medium CPU Stress""#),
    ("scenarios", r#"scenarios = ["Medium CPU Stress", "Database Brief Outage"]"#),
    ("group", r#"group = "smoke_test""#),
    ("slo", r#"slo = "staging""#),
    ("environment", "environment = shop"),
    ("target", r#"target = "http://127.0.0.1:8000""#),
    ("repeat", r#"repeat = "20/s""#),
    ("duration", r#"duration = "10s""#),
    ("baseline", r#"baseline = "5s""#),
    ("inconclusive", r#"inconclusive = "fail""#),
    ("sequential", "sequential = false"),
    ("dry_run", "dry_run = true"),
    ("objectives", "objectives(max_error_rate_percent = 1.0)"),
    ("flavor", r#"flavor = "multi_thread""#),
    ("catalogue", r#"catalogue = "chaos_scenarios.yml""#),
    ("crate", "crate = ::chaos_test"),
];

/// The bounds that `objectives(…)` may set.
const OBJECTIVES: &[&str] = &[
    "max_error_rate_percent",
    "min_availability_percent",
    "max_latency_degradation_ms",
    "mttr_seconds",
    "max_recovery_time_seconds",
    "max_latency_p50_ms",
    "max_latency_p95_ms",
    "max_latency_p99_ms",
    "min_throughput_per_second",
];

/// The attribute, as far as it could be understood.
#[derive(Default)]
pub(crate) struct Attribute {
    /// `scenario`, `scenarios` or `group`; `None` is an error already told.
    pub(crate) selection: Option<Selection>,
    /// `slo`
    pub(crate) slo: Option<LitStr>,
    /// `environment`
    pub(crate) environment: Option<Path>,
    /// Whether the key `environment` was there at all, right or wrong.
    pub(crate) has_environment: bool,
    /// Values that are passed on as they are: field of `__private::Test`, value.
    pub(crate) settings: Vec<(&'static str, LitStr)>,
    /// `sequential`, where it is said.
    pub(crate) sequential: Option<bool>,
    /// `dry_run`
    pub(crate) dry_run: bool,
    /// `objectives(…)`
    pub(crate) objectives: Vec<(&'static str, f64)>,
    /// `catalogue`
    pub(crate) catalogue: Option<LitStr>,
    /// `crate`
    pub(crate) krate: Option<Path>,
}

/// What to run.
pub(crate) enum Selection {
    /// By name.
    Scenarios(Vec<LitStr>),
    /// All of a group.
    Group(LitStr),
}

impl Attribute {
    /// Reads the attribute's tokens.
    pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut this = Self::default();
        let mut seen = BTreeSet::new();
        let mut chosen: Option<String> = None;
        for entry in entries(tokens, errors) {
            let name = entry.name();
            let Some((key, example)) = KEYS.iter().copied().find(|(key, _)| *key == name) else {
                let help = suggest::help(&name, KEYS.iter().map(|(key, _)| *key), '`');
                errors.at(entry.key.span(), format!("unknown key `{name}`{help}"));
                continue;
            };
            if !seen.insert(key) {
                errors.at(entry.key.span(), format!("`{key}` is given twice"));
                continue;
            }
            if matches!(key, "scenario" | "scenarios" | "group") {
                if let Some(first) = &chosen {
                    let message = format!("`{key}` and `{first}` exclude each other: give one of them");
                    errors.at(entry.key.span(), message);
                    continue;
                }
                chosen = Some(name);
            }
            if matches!((key, other(key)), (_, Some(other)) if seen.contains(other)) {
                let message = "`target` and `environment` exclude each other: a target is already running";
                errors.at(entry.key.span(), message);
            }
            this.read(key, example, &entry, errors);
        }
        if chosen.is_none() {
            let message = "nothing to inject\n  help: give one of `scenario = \"…\"`, `scenarios = [\"…\", \"…\"]`, \
                           `group = \"…\"`";
            errors.at(Span::call_site(), message);
        }
        this
    }

    fn read(&mut self, key: &'static str, example: &str, entry: &Entry, errors: &mut Errors) {
        match key {
            "scenario" => {
                self.selection =
                    errors.keep(entry.string(example)).map(|name| Selection::Scenarios(vec![name]));
            }
            "scenarios" => self.selection = entry.strings(example, errors).map(Selection::Scenarios),
            "group" => self.selection = errors.keep(entry.string(example)).map(Selection::Group),
            "slo" => self.slo = errors.keep(entry.string(example)),
            "catalogue" => self.catalogue = errors.keep(entry.string(example)),
            "crate" => self.krate = errors.keep(path(entry, example)),
            "environment" => {
                self.has_environment = true;
                self.environment = errors.keep(path(entry, example));
            }
            "sequential" => self.sequential = errors.keep(entry.flag(example)),
            "dry_run" => self.dry_run = errors.keep(entry.flag(example)).unwrap_or_default(),
            "objectives" => self.objectives = objectives(entry, example, errors),
            _ => {
                let Some(value) = errors.keep(entry.string(example)) else { return };
                if let Err(message) = shape::check(key, &value.value()) {
                    let example = format!("\n  help: for example `{example}`");
                    let help = if message.contains("help:") { "" } else { &example };
                    errors.at(value.span(), format!("{message}{help}"));
                }
                self.settings.push((key, value));
            }
        }
    }
}

/// The key that excludes `key`.
fn other(key: &str) -> Option<&'static str> {
    match key {
        "target" => Some("environment"),
        "environment" => Some("target"),
        _ => None,
    }
}

fn path(entry: &Entry, example: &str) -> syn::Result<Path> {
    let value = entry.assigned(example)?;
    let message = format!("expected a path, neither a string nor a call: `{example}`");
    syn::parse2(value.clone()).map_err(|_| syn::Error::new_spanned(value, message))
}

fn objectives(entry: &Entry, example: &str, errors: &mut Errors) -> Vec<(&'static str, f64)> {
    let Some(tokens) = errors.keep(entry.listed(example)) else { return Vec::new() };
    let mut bounds: Vec<(&'static str, f64)> = Vec::new();
    for entry in entries(tokens.clone(), errors) {
        let name = entry.name();
        let Some(known) = OBJECTIVES.iter().copied().find(|known| *known == name) else {
            let help = suggest::help(&name, OBJECTIVES.iter().copied(), '`');
            errors.at(entry.key.span(), format!("unknown objective `{name}`{help}"));
            continue;
        };
        if bounds.iter().any(|(name, _)| *name == known) {
            errors.at(entry.key.span(), format!("`{known}` is given twice"));
            continue;
        }
        let number = errors.keep(entry.number(&format!("{known} = 5")));
        if known.ends_with("_percent") && number.is_some_and(|number| number > 100.0) {
            errors.at(entry.key.span(), format!("`{known}` is a percentage: at most 100"));
        }
        bounds.push((known, number.unwrap_or_default()));
    }
    bounds
}

#[cfg(test)]
mod tests;
