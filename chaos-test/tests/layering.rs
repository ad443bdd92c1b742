//! The layers of `docs/architecture.md`, checked: no import points upward, nothing pure touches the world, no file
//! grows past 350 lines, and only `inject/mod.rs` chooses by the family of a fault.
//!
//! The scanner reads tokens, not types: it follows `crate::`, `super::`, grouped imports and the crate's own
//! re-exports, and skips comments and strings.
#![allow(clippy::disallowed_methods, reason = "reads the sources")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use scan::{Named, code, expand, names, tokens};

#[path = "layering/scan.rs"]
mod scan;

/// What each layer may import beside itself.
const LAYERS: &[(&str, &[&str])] = &[
    ("units", &[]),
    ("model", &["units"]),
    ("stats", &[]),
    ("slo", &["units", "model", "stats"]),
    ("report", &["units", "model", "stats", "slo"]),
    ("port", &["units", "model"]),
    ("engine", &["units", "model", "stats", "slo", "port"]),
    ("sys", &["units", "model", "stats", "port"]),
    ("inject", &["units", "model", "stats", "port", "sys"]),
    ("probe", &["units", "model", "stats", "port", "sys"]),
    ("error", &[]),
    ("environment", &["units", "model", "stats", "port", "sys", "probe", "error"]),
    ("failure", &["report", "error"]),
    ("reaper", &["units", "model", "stats", "slo", "report", "port", "sys"]),
    ("helper", &["sys", "reaper"]),
    (
        "run",
        &[
            "units",
            "model",
            "stats",
            "slo",
            "report",
            "port",
            "engine",
            "sys",
            "inject",
            "probe",
            "environment",
            "error",
            "failure",
            "reaper",
            "helper",
        ],
    ),
    ("cli_support", &["model", "sys", "run", "error", "reaper"]),
    ("__private", &["units", "report", "environment", "run", "error", "failure"]),
];

/// The layers that touch nothing: what goes in comes in as an argument.
const PURE: &[&str] = &["units", "model", "stats", "slo", "report"];

/// What a pure layer may not name.
const EFFECTS: &[&str] = &[
    "tokio",
    "nix",
    "reqwest",
    "socket2",
    "futures_util",
    "std::fs",
    "std::net",
    "std::process",
    "std::env",
    "std::thread",
    "std::os",
    "std::time::Instant",
    "std::time::SystemTime",
];

/// Files outside `model` that may look at one family of faults, beside each injector at its own: the report's hint on
/// sequential calls needs the delay that was asked for.
const MAY_LOOK_AT: &[(&str, &str)] = &[("report/advice/calls.rs", "NetworkDelay")];

const LONGEST: usize = 350;

/// Sources by their path below `src/`.
type Tree = BTreeMap<String, String>;

#[test]
fn the_layers_hold() {
    let mut tree = Tree::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "", &mut tree);
    // A scan that saw nothing would be green as well.
    for (layer, _) in LAYERS {
        assert!(tree.keys().any(|path| layer_of(path) == Some(layer)), "no source of the layer `{layer}`");
    }
    let found = violations(&tree);
    assert!(found.is_empty(), "{}", found.iter().fold(String::new(), |all, one| all + "\n  " + one));
}

#[test]
fn a_planted_violation_is_found() {
    let lib = "pub mod a; pub use environment::{Environment, Service as Alias};";
    let cases: &[(&str, &str, &str)] = &[
        ("slo/judge.rs", "use crate::report::Report;", "slo may not import report"),
        ("units/mod.rs", "use crate::model::Fault;", "units may not import model"),
        ("slo/a.rs", "use crate::{units::Percent, report::{Report}};", "slo may not import report"),
        ("engine/mod.rs", "fn f() { crate::inject::injector_for(); }", "engine may not import inject"),
        ("engine/a/b.rs", "use super::super::super::sys::env;", "engine may not import sys"),
        ("port/a.rs", "use super::{super::slo::Verdict, Clock};", "port may not import slo"),
        ("sys/a.rs", "use crate::Environment;", "sys may not import environment"),
        ("probe/a.rs", "use crate::prelude::*;", "probe may not import run"),
        (
            "model/a.rs",
            "mod tests { use super::super::super::stats::SplitMix; }",
            "model may not import stats",
        ),
        ("model/a.rs", "use std::{fmt, fs};", "model may not touch std::fs"),
        ("stats/a.rs", "fn f() { std::time::Instant::now(); }", "stats may not touch std::time::Instant"),
        ("report/a.rs", "use tokio::sync::watch;", "report may not touch tokio"),
        ("engine/a.rs", "matches!(fault, Fault::CpuExhaust { .. })", "names Fault::CpuExhaust"),
        (
            "inject/network_delay.rs",
            "let Fault::NetworkLoss { .. } = fault else { return };",
            "names Fault::NetworkLoss",
        ),
        ("secrets/mod.rs", "", "is in no layer"),
        ("run/a.rs", "use crate::__private::Test;", "run may not import __private"),
    ];
    for (path, text, expected) in cases {
        let tree = tree(&[("lib.rs", lib), (path, text)]);
        let found = violations(&tree);
        assert!(found.len() == 1 && found[0].contains(expected), "{path}: {text}\n{found:?}");
    }
    let long = "\n".repeat(LONGEST + 1);
    assert_eq!(violations(&tree(&[("units/a.rs", &long)])).len(), 1);
}

#[test]
fn what_is_allowed_is_not_found() {
    let cases: &[(&str, &str)] = &[
        ("slo/a.rs", "use super::{Baseline, verdict}; use crate::{model::Fault, stats::SplitMix};"),
        ("slo/a.rs", "//! See [`crate::report`].\n/* crate::report /* nested */ std::fs */ fn f() {}"),
        (
            "slo/a.rs",
            r###"const A: &str = "crate::report"; const B: &str = r#"std::fs " x"#; const C: char = '"';"###,
        ),
        ("slo/a.rs", "fn f<'a>(text: &'a str) -> char { '\\'' }"),
        ("slo/a.rs", "mod tests { use super::report_of; use super::super::judge; }"),
        ("units/a.rs", "pub(crate) fn f() {} macro_rules! m { () => { $crate::units::f() } }"),
        ("units/a.rs", "const A: &str = env!(\"CARGO_MANIFEST_DIR\"); use std::time::Duration;"),
        ("inject/network_delay.rs", "let Fault::NetworkDelay { .. } = fault else { return };"),
        ("engine/tests.rs", "let fault = Fault::CpuExhaust { workers };"),
        ("run/a.rs", "use crate::{Environment as Other, report::Report}; use std::fs;"),
        ("bin/cargo-chaos/main.rs", "use chaos_test::report::Report; use std::fs;"),
    ];
    for (path, text) in cases {
        let found = violations(&tree(&[("lib.rs", "pub use environment::Environment;"), (path, text)]));
        assert!(found.is_empty(), "{path}: {text}\n{found:?}");
    }
}

fn tree(files: &[(&str, &str)]) -> Tree {
    files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
}

fn read(dir: &Path, below: &str, tree: &mut Tree) {
    for entry in fs::read_dir(dir).expect("the sources can be listed") {
        let entry = entry.expect("the sources can be listed");
        let path = format!("{below}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            read(&entry.path(), &format!("{path}/"), tree);
        } else if path.ends_with(".rs") {
            tree.insert(path, fs::read_to_string(entry.path()).expect("a source is UTF-8"));
        }
    }
}

fn violations(tree: &Tree) -> Vec<String> {
    let exports = exports(tree.get("lib.rs").map_or("", String::as_str));
    let mut found = Vec::new();
    for (path, text) in tree {
        let lines = text.lines().count();
        if lines > LONGEST {
            found.push(format!("{path} has {lines} lines, more than {LONGEST}: split it by noun"));
        }
        // The root only declares and re-exports; the binary sees the library from outside.
        if path == "lib.rs" || path.starts_with("bin/") {
            continue;
        }
        let Some(layer) = layer_of(path) else {
            found.push(format!("{path} is in no layer: give it a row in LAYERS and in docs/architecture.md"));
            continue;
        };
        check(path, layer, &code(text), &exports, &mut found);
    }
    found
}

fn check(path: &str, layer: &str, code: &str, exports: &BTreeMap<String, String>, found: &mut Vec<String>) {
    let mut tell = |what: String| {
        let what = format!("{path}: {what}");
        if !found.contains(&what) {
            found.push(what);
        }
    };
    let allowed = LAYERS.iter().find(|(name, _)| *name == layer).map_or(&[][..], |(_, allowed)| allowed);
    let tokens = tokens(code);
    let crates = EFFECTS.iter().filter_map(|effect| effect.split("::").next());
    let others: Vec<&str> = crates.chain(["Fault"]).collect();
    for Named { path: named, local, in_tests } in names(&tokens, &module_of(path), &others) {
        let head = named.first().map_or("", String::as_str);
        if local {
            let target = exports.get(head).map_or(head, String::as_str);
            let target = if target == "prelude" { "run" } else { target };
            let known = LAYERS.iter().any(|(name, _)| *name == target);
            if known && target != layer && !allowed.contains(&target) {
                tell(format!("{layer} may not import {target} ({})", named.join("::")));
            }
        } else if PURE.contains(&layer) {
            let whole = named.join("::") + "::";
            if let Some(effect) = EFFECTS.iter().find(|effect| whole.starts_with(&format!("{effect}::"))) {
                tell(format!("{layer} may not touch {effect}"));
            }
        }
        if let [.., fault, variant] = named.as_slice()
            && fault == "Fault"
            && variant.starts_with(char::is_uppercase)
            && !in_tests
            && !may_look_at(path, variant)
        {
            tell(format!("names Fault::{variant}: only inject/mod.rs chooses by the family of a fault"));
        }
    }
}

fn may_look_at(path: &str, variant: &str) -> bool {
    let family: String =
        variant.chars().flat_map(|c| [c.is_uppercase().then_some('_'), Some(c)]).flatten().collect();
    let own = format!("inject/{}.rs", family.trim_start_matches('_').to_lowercase());
    path.starts_with("model/")
        || path == "inject/mod.rs"
        || path == own
        || MAY_LOOK_AT.contains(&(path, variant))
}

/// The layer a file below `src/` belongs to.
fn layer_of(path: &str) -> Option<&'static str> {
    let first = path.split('/').next().unwrap_or(path);
    let name = first.strip_suffix(".rs").unwrap_or(first);
    LAYERS.iter().map(|(layer, _)| *layer).find(|layer| *layer == name)
}

/// The module path of a file: `slo/judge.rs` is `slo::judge`, `slo/mod.rs` is `slo`.
fn module_of(path: &str) -> Vec<String> {
    let path = path.strip_suffix(".rs").unwrap_or(path);
    let path = path.strip_suffix("/mod").unwrap_or(path);
    path.split('/').map(str::to_owned).collect()
}

/// What `lib.rs` re-exports at the root: name to layer.
fn exports(lib: &str) -> BTreeMap<String, String> {
    let code = code(lib);
    let tokens = tokens(&code);
    let mut exports = BTreeMap::new();
    for at in (0..tokens.len()).filter(|at| tokens[*at] == "use") {
        let mut paths = Vec::new();
        expand(&tokens, &mut (at + 1), &[], &mut paths);
        for path in paths {
            if let [layer, .., name] = path.as_slice() {
                exports.insert(name.clone(), layer.clone());
            }
        }
    }
    exports
}
