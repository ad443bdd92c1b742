//! Runs that were stopped, killed, or left something behind.

use std::time::Duration;

use chaos_test::model::{Abort, AbortCause, BodyEnd, Outcome, Stage, Trouble};
use chaos_test::report::{Report, Summary, render};
use chaos_test::slo::Verdict;
use chaos_test::units::Percent;
use insta::assert_snapshot;

use super::synthetic::{BASELINE, Story, delayed, ms};

fn bad_samples() -> AbortCause {
    AbortCause::ErrorRate {
        stream: "app".into(),
        bad: 130,
        of: 210,
        within: Duration::from_secs(10),
        limit: Percent::new(50.0).unwrap(),
    }
}

/// Stopped four seconds into the chaos phase.
fn aborted(cause: AbortCause) -> Story {
    Story::new("survives").chaos(|_, sample| sample.outcome = Outcome::ConnectError).with(|story| {
        let at = BASELINE + ms(4010);
        let marks = &mut story.trace.marks;
        (marks.revert_started, marks.chaos_ended) = (Some(at), Some(at));
        (marks.removed, marks.ended) = (Some(at + ms(3)), Some(at + ms(5)));
        story.trace.streams[0].samples.retain(|sample| sample.at < at + ms(5));
        story.trace.delivery.as_mut().unwrap().readings.truncate(4);
        story.trace.abort = Some(Abort { at, cause });
    })
}

#[test]
fn an_abort_names_its_condition_and_judges_nothing() {
    let report = aborted(bad_samples()).report();
    assert_snapshot!(report.text(), @r#"
    Aborted(error rate) under "Medium Network Delay": abort condition `error_rate_percent`: 61.9 % > 50 % of the last 10 s of app (n = 210)

      objective               limit      measured (99.9 % interval)                   verdict   samples
      error rate              ≤ 5 %      100 % (96.27 % … 100 %)                      void      n = 200, 200 bad
      availability            ≥ 95 %     0.5 % (0 % … 1 %)                            void
      worst time to recover   ≤ 45 s     ≥ 4 s, still down at the end                 void
      recovery time           ≤ 10 s     ≥ 2 ms, not recovered when the watch ended   void
      p95 degradation         ≤ 500 ms   nothing answered                             void      n = 0

      fault      network_delay 200 ms on app by proxy (stream): asked 200.0 ms, measured 200.4 ms in 4 of 4 checks
      timeline   baseline 10.0 s │ inject 10 ms │ chaos 4.0 s │ revert 3 ms
      record     target/chaos-test/run-1/shop__checkout__survives.json
      rerun      cargo nextest run -E 'binary_id(=shop::checkout) & test(=survives)'
    "#);
    assert_eq!(report.judgement.label(), "Aborted(error rate)");
    assert!(!report.passed() && report.judgement.broken().is_empty());
    let summary = Summary::of(vec![report]);
    assert_eq!((summary.count(Verdict::Aborted), summary.violations().len()), (1, 0));
    assert!(render::markdown(&summary).contains("⏹ Aborted(error rate)"));
    let json = render::validation_json(&summary, 0.0).unwrap();
    assert!(
        json.contains("\"verdict\": \"aborted\"") && json.contains("`error_rate_percent`: 61.9 % > 50 %")
    );
}

#[test]
fn a_signal_that_comes_in_the_baseline_is_the_whole_story() {
    let report = Story::new("survives")
        .never_injected()
        .with(|story| {
            story.trace.marks.ended = Some(ms(100));
            story.trace.streams[0].samples.truncate(5);
            story.trace.abort = Some(Abort { at: ms(100), cause: AbortCause::Signal("SIGTERM".into()) });
        })
        .report();
    assert_eq!(report.judgement.reasons.len(), 1, "{:?}", report.judgement.reasons);
    assert_eq!(
        report.headline(),
        "Aborted(SIGTERM) under \"Medium Network Delay\": the test process was sent SIGTERM"
    );
}

#[test]
fn every_cause_has_a_label_and_a_sentence() {
    for (cause, headline) in [
        (
            AbortCause::RunnerGone,
            "Aborted(runner gone) under \"Medium Network Delay\": the test process was told",
        ),
        (
            AbortCause::Deadline("the scenario's deadline of 95 s".into()),
            "Aborted(deadline) under \"Medium Network Delay\": the scenario's deadline of 95 s has passed",
        ),
        (
            AbortCause::Dropped,
            "Aborted(test dropped) under \"Medium Network Delay\": the test gave the run up",
        ),
    ] {
        let report = aborted(cause).report();
        assert!(report.headline().starts_with(headline), "{}", report.headline());
    }
}

fn killed(message: &str) -> Report {
    let killed = |story: &mut Story| {
        story.trace.trouble = Some(Trouble { stage: Stage::Killed, message: message.into() });
        story.trace.marks.removed = None;
    };
    Story::new("survives").chaos(delayed).with(killed).report()
}

#[test]
fn of_a_killed_test_the_message_is_the_verdict() {
    let report = killed("killed by SIGKILL 12.4 s into the fault; 3 of 3 reverts done");
    assert_snapshot!(report.text(), @r#"
    Error(killed by SIGKILL 12.4 s into the fault; 3 of 3 reverts done) under "Medium Network Delay"

      objective               limit      measured (99.9 % interval)   verdict   samples
      error rate              ≤ 5 %      0 % (0 % … 0.76 %)           void      n = 1000
      availability            ≥ 95 %     100 %                        void
      worst time to recover   ≤ 45 s     no outage                    void
      p95 degradation         ≤ 500 ms   200 ms                       void      n = 1000

      fault      network_delay 200 ms on app by proxy (stream): asked 200.0 ms, measured 200.4 ms in 20 of 20 checks
      timeline   baseline 10.0 s │ inject 10 ms │ chaos 20.0 s
      record     target/chaos-test/run-1/shop__checkout__survives.json
      rerun      cargo nextest run -E 'binary_id(=shop::checkout) & test(=survives)'
    "#);
    assert_eq!(
        report.judgement.label(),
        "Error(killed by SIGKILL 12.4 s into the fault; 3 of 3 reverts done)"
    );
    let bracket = killed("killed by SIGKILL; 0 of 1 reverts done (gone)");
    assert_eq!(
        bracket.headline(),
        "Error(killed by SIGKILL; 0 of 1 reverts done (gone)) under \"Medium Network Delay\""
    );
}

#[test]
fn what_was_left_behind_takes_nothing_from_the_rest() {
    let left = |story: &mut Story| {
        story.trace.residue =
            vec!["process 4711 carries the mark x".into(), "the ledger still owes cpu-1".into()];
    };
    let report = Story::new("survives").chaos(|_, sample| sample.latency += ms(804)).with(left).report();
    assert_snapshot!(report.text(), @r#"
    Error(cleanup) under "Medium Network Delay": process 4711 carries the mark x; the ledger still owes cpu-1; apart from that: Fail, p95 latency degradation 804 ms > 500 ms

      objective               limit      measured (99.9 % interval)   verdict   samples
      error rate              ≤ 5 %      0 % (0 % … 0.76 %)           pass      n = 1000
      availability            ≥ 95 %     100 %                        pass
      worst time to recover   ≤ 45 s     no outage                    pass
      recovery time           ≤ 10 s     under 20 ms (0 s … 26 ms)    pass
      p95 degradation         ≤ 500 ms   804 ms                       FAIL      n = 1000, 1000 over the limit

      fault      network_delay 200 ms on app by proxy (stream): asked 200.0 ms, measured 200.4 ms in 20 of 20 checks
      timeline   baseline 10.0 s │ inject 10 ms │ chaos 20.0 s │ revert 4 ms │ recovered within 20 ms
      record     target/chaos-test/run-1/shop__checkout__survives.json
      rerun      cargo nextest run -E 'binary_id(=shop::checkout) & test(=survives)'
    "#);
    assert_eq!(report.judgement.label(), "Error(cleanup)");
    assert_eq!(report.judgement.apart_from_cleanup, Some(Verdict::Fail));
    assert_eq!(Summary::of(vec![report]).violations().len(), 1);

    let report = Story::new("survives").chaos(delayed).with(left).report();
    assert!(report.headline().ends_with("the ledger still owes cpu-1; apart from that: Pass"));
    assert!(!report.passed());

    let failed = BodyEnd::Failed("the order is lost".into());
    let report = Story::new("survives").chaos(delayed).with(left).body(failed).report();
    let end = "; apart from that: Fail, the test body failed while SLO \"staging\" held: the order is lost";
    assert!(report.headline().ends_with(end), "{}", report.headline());

    let report = aborted(bad_samples()).with(left).report();
    assert!(report.headline().contains("; apart from that: Aborted(error rate): abort condition"));
}

#[test]
fn a_record_from_before_there_were_aborts_is_read() {
    let report = Story::new("survives").report();
    let mut json: serde_json::Value = serde_json::from_str(&report.to_json().unwrap()).unwrap();
    json["trace"].as_object_mut().unwrap().retain(|key, _| key != "abort" && key != "residue");
    json["judgement"].as_object_mut().unwrap().remove("apart_from_cleanup");
    assert_eq!(Report::from_json(json.to_string().as_bytes()).unwrap(), report);
}
