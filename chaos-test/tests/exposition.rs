//! What Prometheus reads of a report: well formed whatever the records say, no series twice, nothing for what is unknown.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "test code may touch files, processes and the clock"
)]

mod arbitrary;
#[path = "exposition/documented.rs"]
mod documented;
#[path = "exposition/hostile.rs"]
mod hostile;
#[path = "exposition/strict.rs"]
mod strict;
mod synthetic;

use chaos_test::model::{BodyEnd, Outcome, Stage};
use chaos_test::report::{Report, Summary, Unreadable, render};
use strict::{Document, parse};
use synthetic::{Story, delayed, ms};

pub(crate) fn document(reports: Vec<Report>) -> Document {
    parse(&render::prometheus(&Summary::of(reports)))
}

fn passing() -> Story {
    Story::new("survives").chaos(delayed)
}

const PASSING: &[(&str, &str)] = &[
    ("scenario", "Medium Network Delay"),
    ("type", "network_delay"),
    ("intensity", "medium"),
    ("environment", "staging"),
    ("test", "survives"),
    ("binary", "shop::checkout"),
];

#[test]
fn every_figure_of_a_test_has_its_series() {
    let document = document(vec![passing().report()]);
    let one = |name: &str, more: &[(&str, &str)]| document.value(name, &[PASSING, more].concat());
    assert_eq!(one("chaos_scenario_success", &[]), Some(1.0));
    assert_eq!(one("chaos_slo_passed", &[]), Some(1.0));
    assert_eq!(one("chaos_slo_violations_count", &[]), Some(0.0));
    assert_eq!(one("chaos_scenario_duration_seconds", &[]), Some(44.0));
    assert_eq!(one("chaos_run_timestamp_seconds", &[]), Some(1_750_000_000.0));
    assert_eq!(one("chaos_test_verdict", &[("verdict", "pass")]), Some(1.0));
    let stream = &[("stream", "app")];
    assert_eq!(one("chaos_error_rate_percent", stream), Some(0.0));
    assert_eq!(one("chaos_availability_percent", stream), Some(100.0));
    assert_eq!(one("chaos_latency_degradation_ms", stream), Some(200.0));
    assert_eq!(one("chaos_recovery_time_seconds", stream), Some(0.006));
    assert_eq!(one("chaos_mttr_seconds", stream), None, "there was no outage");
    let dose = &[("mechanism", "proxy"), ("unit", "seconds")];
    assert_eq!(one("chaos_fault_dose_ratio", dose), Some(0.2004 / 0.2));
    assert_eq!(one("chaos_fault_checks_ratio", dose), Some(1.0));
    let latency = &[
        ("stream", "app"),
        ("objective", "latency_degradation"),
        ("severity", "blocking"),
        ("bound", "max"),
        ("unit", "seconds"),
    ];
    assert_eq!(one("chaos_objective_limit", latency), Some(0.5));
    let near = one("chaos_objective_measured_ratio", latency).map(|ratio| (ratio - 0.4).abs() < 1e-9);
    assert_eq!(near, Some(true));
    let availability = &[
        ("stream", "app"),
        ("objective", "availability"),
        ("severity", "blocking"),
        ("bound", "min"),
        ("unit", "percent"),
    ];
    assert_eq!(one("chaos_objective_limit", availability), Some(95.0));
    assert_eq!(one("chaos_objective_measured_ratio", availability), Some(100.0 / 95.0));
    for (name, count) in [("total", 1.0), ("successful", 1.0), ("failed", 0.0), ("skipped", 0.0)] {
        let name = format!("chaos_scenarios_{name}");
        assert_eq!(document.value(&name, &[("environment", "staging")]), Some(count), "{name}");
    }
    assert_eq!(document.value("chaos_records_unreadable", &[]), Some(0.0));
}

#[test]
fn what_was_broken_is_counted_and_an_outage_has_its_time() {
    let down = Story::new("goes_down").chaos(|n, sample| {
        if n >= 500 {
            sample.outcome = Outcome::ConnectError;
        }
    });
    let document = document(vec![down.report()]);
    let broken = document.only("chaos_slo_violations_count");
    assert!(broken >= 2.0, "{broken}");
    assert_eq!(document.only("chaos_slo_passed"), 0.0);
    assert_eq!(document.only("chaos_error_rate_percent"), 50.0);
    assert!((10.0..10.2).contains(&document.only("chaos_mttr_seconds")));
    assert!(document.only("chaos_availability_percent") < 80.0);
}

#[test]
fn what_is_not_known_has_no_series() {
    // A dry run: nothing was injected, and nothing is known of the service under the fault.
    let dry = document(vec![passing().dry().report()]);
    assert_eq!(dry.only("chaos_scenarios_skipped"), 1.0);
    assert_eq!(dry.only("chaos_scenarios_total"), 0.0);
    // It did not even begin.
    let error = document(vec![Story::new("t").trouble(Stage::Setup, "no").report()]);
    assert_eq!(error.only("chaos_scenario_success"), 0.0);
    for (document, verdict) in [(&dry, "skipped"), (&error, "error")] {
        assert!(document.values("chaos_test_verdict").any(|(labels, _)| labels["verdict"] == verdict));
        for name in [
            "chaos_mttr_seconds",
            "chaos_error_rate_percent",
            "chaos_availability_percent",
            "chaos_latency_degradation_ms",
            "chaos_recovery_time_seconds",
            "chaos_slo_passed",
            "chaos_slo_violations_count",
            "chaos_slo_warnings",
            "chaos_fault_dose_ratio",
            "chaos_objective_measured_ratio",
        ] {
            assert_eq!(document.values(name).count(), 0, "{verdict}: {name}");
        }
    }
    assert_eq!(dry.values("chaos_scenario_success").count(), 0);
    // The samples were late: nobody knows whether an objective was broken, and the test fails all the same.
    let unsure = document(vec![passing().chaos(|_, sample| sample.lag = ms(45)).report()]);
    assert_eq!(unsure.only("chaos_scenario_success"), 0.0);
    assert_eq!(unsure.values("chaos_slo_passed").count(), 0);
    // The body failed, the objectives held.
    let body = document(vec![passing().body(BodyEnd::Failed("no".into())).report()]);
    assert_eq!((body.only("chaos_slo_passed"), body.only("chaos_scenario_success")), (1.0, 0.0));
    // A witness that read nothing.
    let blind = passing().with(|story| {
        let delivery = story.trace.delivery.as_mut().unwrap();
        delivery.readings.clear();
        delivery.failed_readings = 4;
    });
    let blind = document(vec![blind.report()]);
    assert_eq!(blind.values("chaos_fault_dose_ratio").count(), 0);
    assert_eq!(blind.only("chaos_fault_checks_ratio"), 0.0);
}

#[test]
fn a_witness_of_nonsense_has_no_series() {
    let nonsense = passing().with(|story| {
        let readings = &mut story.trace.delivery.as_mut().unwrap().readings;
        readings.iter_mut().for_each(|reading| reading.measured = f64::NAN);
    });
    let document = document(vec![nonsense.report()]);
    assert_eq!(document.values("chaos_fault_dose_ratio").count(), 0);
    let endless = passing().with(|story| {
        let delivery = story.trace.delivery.as_mut().unwrap();
        delivery.readings.iter_mut().for_each(|reading| reading.measured = f64::MAX);
    });
    let text = render::prometheus(&Summary::of(vec![endless.report()]));
    assert!(!text.contains("inf") && !text.contains("NaN"), "{text}");
}

#[test]
fn of_one_test_in_several_runs_the_last_one_counts_whole() {
    let earlier = passing().chaos(|n, sample| {
        if n >= 500 {
            sample.outcome = Outcome::ConnectError;
        }
    });
    let later = passing().with(|story| {
        story.run_id = "a-run".into();
        story.started_at += 86_400.0;
    });
    for reports in
        [vec![earlier.clone().report(), later.clone().report()], vec![later.report(), earlier.report()]]
    {
        let document = document(reports);
        assert_eq!(document.only("chaos_scenario_success"), 1.0);
        assert_eq!(document.only("chaos_scenarios_total"), 1.0);
        assert_eq!(document.only("chaos_records_superseded"), 1.0);
        assert_eq!(document.only("chaos_run_timestamp_seconds"), 1_750_086_400.0);
        assert_eq!(document.values("chaos_mttr_seconds").count(), 0, "the outage was another run's");
    }
}

#[test]
fn tests_of_one_name_are_told_apart_by_their_programs() {
    let other = |binary: &str| {
        let mut report = passing().report();
        report.binary = binary.into();
        report
    };
    let document = document(vec![other("shop::checkout"), other("shop::cart"), other("")]);
    assert_eq!(document.values("chaos_scenario_success").count(), 3);
    assert_eq!(document.only("chaos_scenarios_total"), 3.0);
}

#[test]
fn a_report_without_a_record_says_so() {
    let none = Summary::of(Vec::new());
    let text = render::prometheus(&none);
    assert_eq!(parse(&text).names(), ["chaos_records_unreadable", "chaos_records_superseded"]);
    let damaged = Unreadable { file: "a.json".into(), reason: "cut short".into() };
    let text = render::prometheus(&none.with_unreadable(vec![damaged]));
    assert_eq!(parse(&text).only("chaos_records_unreadable"), 1.0);
}
