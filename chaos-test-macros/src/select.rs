//! From what was asked for to the tests that will be: every name checked, every test name distinct.

use std::collections::BTreeMap;

use proc_macro2::{Ident, Span};
use syn::LitStr;

use crate::attribute::Selection;
use crate::errors::Errors;
use crate::names::Names;
use crate::place::here;
use crate::slug::slug;

/// One generated test.
pub(crate) struct Case {
    /// The scenario's name.
    pub(crate) scenario: String,
    /// The test's name, placed where the user wrote the scenario or its group.
    pub(crate) test: Ident,
}

/// The tests that `selection` asks for.
pub(crate) fn cases(selection: &Selection, names: &Names, errors: &mut Errors) -> Vec<Case> {
    match selection {
        Selection::Scenarios(scenarios) => {
            for literal in scenarios {
                if let Err(message) = names.scenario(&literal.value()) {
                    errors.at(literal.span(), message);
                }
            }
            distinct(scenarios.iter().map(|literal| (literal.value(), literal.span())), errors)
        }
        Selection::Group(literal) => group(literal, names, errors),
    }
}

fn group(literal: &LitStr, names: &Names, errors: &mut Errors) -> Vec<Case> {
    let (group, scenarios) = match names.group(&literal.value()) {
        Ok(found) => found,
        Err(message) => {
            errors.at(literal.span(), message);
            return Vec::new();
        }
    };
    if scenarios.is_empty() {
        errors.at(literal.span(), format!("the group \"{group}\" has no scenarios"));
    }
    for message in scenarios.iter().filter_map(|name| names.scenario(name).err()) {
        errors.at(literal.span(), format!("the group \"{group}\" is broken: {message}"));
    }
    distinct(scenarios.iter().map(|name| (name.clone(), literal.span())), errors)
}

/// Names every test; a name that two would have is an error on the second.
fn distinct(scenarios: impl Iterator<Item = (String, Span)>, errors: &mut Errors) -> Vec<Case> {
    let mut taken: BTreeMap<String, String> = BTreeMap::new();
    let mut cases = Vec::new();
    for (scenario, span) in scenarios {
        let test = slug(&scenario);
        if let Some(first) = taken.get(&test) {
            let message = if *first == scenario {
                format!("\"{scenario}\" is listed twice")
            } else {
                format!(
                    "\"{first}\" and \"{scenario}\" would both be the test `{test}`\n  help: rename one of them"
                )
            };
            errors.at(span, message);
            continue;
        }
        match syn::parse_str::<Ident>(&test) {
            Ok(mut ident) => {
                ident.set_span(here(span));
                taken.insert(test, scenario.clone());
                cases.push(Case { scenario, test: ident });
            }
            Err(_) => errors
                .at(span, format!("\"{scenario}\" gives no name for a test: `{test}`\n  help: rename it")),
        }
    }
    cases
}
