//! `docs/quick-reference.md` has the keys of the attribute: every one of them, once, and no other.
#![allow(clippy::disallowed_methods, reason = "reads a file of the repository")]

use std::fs;
use std::path::Path;

use super::{KEYS, OBJECTIVES};

/// The rows of the checked table, by the first word that stands in backticks.
fn rows(text: &str) -> Vec<(&str, &str)> {
    let (_, rest) = text.split_once("<!-- checked: attribute keys -->").expect("the table of keys");
    let (table, _) = rest.split_once("<!-- end -->").expect("its end");
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| (row.split(['`', '(']).next().unwrap_or_default(), row)).collect()
}

#[test]
fn the_quick_reference_has_every_key_once() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/quick-reference.md");
    let text = fs::read_to_string(file).expect("docs/quick-reference.md is there");
    let rows = rows(&text);
    let listed: Vec<&str> = rows.iter().map(|(key, _)| *key).collect();
    let known: Vec<&str> = KEYS.iter().map(|(key, _)| *key).collect();
    assert_eq!(listed, known, "in the order in which messages list them");

    let (_, row) = rows.iter().find(|(key, _)| *key == "objectives").expect("its row");
    let bounds: Vec<&str> = row
        .split('`')
        .filter(|word| word.starts_with("max_") || word.starts_with("min_") || word.ends_with("_seconds"))
        .collect();
    assert_eq!(bounds, OBJECTIVES);
}
