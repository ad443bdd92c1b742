//! The dashboard and the rules as files: what they ask for is there, and is what they can be loaded with.

use std::collections::{BTreeMap, BTreeSet};

use chaos_test::report::render::METRICS;
use serde_json::Value;

pub(crate) const DASHBOARD: &str = include_str!("../../assets/grafana/chaos-test.json");
pub(crate) const RULES: &str = include_str!("../../assets/prometheus/chaos-test.rules.yml");
pub(crate) const RULE_TESTS: &str = include_str!("../../assets/prometheus/chaos-test.rules.test.yml");

/// A query of the dashboard, with its panel's title.
pub(crate) struct Query {
    pub(crate) panel: String,
    pub(crate) expr: String,
}

pub(crate) fn dashboard() -> Value {
    serde_json::from_str(DASHBOARD).unwrap()
}

pub(crate) fn panels(dashboard: &Value) -> &Vec<Value> {
    dashboard["panels"].as_array().unwrap()
}

/// Every query of every panel, its variables replaced.
pub(crate) fn queries(dashboard: &Value, values: &[(&str, &str)]) -> Vec<Query> {
    let of_panel = |panel: &Value| {
        let title = panel["title"].as_str().unwrap().to_owned();
        let targets = panel["targets"].as_array().unwrap().clone();
        targets.into_iter().map(move |target| Query {
            panel: title.clone(),
            expr: replaced(target["expr"].as_str().unwrap(), values),
        })
    };
    panels(dashboard).iter().flat_map(of_panel).collect()
}

fn replaced(text: &str, values: &[(&str, &str)]) -> String {
    let text =
        values.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("${name}"), value));
    assert!(!text.contains('$'), "a variable that there is not: {text}");
    text
}

/// What the choices of each variable are made of: the variable, a selector, the label.
pub(crate) fn choices(dashboard: &Value, values: &[(&str, &str)]) -> Vec<(String, String, String)> {
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    let of_queries = variables.iter().filter(|variable| variable["type"] == "query");
    let parts = of_queries.map(|variable| {
        let query = variable["query"]["query"].as_str().unwrap();
        let inside = query.strip_prefix("label_values(").unwrap().strip_suffix(')').unwrap();
        let (selector, label) = inside.rsplit_once(", ").unwrap();
        (variable["name"].as_str().unwrap().to_owned(), replaced(selector, values), label.to_owned())
    });
    parts.collect()
}

/// The metrics that a text names.
fn metrics_in(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !(c.is_ascii_lowercase() || c == '_'))
        .filter(|word| word.starts_with("chaos_"))
        .collect()
}

#[test]
fn the_dashboard_is_whole() {
    let dashboard = dashboard();
    let mut ids = BTreeSet::new();
    let mut taken: BTreeMap<(u64, u64), &str> = BTreeMap::new();
    for panel in panels(&dashboard) {
        let title = panel["title"].as_str().unwrap();
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{title}: its id is another's");
        assert!(
            ["stat", "table", "timeseries", "bargauge"].contains(&panel["type"].as_str().unwrap()),
            "{title}"
        );
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{title}");
        assert!(!panel["description"].as_str().unwrap().is_empty(), "{title}");
        let place = |key: &str| panel["gridPos"][key].as_u64().unwrap();
        assert!(place("x") + place("w") <= 24, "{title} is out of the grid");
        for x in place("x")..place("x") + place("w") {
            for y in place("y")..place("y") + place("h") {
                let other = taken.insert((x, y), title);
                assert_eq!(other, None, "{title} covers another");
            }
        }
        for target in panel["targets"].as_array().unwrap() {
            assert_eq!(target["datasource"]["uid"], "${datasource}", "{title}");
            let expr = target["expr"].as_str().unwrap();
            let all = ["$environment", "$scenario", "$test"].iter().all(|variable| expr.contains(variable));
            assert!(all || title == "Unreadable records", "{title} does not go by what is chosen: {expr}");
        }
    }
    for variable in dashboard["templating"]["list"].as_array().unwrap().iter().skip(1) {
        assert_eq!(variable["allValue"], "(?s).*", "{variable}");
    }
    let variables: Vec<&str> = dashboard["templating"]["list"]
        .as_array()
        .unwrap()
        .iter()
        .map(|variable| variable["name"].as_str().unwrap())
        .collect();
    assert_eq!(variables, ["datasource", "environment", "scenario", "test"]);
}

#[test]
fn only_metrics_that_there_are_are_asked_for() {
    let known: BTreeSet<&str> = METRICS.iter().map(|metric| metric.name).collect();
    for text in [DASHBOARD, RULES, RULE_TESTS] {
        let named = metrics_in(text);
        assert!(!named.is_empty() && named.is_subset(&known), "{:?}", named.difference(&known));
    }
    let shown = metrics_in(DASHBOARD);
    for name in
        ["chaos_error_rate_percent", "chaos_fault_dose_ratio", "chaos_mttr_seconds", "chaos_objective_limit"]
    {
        assert!(shown.contains(name), "{name}");
    }
}

#[test]
fn every_alert_has_a_test_in_which_it_fires_and_one_in_which_it_does_not() {
    let alerts: Vec<&str> = RULES.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert_eq!(alerts.len(), 8);
    for alert in alerts {
        let cases = RULE_TESTS.split("alertname: ").filter(|case| case.lines().next() == Some(alert));
        let (still, fires): (Vec<&str>, Vec<&str>) =
            cases.partition(|case| case.lines().nth(1).unwrap().contains("exp_alerts: []"));
        assert!(!still.is_empty() && !fires.is_empty(), "{alert}");
    }
}
