use std::collections::{HashMap, HashSet};

use super::Catalogue;
use super::entry::RawScenario;
use super::environments::{Profile, RawProfile};
use super::group::{Group, RawGroup};
use super::node::{Span, Spanned, quoted};
use super::raw::RawCatalogue;
use super::reporter::Reporter;
use super::spelling;
use crate::model::slug;

/// `base` with what the file `raw` replaces and adds; names that lead nowhere are reported.
pub(super) fn merge(base: &Catalogue, raw: RawCatalogue, out: &mut Reporter<'_>) -> Catalogue {
    check_names(base, &raw.scenarios, out);
    let known = Known::new(base, &raw.scenarios);
    let groups: Vec<Group> = raw.groups.into_iter().map(|group| resolve_group(group, &known, out)).collect();
    let profiles: Vec<Profile> =
        raw.profiles.into_iter().map(|raw| overridden(&base.profiles, raw, &known, out)).collect();
    let scenarios = raw.scenarios.into_iter().filter_map(|raw| raw.scenario).collect();
    Catalogue {
        scenarios: replaced(&base.scenarios, scenarios, |scenario| &scenario.name),
        groups: replaced(&base.groups, groups, |group| &group.name),
        targets: raw.targets.over(&base.targets),
        severity: match (raw.severity, &base.severity) {
            (Some(own), Some(base)) => Some(own.over(base)),
            (own, base) => own.or_else(|| base.clone()),
        },
        profiles: replaced(&base.profiles, profiles, |profile| &profile.name),
        safety: raw.safety.over(&base.safety),
        monitoring: raw.monitoring.over(&base.monitoring),
    }
}

/// The old entries, those of the same name replaced in their places, the others added behind.
fn replaced<T: Clone>(old: &[T], new: Vec<T>, name: impl Fn(&T) -> &str) -> Vec<T> {
    let mut all = old.to_vec();
    let mut places: HashMap<String, usize> =
        old.iter().enumerate().map(|(place, entry)| (name(entry).to_owned(), place)).collect();
    for entry in new {
        match places.get(name(&entry)) {
            Some(place) => all[*place] = entry,
            None => {
                places.insert(name(&entry).to_owned(), all.len());
                all.push(entry);
            }
        }
    }
    all
}

/// Two scenarios of one file have different names, and no two scenarios share the name of their tests.
fn check_names(base: &Catalogue, scenarios: &[RawScenario], out: &mut Reporter<'_>) {
    let mut lines: HashMap<&str, u32> = HashMap::new();
    let mut tests: HashMap<String, (&str, Option<u32>)> = base
        .scenarios
        .iter()
        .map(|scenario| (slug(&scenario.name), (scenario.name.as_str(), None)))
        .collect();
    for RawScenario { name, .. } in scenarios {
        let (name, span): (&str, Span) = (&name.value, name.span);
        if let Some(line) = lines.get(name) {
            let message = format!("two scenarios are named {}", quoted(name));
            out.report(span, message, format!("the other is on line {line}: rename one or remove it"));
            continue;
        }
        lines.insert(name, span.line);
        let test = slug(name);
        match tests.get(&test) {
            Some((other, line)) if *other != name => {
                let (which, help) = match line {
                    Some(line) => (format!("on line {line}"), "rename one of them".to_owned()),
                    None => (
                        "of the built-in catalogue".to_owned(),
                        format!("write {} exactly to replace it, or choose another name", quoted(other)),
                    ),
                };
                let message = format!(
                    "scenario {} would have the same test name, `{test}`, as {} {which}",
                    quoted(name),
                    quoted(other)
                );
                out.report(span, message, help);
            }
            _ => {
                tests.insert(test, (name, Some(span.line)));
            }
        }
    }
}

/// The names of all scenarios, also of those whose entries have mistakes.
struct Known {
    names: Vec<String>,
    set: HashSet<String>,
}

impl Known {
    fn new(base: &Catalogue, scenarios: &[RawScenario]) -> Self {
        let mut known = Self { names: Vec::new(), set: HashSet::new() };
        let old = base.scenarios.iter().map(|scenario| &scenario.name);
        for name in old.chain(scenarios.iter().map(|raw| &raw.name.value)) {
            if known.set.insert(name.clone()) {
                known.names.push(name.clone());
            }
        }
        known
    }

    fn resolve(&self, names: Vec<Spanned<String>>, place: &str, out: &mut Reporter<'_>) -> Vec<String> {
        for name in names.iter().filter(|name| !self.set.contains(&name.value)) {
            let message = format!("{place} names {}, but no scenario has this name", quoted(&name.value));
            // Nearness to thousands of names, thousands of times, would take minutes.
            let help = (!out.is_full()).then(|| {
                let known: Vec<&str> = self.names.iter().map(String::as_str).collect();
                spelling::help(&name.value, &known, "the scenarios are", '"')
            });
            out.report(name.span, message, help);
        }
        names.into_iter().map(|name| name.value).collect()
    }
}

fn resolve_group(raw: RawGroup, known: &Known, out: &mut Reporter<'_>) -> Group {
    let scenarios = known.resolve(raw.scenarios, &format!("group {}", quoted(&raw.name)), out);
    Group { name: raw.name, description: raw.description, scenarios }
}

/// One file has an environment once (a second one is a repeated key), so only `old` is searched.
fn overridden(old: &[Profile], raw: RawProfile, known: &Known, out: &mut Reporter<'_>) -> Profile {
    let place = format!("`allowed_scenarios` of environment {}", quoted(&raw.name));
    let allowed = raw.allowed_scenarios.map(|names| known.resolve(names, &place, out));
    let old = old.iter().find(|profile| profile.name == raw.name).cloned();
    let old = old.unwrap_or_else(|| Profile { name: raw.name, ..Profile::default() });
    Profile {
        name: old.name,
        description: raw.description.unwrap_or(old.description),
        targets: raw.targets.over(&old.targets),
        allowed_scenarios: allowed.or(old.allowed_scenarios),
    }
}
