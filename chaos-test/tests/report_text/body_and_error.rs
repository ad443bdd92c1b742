use std::time::Duration;

use chaos_test::model::{BodyEnd, Outcome, Stage, Trouble};
use insta::assert_snapshot;

use crate::synthetic::{Story, delayed, ms};

#[test]
fn a_panic_and_a_broken_objective_in_one_sentence() {
    let report = Story::new("survives").chaos(|_, sample| sample.latency += ms(804)).body(BodyEnd::Panicked(
        "tests/checkout.rs:28:5: assertion `left == right` failed: the order is lost\n  left: 1\n right: 0".into(),
    ))
    .report();
    assert_snapshot!(report.text(), @r#"
    SLO "staging" breached under "Medium Network Delay": p95 latency degradation 804 ms > 500 ms; the test body failed too: panicked at tests/checkout.rs:28:5: assertion `left == right` failed: the order is lost …

      objective               limit      measured (99.9 % interval)   verdict   samples
      error rate              ≤ 5 %      0 % (0 % … 0.76 %)           pass      n = 1000
      availability            ≥ 95 %     100 %                        pass
      worst time to recover   ≤ 45 s     no outage                    pass
      recovery time           ≤ 10 s     under 20 ms (0 s … 26 ms)    pass
      p95 degradation         ≤ 500 ms   804 ms                       FAIL      n = 1000, 1000 over the limit

      fault      network_delay 200 ms on app by proxy (stream): asked 200.0 ms, measured 200.4 ms in 20 of 20 checks
      timeline   baseline 10.0 s │ inject 10 ms │ chaos 20.0 s │ revert 4 ms │ recovered within 20 ms
      body       panicked at tests/checkout.rs:28:5: assertion `left == right` failed: the order is lost
                   left: 1
                  right: 0
      record     target/chaos-test/run-1/shop__checkout__survives.json
      rerun      cargo nextest run -E 'binary_id(=shop::checkout) & test(=survives)'
    "#);
}

#[test]
fn a_body_that_failed_while_the_objectives_held() {
    let report = Story::new("survives")
        .chaos(delayed)
        .body(BodyEnd::Failed("503 Service Unavailable for http://127.0.0.1:4000/orders".into()))
        .report();
    assert_snapshot!(report.text(), @r#"
    the test body failed under "Medium Network Delay" while SLO "staging" held: 503 Service Unavailable for http://127.0.0.1:4000/orders

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
fn a_body_that_did_not_end() {
    let report =
        Story::new("survives").chaos(delayed).body(BodyEnd::TimedOut(Duration::from_secs(73))).report();
    assert_snapshot!(report.text(), @r#"
    the test body failed under "Medium Network Delay" while SLO "staging" held: still running 73 s after it started

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
fn a_body_that_failed_without_proof_of_the_fault_blames_no_objective() {
    let report = Story::new("survives")
        .chaos(|_, sample| sample.outcome = Outcome::ConnectError)
        .body(BodyEnd::Failed("the order is lost".into()))
        .with(|story| {
            let readings = &mut story.trace.delivery.as_mut().unwrap().readings;
            readings.iter_mut().for_each(|reading| reading.measured = 0.0003);
        })
        .report();
    assert_snapshot!(report.text(), @r#"
    the test body failed under "Medium Network Delay" (fault not delivered): the order is lost

      objective               limit      measured (99.9 % interval)    verdict   samples
      error rate              ≤ 5 %      100 % (99.24 % … 100 %)       void      n = 1000, 1000 bad
      availability            ≥ 95 %     39.41 % (39.35 % … 39.47 %)   void
      worst time to recover   ≤ 45 s     20 s (19.98 s … 20.02 s)      void
      recovery time           ≤ 10 s     under 20 ms (0 s … 26 ms)     void
      p95 degradation         ≤ 500 ms   nothing answered              void      n = 0

      fault      network_delay 200 ms on app by proxy (stream): asked 200.0 ms, measured 0.3 ms in 0 of 20 checks
      timeline   baseline 10.0 s │ inject 10 ms │ chaos 20.0 s │ revert 4 ms │ recovered within 20 ms
      because    fault not delivered: asked 200.0 ms, measured 0.3 ms (median of 20 checks; 20 with half of it or less)
      hint       Without proof of the fault a run says nothing about the service, good or bad: mend that first.
      record     target/chaos-test/run-1/shop__checkout__survives.json
      rerun      cargo nextest run -E 'binary_id(=shop::checkout) & test(=survives)'
    "#);
}

#[test]
fn an_environment_that_did_not_start() {
    let report = Story::new("survives").trouble(
        Stage::Setup,
        "service `app` was not ready within 30 s: connection refused (127.0.0.1:4000)\nits log: target/app.log",
    )
    .report();
    assert_snapshot!(report.text(), @r#"
    Error(setup) under "Medium Network Delay": service `app` was not ready within 30 s: connection refused (127.0.0.1:4000) …

      because    service `app` was not ready within 30 s: connection refused (127.0.0.1:4000)
                 its log: target/app.log
      record     target/chaos-test/run-1/shop__checkout__survives.json
      rerun      cargo nextest run -E 'binary_id(=shop::checkout) & test(=survives)'
    "#);
}

#[test]
fn a_fault_that_could_not_be_undone() {
    let report = Story::new("survives")
        .chaos(delayed)
        .with(|story| {
            let message =
                "network_delay 200 ms on app by proxy (stream) could not be undone: no answer".into();
            story.trace.trouble = Some(Trouble { stage: Stage::Cleanup, message });
        })
        .report();
    assert_snapshot!(report.text(), @r#"
    Error(cleanup) under "Medium Network Delay": network_delay 200 ms on app by proxy (stream) could not be undone: no answer; apart from that: Pass

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
