//! Pushed to a real Pushgateway, scraped by a real Prometheus, and asked for.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::assets::{RULES, choices, dashboard, queries};
use crate::pushed::push;
use crate::sandbox::Sandbox;
use crate::servers::{Server, programs_or_skip};
use crate::{cannot_tell, goes_down, passes, undelivered};

/// What Grafana puts for a variable where all of it is chosen: new lines too are of a name.
const ANY: &str = "(?s).*";
const ALL: [(&str, &str); 3] = [("environment", ANY), ("scenario", ANY), ("test", ANY)];
const ODD: &str = "is \"odd\"\\\n{}";

fn labels<'v>(found: &'v [Value], label: &str) -> BTreeSet<&'v str> {
    found.iter().filter_map(|series| series["metric"][label].as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_pushed_is_shown_and_alerted() {
    let Some(programs) = programs_or_skip() else { return };
    let gateway = Server::pushgateway(&programs);
    let prometheus = Server::prometheus(&programs, &gateway, RULES);
    let sandbox = Sandbox::new();
    for (n, story) in [
        passes("survives"),
        goes_down("goes_down"),
        cannot_tell("late"),
        undelivered("unharmed"),
        passes("dry").dry(),
        passes(ODD),
    ]
    .into_iter()
    .enumerate()
    {
        sandbox.keep_as(&story.report(), &format!("record-{n}"));
    }
    let ended =
        push(&sandbox, &gateway.url, &["--job-name", "shop/nightly", "--group-label", "shard=1"], &[]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        ended.stderr.ends_with(&format!(
            "metrics pushed to {}/metrics/job@base64/c2hvcC9uaWdodGx5/shard/1\n",
            gateway.url
        )),
        "{ended:?}"
    );

    // The figures, as Prometheus has them.
    prometheus
        .until("count(chaos_test_verdict)", |found| found.first().is_some_and(|n| n["value"][1] == "6"))
        .await;
    let verdicts = prometheus.query("chaos_test_verdict").await.unwrap();
    assert_eq!(labels(&verdicts, "job"), ["shop/nightly"].into());
    assert_eq!(labels(&verdicts, "shard"), ["1"].into());
    assert_eq!(labels(&verdicts, "environment"), ["staging"].into());
    assert_eq!(labels(&verdicts, "verdict"), ["fail", "inconclusive", "pass", "skipped"].into());
    assert_eq!(labels(&verdicts, "test"), ["dry", "goes_down", ODD, "late", "survives", "unharmed"].into());
    for (expr, value) in [
        ("chaos_error_rate_percent{test='goes_down', stream='app'}", Some(10.0)),
        ("chaos_latency_degradation_ms{test='survives'}", Some(200.0)),
        ("chaos_recovery_time_seconds{test='survives'}", Some(0.006)),
        ("chaos_mttr_seconds{test='survives'}", None),
        ("chaos_availability_percent{test='survives'}", Some(100.0)),
        (
            "chaos_slo_passed{test='survives', scenario='Medium Network Delay', type='network_delay'}",
            Some(1.0),
        ),
        ("chaos_slo_passed{test='goes_down', intensity='medium', binary='shop::checkout'}", Some(0.0)),
        ("chaos_slo_passed{test='late'}", None),
        ("chaos_scenario_success{test='dry'}", None),
        ("chaos_scenario_duration_seconds{test='survives'}", Some(44.0)),
        ("chaos_fault_dose_ratio{test='unharmed'}", Some(0.25)),
        ("chaos_scenarios_total", Some(5.0)),
        ("chaos_scenarios_successful", Some(2.0)),
        ("chaos_scenarios_failed", Some(3.0)),
        ("chaos_scenarios_skipped", Some(1.0)),
        ("chaos_records_unreadable", Some(0.0)),
    ] {
        assert_eq!(prometheus.number(expr).await, value, "{expr}");
    }
    every_panel_shows_something(&prometheus).await;
    every_rule_can_be_evaluated(&prometheus).await;

    // The next push replaces all of it: what was broken is not shown for ever.
    let second = Sandbox::new();
    second.keep(&passes("survives").report());
    let ended = push(&second, &gateway.url, &["--job-name", "shop/nightly", "--group-label", "shard=1"], &[]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    prometheus
        .until("count(chaos_test_verdict)", |found| found.first().is_some_and(|n| n["value"][1] == "1"))
        .await;
    assert_eq!(prometheus.number("sum(chaos_slo_violations_count)").await, Some(0.0));
    // Another group stays beside it.
    let ended = push(&second, &gateway.url, &["--job-name", "shop/nightly", "--group-label", "shard=2"], &[]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    prometheus
        .until("count(chaos_test_verdict)", |found| found.first().is_some_and(|n| n["value"][1] == "2"))
        .await;
}

async fn every_panel_shows_something(prometheus: &Server) {
    let dashboard = dashboard();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let (from, to) = ((now - 60).to_string(), (now + 1).to_string());
    for query in queries(&dashboard, &ALL) {
        let found = prometheus.query(&query.expr).await;
        let found = found.unwrap_or_else(|error| panic!("{}: {}: {error}", query.panel, query.expr));
        assert!(!found.is_empty(), "{} shows nothing: {}", query.panel, query.expr);
        // As a graph asks for it.
        let range = [("query", query.expr.as_str()), ("start", &from), ("end", &to), ("step", "1")];
        let range = prometheus.get("/api/v1/query_range", &range).await;
        let range = range.unwrap_or_else(|error| panic!("{}: {}: {error}", query.panel, query.expr));
        assert!(
            !range["result"].as_array().unwrap().is_empty(),
            "{} has no graph: {}",
            query.panel,
            query.expr
        );
    }
    for (variable, selector, label) in choices(&dashboard, &ALL) {
        let found = prometheus.query(&selector).await.unwrap();
        assert_eq!((variable.as_str(), labels(&found, &label).is_empty()), (label.as_str(), false));
    }
    // Of all that ran, and of one that was chosen.
    let pass_rate = |choice: &[(&str, &str)]| {
        let found = queries(&dashboard, choice).into_iter().find(|query| query.panel == "Pass rate");
        found.unwrap().expr
    };
    assert_eq!(prometheus.number(&pass_rate(&ALL)).await, Some(0.4));
    let one = [("environment", "staging"), ("scenario", "Medium Network Delay"), ("test", "survives")];
    assert_eq!(prometheus.number(&pass_rate(&one)).await, Some(1.0));
    let none = [("environment", "production"), ("scenario", ANY), ("test", ANY)];
    assert_eq!(prometheus.number(&pass_rate(&none)).await, None);
}

async fn every_rule_can_be_evaluated(prometheus: &Server) {
    // Of three tests, one, two, one, and of the environment.
    prometheus.until("ALERTS", |found| found.len() == 8).await;
    let found = prometheus.get("/api/v1/rules", &[]).await.unwrap();
    let rules = found["groups"][0]["rules"].as_array().unwrap();
    assert_eq!(rules.len(), 8);
    for rule in rules {
        // Each was evaluated before there was anything, too.
        assert_eq!(rule["health"], "ok", "{rule}");
        let expr = rule["query"].as_str().unwrap();
        prometheus.query(expr).await.unwrap_or_else(|error| panic!("{expr}: {error}"));
    }
    let alerts = prometheus.query("ALERTS").await.unwrap();
    let of = |name: &str| {
        let alerts = alerts.iter().filter(|alert| alert["metric"]["alertname"] == name);
        labels(&alerts.cloned().collect::<Vec<_>>(), "test")
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(of("ChaosScenarioFailed"), ["goes_down", "late", "unharmed"]);
    assert_eq!(of("ChaosSloViolated"), ["goes_down"]);
    assert_eq!(of("ChaosInconclusive"), ["late", "unharmed"]);
    assert_eq!(of("ChaosFaultNotDelivered"), ["unharmed"]);
    // The stories are of 2025.
    assert!(labels(&alerts, "alertname").contains("ChaosNoRecentRun"));
    assert!(!labels(&alerts, "alertname").contains("ChaosMetricsMissing"));
}

#[test]
fn a_locked_pushgateway_opens_to_the_header_and_to_the_login() {
    let Some(programs) = programs_or_skip() else { return };
    let gateway = Server::locked_pushgateway(&programs);
    let sandbox = Sandbox::new();
    sandbox.keep(&passes("survives").report());
    let refused = push(&sandbox, &gateway.url, &[], &[]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(
        refused.stderr.contains("in one try") && refused.stderr.contains("401 Unauthorized"),
        "{refused:?}"
    );
    let header = ("CHAOS_TEST_PUSHGATEWAY_AUTH", "Basic YWxpY2U6YWxpY2UxMjM=");
    let opened = push(&sandbox, &gateway.url, &[], &[header]);
    assert_eq!(opened.code, Some(0), "{opened:?}");
    let with_login = gateway.url.replace("http://", "http://alice:alice123@");
    let opened = push(&sandbox, &with_login, &[], &[]);
    assert_eq!(opened.code, Some(0), "{opened:?}");
    assert!(!format!("{opened:?}").contains("alice"), "{opened:?}");
}
