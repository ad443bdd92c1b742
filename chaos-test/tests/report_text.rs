//! What a user reads when a chaos test fails. Read these as somebody who is woken by one.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "test code may touch files, processes and the clock"
)]

#[path = "report_text/aborted.rs"]
mod aborted;
#[path = "report_text/body_and_error.rs"]
mod body_and_error;
#[path = "report_text/host.rs"]
mod host;
#[path = "report_text/inconclusive.rs"]
mod inconclusive;
#[path = "report_text/lasting.rs"]
mod lasting;
#[path = "report_text/skipped.rs"]
mod skipped;
mod synthetic;

use chaos_test::model::{Outcome, Phase, Sample, StreamKind};
use chaos_test::report::render;
use chaos_test::slo::{Figure, Indicator};
use insta::assert_snapshot;
use synthetic::{Story, delayed, ms, stream};

#[test]
fn a_pass_shows_what_it_rests_on() {
    let report = Story::new("survives").chaos(delayed).report();
    assert_snapshot!(report.text(), @r#"
    SLO "staging" held under "Medium Network Delay"

      objective               limit      measured (99.9 % interval)   verdict   samples
      error rate              ≤ 5 %      0 % (0 % … 0.76 %)           pass      n = 1000
      availability            ≥ 95 %     100 %                        pass
      worst time to recover   ≤ 45 s     no outage                    pass
      recovery time           ≤ 10 s     under 20 ms (0 s … 26 ms)    pass
      p95 degradation         ≤ 500 ms   200 ms                       pass      n = 1000

      fault      network_delay 200 ms on app by proxy (stream): asked 200.0 ms, measured 200.4 ms in 20 of 20 checks
      timeline   baseline 10.0 s │ inject 10 ms │ chaos 20.0 s │ revert 4 ms │ recovered within 20 ms
      record     target/chaos-test/run-1/shop__checkout__survives.json
      rerun      cargo nextest run -E 'binary_id(=shop::checkout) & test(=survives)'
    "#);
}

#[test]
fn a_fault_without_effect_is_pointed_out() {
    let report = Story::new("survives").report();
    assert_snapshot!(report.text(), @r#"
    SLO "staging" held under "Medium Network Delay"

      objective               limit      measured (99.9 % interval)   verdict   samples
      error rate              ≤ 5 %      0 % (0 % … 0.76 %)           pass      n = 1000
      availability            ≥ 95 %     100 %                        pass
      worst time to recover   ≤ 45 s     no outage                    pass
      recovery time           ≤ 10 s     under 20 ms (0 s … 26 ms)    pass
      p95 degradation         ≤ 500 ms   0 s                          pass      n = 1000

      fault      network_delay 200 ms on app by proxy (stream): asked 200.0 ms, measured 200.4 ms in 20 of 20 checks
      timeline   baseline 10.0 s │ inject 10 ms │ chaos 20.0 s │ revert 4 ms │ recovered within 20 ms
      finding    the fault had no visible effect
      hint       No visible effect: check that the target is on the path that is measured, or raise the dose.
      record     target/chaos-test/run-1/shop__checkout__survives.json
      rerun      cargo nextest run -E 'binary_id(=shop::checkout) & test(=survives)'
    "#);
}

#[test]
fn a_broken_latency_objective() {
    let report = Story::new("survives")
        .chaos(|_, sample| sample.latency += ms(804))
        .note("order 1 took 812 ms")
        .note("order 1 took 812 ms")
        .with(|story| story.log = vec!["listening on 4000".into(), "WARN slow order".into()])
        .report();
    assert_snapshot!(report.text(), @r#"
    SLO "staging" breached under "Medium Network Delay": p95 latency degradation 804 ms > 500 ms

      objective               limit      measured (99.9 % interval)   verdict   samples
      error rate              ≤ 5 %      0 % (0 % … 0.76 %)           pass      n = 1000
      availability            ≥ 95 %     100 %                        pass
      worst time to recover   ≤ 45 s     no outage                    pass
      recovery time           ≤ 10 s     under 20 ms (0 s … 26 ms)    pass
      p95 degradation         ≤ 500 ms   804 ms                       FAIL      n = 1000, 1000 over the limit

      fault      network_delay 200 ms on app by proxy (stream): asked 200.0 ms, measured 200.4 ms in 20 of 20 checks
      timeline   baseline 10.0 s │ inject 10 ms │ chaos 20.0 s │ revert 4 ms │ recovered within 20 ms
      note       order 1 took 812 ms × 2
      log        app:
                 listening on 4000
                 WARN slow order
      record     target/chaos-test/run-1/shop__checkout__survives.json
      rerun      cargo nextest run -E 'binary_id(=shop::checkout) & test(=survives)'
    "#);
}

#[test]
fn a_limit_is_not_broken_by_what_is_written_like_it() {
    let mut report = Story::new("is_slow").chaos(|_, sample| sample.latency += ms(800)).report();
    for one in &mut report.judgement.evaluations {
        if one.indicator == Indicator::LatencyDegradation {
            one.measured = Some(Figure::Seconds(0.500_4));
        }
    }
    let text = report.text();
    assert!(text.contains("p95 latency degradation 500.4 ms > 500 ms"), "{text}");
}

#[test]
fn calls_one_after_the_other_are_recognised() {
    let report = Story::new("survives")
        .with(|story| {
            story.trace.streams[0].name = "body".into();
            story.trace.streams[0].kind = StreamKind::Transaction;
        })
        .chaos(|_, sample| sample.latency += ms(804))
        .report();
    assert_snapshot!(report.text(), @r#"
    SLO "staging" breached under "Medium Network Delay": p95 latency degradation 804 ms > 500 ms

      objective               limit      measured (99.9 % interval)   verdict   samples
      error rate              ≤ 5 %      0 % (0 % … 0.76 %)           pass      n = 1000
      availability            ≥ 95 %     100 %                        pass
      worst time to recover   ≤ 45 s     no outage                    pass
      recovery time           ≤ 10 s     under 20 ms (0 s … 26 ms)    pass
      p95 degradation         ≤ 500 ms   804 ms                       FAIL      n = 1000, 1000 over the limit

      fault      network_delay 200 ms on app by proxy (stream): asked 200.0 ms, measured 200.4 ms in 20 of 20 checks
      timeline   baseline 10.0 s │ inject 10 ms │ chaos 20.0 s │ revert 4 ms │ recovered within 20 ms
      hint       body took 4 × 200 ms longer: it makes 4 exchanges with app one after the other
      record     target/chaos-test/run-1/shop__checkout__survives.json
      rerun      cargo nextest run -E 'binary_id(=shop::checkout) & test(=survives)'
    "#);
}

#[test]
fn a_service_that_never_comes_back() {
    let report = Story::new("survives")
        .chaos(|_, sample| sample.outcome = Outcome::ConnectError)
        .recovery(|_, sample| sample.outcome = Outcome::ConnectError)
        .report();
    assert_snapshot!(report.text(), @r#"
    SLO "staging" breached under "Medium Network Delay": error rate 100 % > 5 %, recovery time over 13 s (limit 10 s), availability 0.06 % < 95 %

      objective               limit      measured (99.9 % interval)                   verdict        samples
      error rate              ≤ 5 %      100 % (99.24 % … 100 %)                      FAIL           n = 1000, 1000 bad
      availability            ≥ 95 %     0.06 % (0 % … 0.12 %)                        FAIL
      worst time to recover   ≤ 45 s     ≥ 32.99 s, still down at the end             inconclusive
      recovery time           ≤ 10 s     ≥ 13 s, not recovered when the watch ended   FAIL
      p95 degradation         ≤ 500 ms   nothing answered                             inconclusive   n = 0

      fault      network_delay 200 ms on app by proxy (stream): asked 200.0 ms, measured 200.4 ms in 20 of 20 checks
      timeline   baseline 10.0 s │ inject 10 ms │ chaos 20.0 s │ revert 4 ms │ not recovered within 13 s
      finding    the fault is gone and the service has not come back to its baseline
      record     target/chaos-test/run-1/shop__checkout__survives.json
      rerun      cargo nextest run -E 'binary_id(=shop::checkout) & test(=survives)'
    "#);
}

#[test]
fn with_two_streams_the_sentence_names_the_one() {
    let report = Story::new("survives")
        .with(|story| {
            let marks = story.trace.marks;
            let mut stock = stream("stock", StreamKind::Probe, ms(20), &marks);
            let chaos = |sample: &&mut Sample| marks.phase_of(sample.at) == Some(Phase::Chaos);
            stock.samples.iter_mut().filter(chaos).for_each(|sample| sample.latency += ms(900));
            story.trace.streams.push(stock);
        })
        .report();
    assert_snapshot!(report.text(), @r#"
    SLO "staging" breached under "Medium Network Delay": p95 latency degradation of stock 900 ms > 500 ms

      objective                            limit      measured (99.95 % interval)   verdict   samples
      error rate (worst of 2)              ≤ 5 %      0 % (0 % … 0.83 %)            pass      n = 1000
      availability (worst of 2)            ≥ 95 %     100 %                         pass
      worst time to recover (worst of 2)   ≤ 45 s     no outage                     pass
      recovery time (worst of 2)           ≤ 10 s     under 20 ms (0 s … 26 ms)     pass
      p95 degradation (app)                ≤ 500 ms   0 s                           pass      n = 1000
      p95 degradation (stock)              ≤ 500 ms   900 ms                        FAIL      n = 1000, 1000 over the limit

      fault      network_delay 200 ms on app by proxy (stream): asked 200.0 ms, measured 200.4 ms in 20 of 20 checks
      timeline   baseline 10.0 s │ inject 10 ms │ chaos 20.0 s │ revert 4 ms │ recovered within 20 ms
      record     target/chaos-test/run-1/shop__checkout__survives.json
      rerun      cargo nextest run -E 'binary_id(=shop::checkout) & test(=survives)'
    "#);
}

#[test]
fn of_several_outages_the_mean_is_told_beside_the_worst() {
    let down_until = |again: usize| {
        let story = Story::new("survives").chaos(|n, sample| {
            if n < 100 || (500..again).contains(&n) {
                sample.outcome = Outcome::ConnectError;
            }
        });
        story.report()
    };
    let (once, twice) = (down_until(500), down_until(550));
    let worst = "2 s (1.98 s … 2.02 s)";
    for text in [twice.text(), render::markdown_of(&twice)] {
        assert!(text.contains(&format!("{worst}, mean of 2 outages: 1.5 s")), "{text}");
    }
    assert!(render::markdown_of(&twice).contains(
        "; 85 % of 1000 good in chaos, 100 % of 650 good in recovery, the last 1100 in a row; 2 outages\n"
    ));
    assert!(once.text().contains(worst) && !once.text().contains("mean of"), "{}", once.text());
}

#[test]
fn two_probes_of_one_name_keep_their_figures_apart() {
    let story = Story::new("survives").chaos(|n, sample| {
        if n < 100 {
            sample.outcome = Outcome::ConnectError;
        }
    });
    let mut report = story.report();
    let mut second = report.trace.streams[0].clone();
    second.samples.iter_mut().rev().take(50).for_each(|sample| sample.outcome = Outcome::ConnectError);
    report.trace.streams.insert(1, second);
    report.judgement.streams.insert(1, report.judgement.streams[0].clone());
    let text = render::markdown_of(&report);
    assert!(text.contains("good in recovery, the last 1550 in a row; 1 outage\n"), "{text}");
    assert!(text.contains("good in recovery, the last one bad; 1 outage\n"), "{text}");
}

/// Compared with one another they would take minutes.
#[test]
fn of_very_many_notes_the_first_eight_are_told() {
    let mut story = Story::new("talks").chaos(delayed);
    for n in 0..200_000 {
        story = story.note(&format!("order {n}"));
    }
    let report = story.note("order 3").report();
    for (text, begin) in [(report.text(), "  note "), (render::markdown_of(&report), "- note: ")] {
        assert_eq!(text.lines().filter(|line| line.starts_with(begin)).count(), 8, "{text}");
        assert!(text.contains("order 3 × 2") && !text.contains("order 8"), "{text}");
    }
}
