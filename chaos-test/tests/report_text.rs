//! What a user reads when a chaos test fails. Read these as somebody who is woken by one.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "test code may touch files, processes and the clock"
)]

mod synthetic;

use std::time::Duration;

use chaos_test::model::{BodyEnd, Outcome, Phase, Sample, Stage, StreamKind, Trouble};
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
      recovery time           ≤ 10 s     6 ms (0 s … 26 ms)           pass
      p95 degradation         ≤ 500 ms   200 ms                       pass      n = 1000

      fault      network_delay 200 ms on app by proxy (stream): asked 200.0 ms, measured 200.4 ms in 20 of 20 checks
      timeline   baseline 10.0 s │ inject 10 ms │ chaos 20.0 s │ revert 4 ms │ recovered after 6 ms
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
      recovery time           ≤ 10 s     6 ms (0 s … 26 ms)           pass
      p95 degradation         ≤ 500 ms   0 s                          pass      n = 1000

      fault      network_delay 200 ms on app by proxy (stream): asked 200.0 ms, measured 200.4 ms in 20 of 20 checks
      timeline   baseline 10.0 s │ inject 10 ms │ chaos 20.0 s │ revert 4 ms │ recovered after 6 ms
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
      recovery time           ≤ 10 s     6 ms (0 s … 26 ms)           pass
      p95 degradation         ≤ 500 ms   804 ms                       FAIL      n = 1000, 1000 over the limit

      fault      network_delay 200 ms on app by proxy (stream): asked 200.0 ms, measured 200.4 ms in 20 of 20 checks
      timeline   baseline 10.0 s │ inject 10 ms │ chaos 20.0 s │ revert 4 ms │ recovered after 6 ms
      note       order 1 took 812 ms × 2
      log        app:
                 listening on 4000
                 WARN slow order
      record     target/chaos-test/run-1/shop__checkout__survives.json
      rerun      cargo nextest run -E 'binary_id(=shop::checkout) & test(=survives)'
    "#);
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
      recovery time           ≤ 10 s     6 ms (0 s … 26 ms)           pass
      p95 degradation         ≤ 500 ms   804 ms                       FAIL      n = 1000, 1000 over the limit

      fault      network_delay 200 ms on app by proxy (stream): asked 200.0 ms, measured 200.4 ms in 20 of 20 checks
      timeline   baseline 10.0 s │ inject 10 ms │ chaos 20.0 s │ revert 4 ms │ recovered after 6 ms
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
      recovery time (worst of 2)           ≤ 10 s     6 ms (0 s … 26 ms)            pass
      p95 degradation (app)                ≤ 500 ms   0 s                           pass      n = 1000
      p95 degradation (stock)              ≤ 500 ms   900 ms                        FAIL      n = 1000, 1000 over the limit

      fault      network_delay 200 ms on app by proxy (stream): asked 200.0 ms, measured 200.4 ms in 20 of 20 checks
      timeline   baseline 10.0 s │ inject 10 ms │ chaos 20.0 s │ revert 4 ms │ recovered after 6 ms
      record     target/chaos-test/run-1/shop__checkout__survives.json
      rerun      cargo nextest run -E 'binary_id(=shop::checkout) & test(=survives)'
    "#);
}

#[test]
fn inconclusive_baseline_unhealthy() {
    let report = Story::new("survives")
        .never_injected()
        .baseline(|n, sample| {
            if n % 3 == 0 {
                sample.outcome = Outcome::BadStatus(500);
            }
        })
        .report();
    assert_snapshot!(report.text(), @r#"
    Inconclusive(baseline unhealthy) under "Medium Network Delay": 167 of 500 samples of app were bad before any fault (167 status 500), more than the limit of 5 %

      timeline   baseline 10.0 s
      hint       Only a service that is well before a fault can be judged under it: mend that first.
      record     target/chaos-test/run-1/shop__checkout__survives.json
      rerun      cargo nextest run -E 'binary_id(=shop::checkout) & test(=survives)'
    "#);
}

#[test]
fn inconclusive_fault_not_delivered() {
    let report = Story::new("survives")
        .with(|story| {
            let readings = &mut story.trace.delivery.as_mut().unwrap().readings;
            readings.iter_mut().for_each(|reading| reading.measured = 0.0003);
        })
        .report();
    assert_snapshot!(report.text(), @r#"
    Inconclusive(fault not delivered) under "Medium Network Delay": asked 200.0 ms, measured 0.3 ms (median of 20 checks; 20 with half of it or less)

      objective               limit      measured (99.9 % interval)   verdict   samples
      error rate              ≤ 5 %      0 % (0 % … 0.76 %)           void      n = 1000
      availability            ≥ 95 %     100 %                        void
      worst time to recover   ≤ 45 s     no outage                    void
      recovery time           ≤ 10 s     6 ms (0 s … 26 ms)           void
      p95 degradation         ≤ 500 ms   0 s                          void      n = 1000

      fault      network_delay 200 ms on app by proxy (stream): asked 200.0 ms, measured 0.3 ms in 0 of 20 checks
      timeline   baseline 10.0 s │ inject 10 ms │ chaos 20.0 s │ revert 4 ms │ recovered after 6 ms
      hint       Without proof of the fault a run says nothing about the service, good or bad: mend that first.
      record     target/chaos-test/run-1/shop__checkout__survives.json
      rerun      cargo nextest run -E 'binary_id(=shop::checkout) & test(=survives)'
    "#);
}

#[test]
fn inconclusive_a_witness_that_could_not_see() {
    let report = Story::new("survives")
        .with(|story| {
            let delivery = story.trace.delivery.as_mut().unwrap();
            delivery.readings.truncate(1);
            delivery.failed_readings = 19;
            delivery.last_failure = Some("connection refused".into());
        })
        .report();
    assert_snapshot!(report.text(), @r#"
    Inconclusive(fault not delivered) under "Medium Network Delay": only 1 of 20 readings of the witness succeeded, 3 are needed; the last failure: connection refused

      objective               limit      measured (99.9 % interval)   verdict   samples
      error rate              ≤ 5 %      0 % (0 % … 0.76 %)           void      n = 1000
      availability            ≥ 95 %     100 %                        void
      worst time to recover   ≤ 45 s     no outage                    void
      recovery time           ≤ 10 s     6 ms (0 s … 26 ms)           void
      p95 degradation         ≤ 500 ms   0 s                          void      n = 1000

      fault      network_delay 200 ms on app by proxy (stream): asked 200.0 ms, measured 200.4 ms in 1 of 20 checks
      timeline   baseline 10.0 s │ inject 10 ms │ chaos 20.0 s │ revert 4 ms │ recovered after 6 ms
      hint       Without proof of the fault a run says nothing about the service, good or bad: mend that first.
      record     target/chaos-test/run-1/shop__checkout__survives.json
      rerun      cargo nextest run -E 'binary_id(=shop::checkout) & test(=survives)'
    "#);
}

#[test]
fn inconclusive_needs_more_samples() {
    let report = Story::new("survives")
        .chaos(delayed)
        .chaos(|n, sample| {
            if n % 22 == 0 {
                sample.outcome = Outcome::Timeout;
            }
        })
        .report();
    assert_snapshot!(report.text(), @r#"
    Inconclusive(needs about 30757 more probes) under "Medium Network Delay": error rate 4.6 % (2.71 % … 7.19 %), limit ≤ 5 %

      objective               limit      measured (99.9 % interval)   verdict        samples
      error rate              ≤ 5 %      4.6 % (2.71 % … 7.19 %)      inconclusive   n = 1000, 46 bad
      availability            ≥ 95 %     100 %                        pass
      worst time to recover   ≤ 45 s     no outage                    pass
      recovery time           ≤ 10 s     6 ms (0 s … 26 ms)           pass
      p95 degradation         ≤ 500 ms   200 ms (200 ms … 990 ms)     inconclusive   n = 1000, 46 over the limit

      fault      network_delay 200 ms on app by proxy (stream): asked 200.0 ms, measured 200.4 ms in 20 of 20 checks
      timeline   baseline 10.0 s │ inject 10 ms │ chaos 20.0 s │ revert 4 ms │ recovered after 6 ms
      hint       More samples decide it: lengthen the scenario (`duration`), or probe or repeat more often.
      record     target/chaos-test/run-1/shop__checkout__survives.json
      rerun      cargo nextest run -E 'binary_id(=shop::checkout) & test(=survives)'
    "#);
}

#[test]
fn inconclusive_on_the_limit() {
    let report = Story::new("survives")
        .chaos(delayed)
        .chaos(|n, sample| {
            if n % 20 == 0 {
                sample.outcome = Outcome::Timeout;
            }
        })
        .report();
    assert_snapshot!(report.text(), @r#"
    Inconclusive(needs far more probes) under "Medium Network Delay": error rate 5 % (3.02 % … 7.67 %), limit ≤ 5 %

      objective               limit      measured (99.9 % interval)   verdict        samples
      error rate              ≤ 5 %      5 % (3.02 % … 7.67 %)        inconclusive   n = 1000, 50 bad
      availability            ≥ 95 %     100 %                        pass
      worst time to recover   ≤ 45 s     no outage                    pass
      recovery time           ≤ 10 s     6 ms (0 s … 26 ms)           pass
      p95 degradation         ≤ 500 ms   200 ms (200 ms … 990 ms)     inconclusive   n = 1000, 50 over the limit

      fault      network_delay 200 ms on app by proxy (stream): asked 200.0 ms, measured 200.4 ms in 20 of 20 checks
      timeline   baseline 10.0 s │ inject 10 ms │ chaos 20.0 s │ revert 4 ms │ recovered after 6 ms
      because    needs far more probes: the share seen is too close to the limit
      hint       More samples decide it: lengthen the scenario (`duration`), or probe or repeat more often.
      record     target/chaos-test/run-1/shop__checkout__survives.json
      rerun      cargo nextest run -E 'binary_id(=shop::checkout) & test(=survives)'
    "#);
}

#[test]
fn inconclusive_within_resolution() {
    let report = Story::new("survives")
        .with(|story| story.slo.objectives.recovery.time = Some(Duration::from_secs(5)))
        .chaos(delayed)
        .recovery(|n, sample| {
            if n < 250 {
                sample.latency += ms(300);
            }
        })
        .report();
    assert_snapshot!(report.text(), @r#"
    Inconclusive(too close to call) under "Medium Network Delay": recovery time 5.01 s (4.99 s … 5.03 s), limit ≤ 5 s

      objective               limit      measured (99.9 % interval)   verdict        samples
      error rate              ≤ 5 %      0 % (0 % … 0.76 %)           pass           n = 1000
      availability            ≥ 95 %     100 %                        pass
      worst time to recover   ≤ 45 s     no outage                    pass
      recovery time           ≤ 5 s      5.01 s (4.99 s … 5.03 s)     inconclusive
      p95 degradation         ≤ 500 ms   200 ms                       pass           n = 1000

      fault      network_delay 200 ms on app by proxy (stream): asked 200.0 ms, measured 200.4 ms in 20 of 20 checks
      timeline   baseline 10.0 s │ inject 10 ms │ chaos 20.0 s │ revert 4 ms │ recovered after 5.01 s
      because    too close to call: within one probe interval of the limit
      hint       A time is known to one interval at best: probe or repeat more often, or move the limit.
      record     target/chaos-test/run-1/shop__checkout__survives.json
      rerun      cargo nextest run -E 'binary_id(=shop::checkout) & test(=survives)'
    "#);
}

#[test]
fn inconclusive_prober_starved() {
    let report = Story::new("survives").chaos(delayed).chaos(|_, sample| sample.lag = ms(45)).report();
    assert_snapshot!(report.text(), @r#"
    Inconclusive(prober starved) under "Medium Network Delay": app ran 45 ms behind its schedule at p99 of the chaos phase, more than its interval of 20 ms

      objective               limit      measured (99.9 % interval)   verdict   samples
      error rate              ≤ 5 %      0 % (0 % … 0.76 %)           void      n = 1000
      availability            ≥ 95 %     100 %                        void
      worst time to recover   ≤ 45 s     no outage                    void
      recovery time           ≤ 10 s     6 ms (0 s … 26 ms)           void
      p95 degradation         ≤ 500 ms   200 ms                       void      n = 1000

      fault      network_delay 200 ms on app by proxy (stream): asked 200.0 ms, measured 200.4 ms in 20 of 20 checks
      timeline   baseline 10.0 s │ inject 10 ms │ chaos 20.0 s │ revert 4 ms │ recovered after 6 ms
      hint       The prober was starved: give the test its own machine, or stress with fewer workers than processors.
      record     target/chaos-test/run-1/shop__checkout__survives.json
      rerun      cargo nextest run -E 'binary_id(=shop::checkout) & test(=survives)'
    "#);
}

#[test]
fn inconclusive_no_samples() {
    let report = Story::new("survives").with(|story| story.trace.streams.clear()).report();
    assert_snapshot!(report.text(), @r#"
    Inconclusive(no samples) under "Medium Network Delay": nothing was measured: add a probe to the environment or `repeat` to the test

      fault      network_delay 200 ms on app by proxy (stream): asked 200.0 ms, measured 200.4 ms in 20 of 20 checks
      timeline   baseline 10.0 s │ inject 10 ms │ chaos 20.0 s │ revert 4 ms
      record     target/chaos-test/run-1/shop__checkout__survives.json
      rerun      cargo nextest run -E 'binary_id(=shop::checkout) & test(=survives)'
    "#);
}

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
      recovery time           ≤ 10 s     6 ms (0 s … 26 ms)           pass
      p95 degradation         ≤ 500 ms   804 ms                       FAIL      n = 1000, 1000 over the limit

      fault      network_delay 200 ms on app by proxy (stream): asked 200.0 ms, measured 200.4 ms in 20 of 20 checks
      timeline   baseline 10.0 s │ inject 10 ms │ chaos 20.0 s │ revert 4 ms │ recovered after 6 ms
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
      recovery time           ≤ 10 s     6 ms (0 s … 26 ms)           pass
      p95 degradation         ≤ 500 ms   200 ms                       pass      n = 1000

      fault      network_delay 200 ms on app by proxy (stream): asked 200.0 ms, measured 200.4 ms in 20 of 20 checks
      timeline   baseline 10.0 s │ inject 10 ms │ chaos 20.0 s │ revert 4 ms │ recovered after 6 ms
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
      recovery time           ≤ 10 s     6 ms (0 s … 26 ms)           pass
      p95 degradation         ≤ 500 ms   200 ms                       pass      n = 1000

      fault      network_delay 200 ms on app by proxy (stream): asked 200.0 ms, measured 200.4 ms in 20 of 20 checks
      timeline   baseline 10.0 s │ inject 10 ms │ chaos 20.0 s │ revert 4 ms │ recovered after 6 ms
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
      recovery time           ≤ 10 s     6 ms (0 s … 26 ms)            void
      p95 degradation         ≤ 500 ms   nothing answered              void      n = 0

      fault      network_delay 200 ms on app by proxy (stream): asked 200.0 ms, measured 0.3 ms in 0 of 20 checks
      timeline   baseline 10.0 s │ inject 10 ms │ chaos 20.0 s │ revert 4 ms │ recovered after 6 ms
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
    Error(cleanup) under "Medium Network Delay": network_delay 200 ms on app by proxy (stream) could not be undone: no answer

      objective               limit      measured (99.9 % interval)   verdict   samples
      error rate              ≤ 5 %      0 % (0 % … 0.76 %)           void      n = 1000
      availability            ≥ 95 %     100 %                        void
      worst time to recover   ≤ 45 s     no outage                    void
      recovery time           ≤ 10 s     6 ms (0 s … 26 ms)           void
      p95 degradation         ≤ 500 ms   200 ms                       void      n = 1000

      fault      network_delay 200 ms on app by proxy (stream): asked 200.0 ms, measured 200.4 ms in 20 of 20 checks
      timeline   baseline 10.0 s │ inject 10 ms │ chaos 20.0 s │ revert 4 ms │ recovered after 6 ms
      record     target/chaos-test/run-1/shop__checkout__survives.json
      rerun      cargo nextest run -E 'binary_id(=shop::checkout) & test(=survives)'
    "#);
}
