//! `docs/metrics.md` and the code say the same.

use std::collections::BTreeSet;
use std::fs;

use chaos_test::model::Outcome;
use chaos_test::report::render::METRICS;

use crate::document;
use crate::synthetic::{Story, delayed};

fn page() -> String {
    fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/metrics.md")).unwrap()
}

/// The cells of every row of its tables that begins with a metric.
fn rows(page: &str) -> Vec<Vec<&str>> {
    let rows = page.lines().filter(|line| line.starts_with("| `chaos_"));
    rows.map(|row| row.trim_matches('|').split(" | ").map(str::trim).collect()).collect()
}

fn in_quotes(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[test]
fn every_metric_is_documented_with_its_labels_and_no_other() {
    let page = page();
    let documented: Vec<(&str, Vec<&str>)> =
        rows(&page).iter().map(|cells| (in_quotes(cells[0])[0], in_quotes(cells[1]))).collect();
    let common = ["scenario", "type", "intensity", "environment", "test", "binary"];
    for metric in METRICS {
        let labels: Vec<&str> = metric.labels();
        // Those that every series of a test has are named once.
        let shown = match labels.strip_prefix(&common) {
            Some(own) => [&["test labels"][..], own].concat(),
            None => labels.clone(),
        };
        let found: Vec<_> = documented.iter().filter(|(name, _)| *name == metric.name).collect();
        assert_eq!(found.len(), 1, "{} has {} rows", metric.name, found.len());
        assert_eq!(found[0].1, shown, "{}", metric.name);
    }
    assert_eq!(documented.len(), METRICS.len(), "a metric is documented that there is not");
    let listed = page.lines().find(|line| line.starts_with("**Test labels**")).unwrap();
    assert_eq!(in_quotes(listed), common);
}

#[test]
fn every_metric_is_written_and_its_unit_is_said() {
    let outage = Story::new("t").chaos(|n, sample| {
        delayed(n, sample);
        if n >= 900 {
            sample.outcome = Outcome::ConnectError;
        }
    });
    let document = document(vec![outage.report()]);
    let names: Vec<&str> = METRICS.iter().map(|metric| metric.name).collect();
    assert_eq!(document.names(), names);
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    for metric in METRICS {
        for (suffix, unit) in [
            ("_seconds", "in seconds"),
            ("_percent", "in percent"),
            ("_ms", "in milliseconds"),
            ("_ratio", "ratio"),
        ] {
            assert!(
                !metric.name.ends_with(suffix) || metric.help.contains(unit),
                "{}: {}",
                metric.name,
                metric.help
            );
        }
    }
}
