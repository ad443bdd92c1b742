use std::time::Duration;

use chaos_test::model::{DoorCheck, HostLoad, NoiseWindow, Sham};
use chaos_test::report::{Report, Summary, render};
use insta::assert_snapshot;

use crate::synthetic::{Story, delayed, ms};

/// The lines of a report that begin with one of those words.
fn lines(report: &Report, labels: &[&str]) -> String {
    let text = report.text();
    let wanted = text.lines().filter(|line| labels.iter().any(|label| line.trim_start().starts_with(label)));
    wanted.map(str::trim).collect::<Vec<_>>().join("\n")
}

/// A host that is late by so much in that part of the run, and quiet before and after.
fn late(story: &mut Story, from: u32, to: u32, lag: Duration) {
    let load = HostLoad { pressure: Some(0.71), steal: Some(0.032), running: Some(9) };
    let window =
        |n| NoiseWindow::new(ms(250) * n, ms(250), if (from..to).contains(&n) { lag } else { ms(1) });
    story.trace.noise = (0..172).map(|n| window(n).with(load)).collect();
}

#[test]
fn a_verdict_that_rests_on_noise_says_so() {
    let stalled = |n: usize, sample: &mut chaos_test::model::Sample| {
        sample.latency += if n < 100 { ms(700) } else { ms(0) };
    };
    let report = Story::new("survives").chaos(stalled).with(|story| late(story, 40, 52, ms(240))).report();
    assert_snapshot!(report.headline(), @r#"Inconclusive(noisy host) under "Medium Network Delay": without what the host took from the samples of app this would not be broken; it was late by up to 240 ms, in 12 of 132 quarter seconds, CPU pressure 71 %, 3 % of its time stolen"#);
    assert_snapshot!(lines(&report, &["p95", "host", "hint"]), @r"
    p95 degradation         ≤ 500 ms   698 ms (697 ms … 699 ms)     inconclusive   n = 1000, 100 over the limit
    host       woken 1 ms late, at most 240 ms, too late in 12 of 172 quarter seconds, CPU pressure 71 %, 3 % of its time stolen
    hint       The host was busy with something else: run it where less else runs, or again when it is quiet.
    ");
    let markdown = render::markdown(&Summary::of(vec![report]));
    assert!(markdown.contains("- host: woken 1 ms late, at most 240 ms"), "{markdown}");
}

#[test]
fn a_noisy_baseline_says_what_is_not_known() {
    let report = Story::new("survives").chaos(delayed).with(|story| late(story, 0, 30, ms(80))).report();
    assert_snapshot!(report.headline(), @r#"Inconclusive(noisy host) under "Medium Network Delay": the host was late by up to 80 ms in the baseline, too late in 30 of 40 quarter seconds, CPU pressure 71 %, 3 % of its time stolen, so what is normal for app cannot be told"#);
}

#[test]
fn a_quiet_host_is_not_worth_a_word_and_what_the_harness_costs_is() {
    let quiet = Story::new("survives").with(|story| {
        story.trace.noise = (0..172).map(|n| NoiseWindow::new(ms(250) * n, ms(250), ms(2))).collect();
        story.trace.sham = Some(Sham::None("the baseline is too short for it".into()));
    });
    assert_eq!(lines(&quiet.report(), &["host", "harness"]), "");
    let measured = Story::new("survives")
        .baseline(|n, sample| sample.latency += if n >= 250 { Duration::from_micros(30) } else { ms(0) })
        .with(|story| {
            let detail = "proxy for network_delay 200 ms, at rest".into();
            let (began, from, to) = (ms(5_000), ms(5_010), ms(9_500));
            story.trace.sham = Some(Sham::InPlace { detail, began, from, to });
            let pair = DoorCheck { direct: ms(6), through: Duration::from_micros(6_058) };
            story.trace.door = vec![pair; 30];
        });
    assert_snapshot!(lines(&measured.report(), &["harness"]), @"harness    app +0.03 ms at p50, +0.03 ms at p95 (proxy for network_delay 200 ms, at rest); the front door +0.06 ms at p50, +0.06 ms at p95");
}
