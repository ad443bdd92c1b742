//! Records that mean no good.

use std::collections::BTreeSet;

use chaos_test::report::{Report, Summary, render};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::arbitrary::{objectives, report, trace};
use crate::strict::parse;
use crate::synthetic::{Story, delayed};

fn named(name: &str) -> Report {
    let mut report = Story::new(name).chaos(delayed).report();
    report.scenario.name = name.into();
    report.slo.name = name.into();
    report.binary = name.into();
    report.judgement.streams.iter_mut().for_each(|stream| stream.name = name.into());
    report.judgement.evaluations.iter_mut().for_each(|evaluation| evaluation.stream = name.into());
    report.trace.delivery.as_mut().unwrap().mechanism = name.into();
    report
}

#[test]
fn a_name_stays_in_its_quotes() {
    let cases = [
        ("a\"} 1\nchaos_scenario_success{test=\"forged", "a\"} 1\nchaos_scenario_success{test=\"forged"),
        ("back\\slash\\", "back\\slash\\"),
        ("\\n", "\\n"),
        ("</script><script>", "</script><script>"),
        ("bell\u{7}, return\r, escape\u{1b}[31m, nothing\0", "bell�, return�, escape�[31m, nothing�"),
        ("c1\u{85}", "c1�"),
        ("# HELP x y", "# HELP x y"),
        (" ", " "),
        ("ünï🙂", "ünï🙂"),
    ];
    for (name, shown) in cases {
        let document = parse(&render::prometheus(&Summary::of(vec![named(name)])));
        let (labels, value) = document.values("chaos_error_rate_percent").next().unwrap();
        assert_eq!(value, 0.0);
        for label in ["scenario", "environment", "test", "binary", "stream"] {
            assert_eq!(labels[label], shown);
        }
        assert_eq!(document.only("chaos_fault_dose_ratio"), 0.2004 / 0.2);
    }
    // Names that come to the same labels are one series.
    let document = parse(&render::prometheus(&Summary::of(vec![named("a\u{1}"), named("a\u{2}")])));
    assert_eq!(document.only("chaos_scenario_success"), 1.0);
    assert_eq!(document.only("chaos_scenarios_total"), 1.0);
    // A name that is empty is no label.
    let document = parse(&render::prometheus(&Summary::of(vec![named("")])));
    assert_eq!(document.only("chaos_scenarios_total"), 1.0);
}

#[test]
fn streams_of_one_name_are_told_apart_by_a_number() {
    let mut report = Story::new("t").chaos(delayed).report();
    let stream = report.judgement.streams[0].clone();
    report.judgement.streams.push(stream);
    let rows = report.judgement.evaluations.clone();
    report.judgement.evaluations.extend(rows);
    let name = report.judgement.streams[0].name.clone();
    let document = parse(&render::prometheus(&Summary::of(vec![report])));
    let found = document.values("chaos_error_rate_percent").map(|(labels, _)| labels["stream"].clone());
    assert_eq!(found.collect::<BTreeSet<_>>(), [format!("{name} (2)"), name].into());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn whatever_was_observed_is_well_formed(
        observed in vec((trace(), option::of(objectives())), 1..4),
        runs in vec(0.0..4.0_f64, 3),
    ) {
        let reports = observed.into_iter().zip(runs).map(|((trace, objectives), run)| {
            let mut report = report(trace, objectives);
            report.run_id = format!("run-{}", run as u32);
            report.started_at = if run < 0.2 { f64::NAN } else { run };
            report
        });
        parse(&render::prometheus(&Summary::of(reports.collect())));
    }

    #[test]
    fn whatever_a_name_is_the_document_is_well_formed(names in vec(vec(any::<char>(), 0..20), 1..4)) {
        parse(&render::prometheus(&Summary::of(names.iter().map(|name| named(&String::from_iter(name))).collect())));
    }
}
