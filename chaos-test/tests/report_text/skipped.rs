use chaos_test::model::{Outcome, Stage, Trace, Trouble};
use chaos_test::report::{Report, Summary, render};
use chaos_test::slo::Verdict;
use insta::assert_snapshot;

use crate::synthetic::{Story, delayed, ms};

#[test]
fn a_dry_run_says_that_nothing_was_injected() {
    let report = Story::new("survives").dry().report();
    assert_eq!(report.judgement.label(), "Skipped(dry run)");
    assert!(report.passed());
    assert_snapshot!(report.text(), @r#"
    Skipped(dry run) under "Medium Network Delay": nothing was injected

      timeline   baseline 10.0 s
      record     target/chaos-test/run-1/shop__checkout__survives.json
      rerun      cargo nextest run -E 'binary_id(=shop::checkout) & test(=survives)'
    "#);
}

#[test]
fn what_goes_wrong_in_a_dry_run_is_no_skip() {
    let dry = || Story::new("survives").dry();
    let unhealthy = dry().baseline(|_, sample| sample.outcome = Outcome::BadStatus(500)).report();
    assert_eq!(unhealthy.judgement.label(), "Inconclusive(baseline unhealthy)");
    assert!(!unhealthy.passed());
    let starved = dry().baseline(|_, sample| sample.lag = ms(45)).report();
    assert_eq!(starved.judgement.label(), "Inconclusive(prober starved)");
    let impossible = dry().with(|story| {
        story.trace.trouble = Some(Trouble { stage: Stage::Injection, message: "not possible here".into() });
    });
    assert_eq!(impossible.report().judgement.label(), "Error(injection)");
}

/// Of a test that its host cannot have there is no sample at all.
#[test]
fn what_was_never_started_says_what_the_host_lacks() {
    let story = Story::new("survives").with(|story| {
        story.trace =
            Trace { skipped: Some("no container engine: nobody answers".into()), ..Trace::default() };
    });
    let report = story.report();
    assert_eq!(report.judgement.label(), "Skipped(no container engine)");
    assert!(report.passed());
    let said =
        "Skipped(no container engine) under \"Medium Network Delay\": nobody answers: nothing was injected";
    assert_eq!(report.headline(), said);
}

/// A record that says both must not be green for a fault that was there.
#[test]
fn what_was_injected_was_not_skipped() {
    let report = Story::new("survives")
        .chaos(|_, sample| sample.outcome = Outcome::ConnectError)
        .with(|story| story.trace.skipped = Some("dry run".into()))
        .report();
    assert_eq!(report.verdict(), Verdict::Fail);
}

#[test]
fn a_skipped_test_is_no_pass_of_its_suite() {
    let pass = |name: &str| Story::new(name).chaos(delayed).report();
    let dry = |name: &str| Story::new(name).dry().report();
    let fail = || Story::new("breaks").chaos(|_, sample| sample.latency += ms(804)).report();
    let said = |reports: Vec<Report>| {
        let summary = Summary::of(reports);
        (summary.verdict().unwrap(), summary.passed(), summary.sentence())
    };
    assert_eq!(
        said(vec![pass("a"), dry("b"), pass("c")]),
        (Verdict::Pass, true, "2 passed, 1 skipped (dry run)".into())
    );
    assert_eq!(
        said(vec![pass("a"), dry("b"), fail()]),
        (Verdict::Fail, false, "1 passed, 1 Fail, 1 skipped (dry run)".into())
    );
    assert_eq!(
        said(vec![dry("a"), dry("b")]),
        (Verdict::Skipped, false, "0 passed, 2 skipped (dry run)".into())
    );
}

#[test]
fn markdown_shows_what_would_have_been_done() {
    let summary = Summary::of(vec![Story::new("survives").dry().report()]);
    assert_snapshot!(render::markdown(&summary), @r#"
    # Chaos report

    **nothing was injected**: 0 passed, 1 skipped (dry run)

    | test | scenario | SLO | verdict | what happened |
    |---|---|---|---|---|
    | `survives` | Medium Network Delay | staging | ⏭ Skipped(dry run) | Skipped(dry run) under "Medium Network Delay": nothing was injected |

    ## `survives`

    ⏭ Skipped(dry run) under "Medium Network Delay": nothing was injected

    ```text
    Dry run of "Medium Network Delay" on app, SLO "staging": from step 3 on told, and not carried out

      1 environment  app: process behind 127.0.0.1:4000, started by this run and ended with it
      2 baseline     10 s of normal; unless it is healthy nothing is injected
                     a probe of app every 20 ms, each for 1 s at most; through all phases
      3 inject       network_delay 200 ms on app by proxy (stream); mechanism `proxy`
                     does     network_delay 200 ms, in the proxy that is the front door of app
                     touches  traffic to app through its front door
                     undo     the proxy passes everything on at once again; it ends with this process
                     the way back is written down first; then the witness must see the fault
      4 chaos        20 s under the fault
                     the test body starts, and runs once
                     abort conditions: more than 50 % bad samples, 10 bad samples in a row, an answer after more than 5 s
      5 revert       after 20 s, and on every other way out of the run
                     by this process; the witness must see the fault gone, or the verdict is Error(cleanup)
                     if this process dies: as told above; nothing more is owed
      6 recovery     watched until service is stable, 13 s at most
                     judged: error rate ≤ 5 %, availability ≥ 95 %, worst time to recover ≤ 45 s, recovery time ≤ 10 s, p95 degradation ≤ 500 ms
      may touch      app: its process and what that starts
    ```

    - timeline: baseline 10.0 s
    - test binary `shop::checkout`, run `run-1`, took 44 s
    - record: `target/chaos-test/run-1/shop__checkout__survives.json`
    - rerun: `cargo nextest run -E 'binary_id(=shop::checkout) & test(=survives)'`
    "#);
}

#[test]
fn a_record_from_before_there_were_plans_is_read() {
    let report = Story::new("survives").chaos(delayed).report();
    let mut record: serde_json::Value = serde_json::from_str(&report.to_json().unwrap()).unwrap();
    record.as_object_mut().unwrap().remove("plan").unwrap();
    record["trace"].as_object_mut().unwrap().remove("skipped").unwrap();
    let read = Report::from_json(record.to_string().as_bytes()).unwrap();
    assert_eq!(read, report);
}
