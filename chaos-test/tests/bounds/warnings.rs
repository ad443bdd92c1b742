use chaos_test::model::{Bounds, LatencyBounds, Severity};
use chaos_test::report::{Report, Summary, render};
use chaos_test::slo::{Judgement, Verdict, judge};
use insta::assert_snapshot;

use super::percent;
use super::synthetic::{Story, delayed, ms};

/// 200 ms more under the fault, and a warning from 100 ms on.
fn warned() -> Story {
    Story::new("survives").chaos(delayed).with(|story| {
        story.slo.objectives.warnings =
            Bounds { latency_degradation: Some(ms(100)), error_rate: percent(2.0), ..Bounds::default() };
    })
}

#[test]
fn a_warning_that_is_broken_is_told_and_fails_nothing() {
    let report = warned().report();
    assert_eq!((report.verdict(), report.passed()), (Verdict::Pass, true));
    assert_eq!(report.judgement.warnings().len(), 1);
    assert!(report.judgement.broken().is_empty() && report.judgement.reasons.is_empty());
    assert_snapshot!(report.text(), @r#"
    SLO "staging" held under "Medium Network Delay", with a warning: p95 latency degradation 200 ms > 100 ms

      objective                  limit      measured (99.9 % interval)   verdict   samples
      error rate                 ≤ 5 %      0 % (0 % … 0.76 %)           pass      n = 1000
      availability               ≥ 95 %     100 %                        pass
      worst time to recover      ≤ 45 s     no outage                    pass
      recovery time              ≤ 10 s     under 20 ms (0 s … 26 ms)    pass
      p95 degradation            ≤ 500 ms   200 ms                       pass      n = 1000
      error rate, warning        ≤ 2 %      0 % (0 % … 0.76 %)           pass      n = 1000
      p95 degradation, warning   ≤ 100 ms   200 ms                       WARNING   n = 1000, 1000 over the limit

      fault      network_delay 200 ms on app by proxy (stream): asked 200.0 ms, measured 200.4 ms in 20 of 20 checks
      timeline   baseline 10.0 s │ inject 10 ms │ chaos 20.0 s │ revert 4 ms │ recovered within 20 ms
      record     target/chaos-test/run-1/shop__checkout__survives.json
      rerun      cargo nextest run -E 'binary_id(=shop::checkout) & test(=survives)'
    "#);
}

#[test]
fn every_report_has_the_warning() {
    let summary = Summary::of(vec![warned().report()]);
    assert!(summary.passed());
    assert_eq!(summary.sentence(), "1 of 1 test passed, 1 warning");
    assert!(summary.violations().is_empty());
    let markdown = render::markdown(&summary);
    let warnings = markdown.split("## Warnings").nth(1).and_then(|rest| rest.split("##").next()).unwrap();
    assert_snapshot!(warnings.trim(), @"
    | test | objective | limit | measured |
    |---|---|---|---|
    | `survives` | p95 degradation, warning | ≤ 100 ms | 200 ms |
    ");
    let validation: serde_json::Value =
        serde_json::from_str(&render::validation_json(&summary, 0.0).unwrap()).unwrap();
    assert_eq!(validation["passed"], true);
    assert_eq!(validation["violations"], serde_json::json!([]));
    assert_eq!(validation["warnings"][0]["objective"], "p95 degradation, warning");
    assert_eq!(validation["slo_targets"][0]["warning"]["max_latency_degradation_ms"], 100.0);
}

#[test]
fn beside_a_failure_a_warning_has_a_line_of_its_own() {
    let report = warned().with(|story| story.slo.objectives.latency.p95 = Some(ms(150))).report();
    assert_eq!(
        report.headline(),
        "SLO \"staging\" breached under \"Medium Network Delay\": p95 latency 210 ms > 150 ms"
    );
    let text = report.text();
    assert!(text.contains("\n  warning    p95 latency degradation 200 ms > 100 ms\n"), "{text}");
}

#[test]
fn an_unclear_warning_is_none() {
    let story = |limit| {
        warned().with(|story| {
            let bounds = &mut story.slo.objectives.warnings;
            (bounds.latency_degradation, bounds.error_rate) = (None, percent(limit));
        })
    };
    // No error in 1000 does not show that there are at most 0.1 %.
    let report = story(0.1).report();
    assert_eq!((report.verdict(), report.judgement.warnings().len()), (Verdict::Pass, 0));
    let row = report.text().lines().find(|line| line.contains(", warning")).unwrap().to_owned();
    assert!(row.contains("unclear"), "{row}");
}

#[test]
fn a_warning_on_an_endpoint_nobody_asked_is_none() {
    let report = warned()
        .with(|story| {
            let bounds = story.slo.objectives.warnings.of_endpoint("GET /menu".parse().unwrap());
            bounds.latency = LatencyBounds { p99: Some(ms(1)), ..LatencyBounds::default() };
        })
        .report();
    assert_eq!((report.verdict(), report.judgement.warnings().len()), (Verdict::Pass, 1));
}

#[test]
fn without_proof_there_are_no_warnings() {
    let report = warned().with(|story| story.trace.delivery = None).report();
    assert_eq!(report.judgement.label(), "Inconclusive(fault not delivered)");
    assert!(report.judgement.warnings().is_empty());
}

/// A record from before there were any of this.
#[test]
fn a_record_without_the_new_fields_is_read_and_judged_the_same() {
    let written = Story::new("survives").chaos(delayed).report();
    let mut json: serde_json::Value = serde_json::from_str(&written.to_json().unwrap()).unwrap();
    let remove = |value: &mut serde_json::Value, keys: &[&str]| {
        for key in keys {
            value.as_object_mut().unwrap().remove(*key).unwrap_or_else(|| panic!("there is no {key}"));
        }
    };
    remove(&mut json["slo"]["objectives"], &["latency", "throughput", "endpoints", "warnings"]);
    remove(&mut json["trace"], &["custom"]);
    for evaluation in json["judgement"]["evaluations"].as_array_mut().unwrap() {
        remove(evaluation, &["severity"]);
    }
    let read = Report::from_json(json.to_string().as_bytes()).unwrap();
    assert_eq!(read, written);
    assert_eq!(judge(&read.trace, &read.slo.objectives), written.judgement);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 64, ..Default::default() })]

    /// Whatever warns: all that decides is as it is without.
    #[test]
    fn warnings_change_nothing_that_decides(
        extra in 0_u64..900,
        bad in 0_usize..1000,
        limits in (0.0..100.0_f64, 0.0..100.0_f64, 1_u64..900, 1_u64..900),
    ) {
        let story = Story::new("t").chaos(move |n, sample| {
            sample.latency += ms(extra);
            if n < bad {
                sample.outcome = chaos_test::model::Outcome::ConnectError;
            }
        });
        let without = story.clone().report();
        let with = story
            .with(|story| {
                story.slo.objectives.warnings = Bounds {
                    error_rate: percent(limits.0),
                    availability: percent(limits.1),
                    latency_degradation: Some(ms(limits.2)),
                    time_to_recover: Some(ms(limits.3)),
                    recovery_time: Some(ms(limits.3)),
                    latency: LatencyBounds { p50: Some(ms(limits.2)), p95: Some(ms(limits.3)), p99: None },
                    ..Bounds::default()
                };
            })
            .report();
        let deciding = |judgement: &Judgement| {
            let mut judgement = judgement.clone();
            judgement.evaluations.retain(|evaluation| evaluation.severity == Severity::Blocking);
            judgement
        };
        proptest::prop_assert_eq!(deciding(&with.judgement), without.judgement.clone());
        proptest::prop_assert_eq!(with.judgement.evaluations.len(), without.judgement.evaluations.len() + 7);
        proptest::prop_assert!(without.judgement.warnings().is_empty());
    }
}
