//! `docs/quick-reference.md`: its keys of the catalogue are made of the schema, and its variables are those that the
//! sources name. (Its commands and exit codes are checked by the program, its keys of the attribute by the macro.)
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "test code may touch files, processes and the clock"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use chaos_test::model::Catalogue;
use serde_json::Value;

const END: &str = "<!-- end -->";

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn file() -> PathBuf {
    repository().join("docs/quick-reference.md")
}

/// The text in front of a part, the part, and the text behind it.
fn parted<'t>(text: &'t str, marker: &str) -> (&'t str, &'t str, &'t str) {
    let at = text.find(marker).unwrap_or_else(|| panic!("docs/quick-reference.md has no {marker}"));
    let (before, rest) = text.split_at(at + marker.len());
    let length = rest.find(END).unwrap_or_else(|| panic!("nothing ends {marker}"));
    (before, &rest[..length], &rest[length..])
}

/// `UPDATE_EXPECTED=1` writes it instead of comparing it; read what it wrote.
#[test]
fn the_keys_of_the_catalogue_are_those_of_its_schema() {
    let there = fs::read_to_string(file()).unwrap();
    let (before, _, after) = parted(&there, "<!-- generated: catalogue keys -->");
    let expected = format!("{before}\n\n{}{after}", keys());
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        fs::write(file(), &expected).unwrap();
        return;
    }
    assert!(
        there == expected,
        "the keys of the catalogue in docs/quick-reference.md are not those of its schema: `just reference` writes them"
    );
}

/// The sections of a catalogue, in the order of the built-in one.
const SECTIONS: [&str; 7] =
    ["scenarios", "scenario_groups", "slo_targets", "slo_severity", "environments", "safety", "monitoring"];

fn keys() -> String {
    let schema = Catalogue::schema();
    let sections: BTreeSet<&str> = sorted(&schema).into_keys().collect();
    assert_eq!(sections, BTreeSet::from(SECTIONS), "SECTIONS has every section");
    let mut out = String::from("| section | holds |\n|---|---|\n");
    for section in SECTIONS {
        let _ = writeln!(out, "| `{section}` | {} |", told(&schema["properties"][section]));
    }
    let mut known = Vec::new();
    for section in SECTIONS {
        tables(section, &schema["properties"][section], &mut known, &mut out);
    }
    out + "\n"
}

/// The mapping that a schema is, or whose entries it holds, and how its place is written.
fn inner<'s>(place: &str, schema: &'s Value) -> Option<(String, &'s Value)> {
    let candidates = [
        (place.to_owned(), schema),
        (format!("{place}[]"), &schema["items"]),
        (format!("{place}.NAME"), &schema["additionalProperties"]),
    ];
    candidates.into_iter().find(|(_, schema)| schema["properties"].is_object())
}

/// The table of a mapping, then those of the mappings in it. One that was told under another place is not told again.
fn tables(place: &str, schema: &Value, known: &mut Vec<(Value, String)>, out: &mut String) {
    let Some((place, mapping)) = inner(place, schema) else { return };
    if known.iter().any(|(told, _)| *told == mapping["properties"]) {
        return;
    }
    known.push((mapping["properties"].clone(), place.clone()));
    let _ = writeln!(out, "\n### `{place}`\n\n| key | is |\n|---|---|");
    let required: Vec<&str> =
        mapping["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    // Those that are told below this table.
    let mut next: Vec<(&Value, String)> = Vec::new();
    for (key, schema) in sorted(mapping) {
        let star = if required.contains(&key) { " *" } else { "" };
        let mut same = String::new();
        if let Some((at, inner)) = inner(&format!("{place}.{key}"), schema) {
            let keys = &inner["properties"];
            let above = known.iter().find(|(told, _)| told == keys).map(|(_, place)| place);
            match above.or_else(|| next.iter().find(|(told, _)| *told == keys).map(|(_, place)| place)) {
                Some(place) => same = format!(" Its keys are those of `{place}`."),
                None => next.push((keys, at)),
            }
        }
        let _ = writeln!(out, "| `{key}`{star} | {}{same} |", told(schema));
    }
    for (key, schema) in sorted(mapping) {
        tables(&format!("{place}.{key}"), schema, known, out);
    }
    parameters(&place, mapping, out);
}

/// What depends on the type of a scenario.
fn parameters(place: &str, mapping: &Value, out: &mut String) {
    let Some(by_type) = mapping["allOf"].as_array() else { return };
    let _ = writeln!(out, "\n### `{place}.parameters`, by `type`\n\n| type | key | is |\n|---|---|---|");
    for branch in by_type {
        let kind = branch["if"]["properties"]["type"]["const"].as_str().expect("a type");
        let parameters = &branch["then"]["properties"]["parameters"];
        let required = parameters["required"].as_array();
        for (key, schema) in sorted(parameters) {
            let star =
                if required.is_some_and(|keys| keys.iter().any(|name| name == key)) { " *" } else { "" };
            let _ = writeln!(out, "| `{kind}` | `{key}`{star} | {} |", told(schema));
        }
    }
    let _ = writeln!(out, "\n| type | `mechanism` may be |\n|---|---|");
    for branch in by_type {
        let kind = branch["if"]["properties"]["type"]["const"].as_str().expect("a type");
        let mechanisms = words(&branch["then"]["properties"]["mechanism"]).expect("its mechanisms");
        let _ = writeln!(out, "| `{kind}` | {mechanisms} |");
    }
}

/// The keys of a mapping by their names: in which order JSON has them is not ours to say.
fn sorted(mapping: &Value) -> BTreeMap<&str, &Value> {
    let properties = mapping["properties"].as_object().expect("a mapping");
    properties.iter().map(|(key, schema)| (key.as_str(), schema)).collect()
}

/// The first paragraph of a key's text, the words it may be, and what it is where it is absent.
fn told(schema: &Value) -> String {
    let text = schema["description"].as_str().unwrap_or_else(|| panic!("a key has no text: {schema}"));
    let mut text = text.split("\n\n").next().unwrap_or_default().replace('|', "\\|");
    if let Some(words) = words(schema) {
        text += &format!(" One of {words}.");
    }
    if let Some(words) = words(&schema["items"]) {
        text += &format!(" Each is one of {words}.");
    }
    if let Some(default) = schema.get("default") {
        text +=
            &format!(" Default: `{}`.", default.as_str().map_or_else(|| default.to_string(), str::to_owned));
    }
    text
}

fn words(schema: &Value) -> Option<String> {
    let words = schema["enum"].as_array()?.iter();
    let words =
        words.map(|word| format!("`{}`", word.as_str().map_or_else(|| word.to_string(), str::to_owned)));
    Some(words.collect::<Vec<_>>().join(", "))
}

/// Every variable of ours that a source names outside its tests.
fn variables(dir: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            if name != "tests" {
                variables(&path, found);
            }
        } else if name.ends_with(".rs") && name != "tests.rs" {
            let text = fs::read_to_string(&path).unwrap();
            let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            found.extend(named_in(text).map(str::to_owned));
        }
    }
}

fn named_in(text: &str) -> impl Iterator<Item = &str> {
    const OURS: &str = "CHAOS_TEST_";
    text.match_indices(OURS).filter_map(move |(at, _)| {
        let rest = &text[at + OURS.len()..];
        let length = rest.find(|c: char| !(c.is_ascii_uppercase() || c == '_')).unwrap_or(rest.len());
        (length > 0).then(|| &text[at..at + OURS.len() + length])
    })
}

#[test]
fn the_variables_are_those_that_the_sources_name() {
    let mut named = BTreeSet::new();
    for package in ["chaos-test", "chaos-test-macros"] {
        variables(&repository().join(package).join("src"), &mut named);
    }
    assert!(named.len() > 10, "only {named:?}");
    let there = fs::read_to_string(file()).unwrap();
    let (_, table, _) = parted(&there, "<!-- checked: variables -->");
    let rows: Vec<&str> = table.lines().filter_map(|line| line.strip_prefix("| `")).collect();
    let listed: Vec<String> =
        rows.iter().map(|row| row.split('`').next().unwrap_or_default().to_owned()).collect();
    assert_eq!(listed.iter().cloned().collect::<BTreeSet<_>>(), named);
    assert_eq!(listed.len(), named.len(), "each has one row: {listed:?}");
    for (row, name) in rows.iter().zip(&listed) {
        let private = ["CHAOS_TEST_HELPER", "CHAOS_TEST_MARK"].contains(&name.as_str());
        assert_eq!(row.contains("private"), private, "{row}");
    }
}
