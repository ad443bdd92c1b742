use std::time::Duration;

use chaos_test::model::Outcome;
use insta::assert_snapshot;

use crate::synthetic::{Story, delayed, ms};

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
      recovery time           ≤ 10 s     under 20 ms (0 s … 26 ms)    void
      p95 degradation         ≤ 500 ms   0 s                          void      n = 1000

      fault      network_delay 200 ms on app by proxy (stream): asked 200.0 ms, measured 0.3 ms in 0 of 20 checks
      timeline   baseline 10.0 s │ inject 10 ms │ chaos 20.0 s │ revert 4 ms │ recovered within 20 ms
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
      recovery time           ≤ 10 s     under 20 ms (0 s … 26 ms)    void
      p95 degradation         ≤ 500 ms   0 s                          void      n = 1000

      fault      network_delay 200 ms on app by proxy (stream): asked 200.0 ms, measured 200.4 ms in 1 of 20 checks
      timeline   baseline 10.0 s │ inject 10 ms │ chaos 20.0 s │ revert 4 ms │ recovered within 20 ms
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
      recovery time           ≤ 10 s     under 20 ms (0 s … 26 ms)    pass
      p95 degradation         ≤ 500 ms   200 ms (200 ms … 990 ms)     inconclusive   n = 1000, 46 over the limit

      fault      network_delay 200 ms on app by proxy (stream): asked 200.0 ms, measured 200.4 ms in 20 of 20 checks
      timeline   baseline 10.0 s │ inject 10 ms │ chaos 20.0 s │ revert 4 ms │ recovered within 20 ms
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
      recovery time           ≤ 10 s     under 20 ms (0 s … 26 ms)    pass
      p95 degradation         ≤ 500 ms   200 ms (200 ms … 990 ms)     inconclusive   n = 1000, 50 over the limit

      fault      network_delay 200 ms on app by proxy (stream): asked 200.0 ms, measured 200.4 ms in 20 of 20 checks
      timeline   baseline 10.0 s │ inject 10 ms │ chaos 20.0 s │ revert 4 ms │ recovered within 20 ms
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
    Inconclusive(too close to call) under "Medium Network Delay": recovery time 5 s (4.99 s … 5.03 s), limit ≤ 5 s

      objective               limit      measured (99.9 % interval)   verdict        samples
      error rate              ≤ 5 %      0 % (0 % … 0.76 %)           pass           n = 1000
      availability            ≥ 95 %     100 %                        pass
      worst time to recover   ≤ 45 s     no outage                    pass
      recovery time           ≤ 5 s      5 s (4.99 s … 5.03 s)        inconclusive
      p95 degradation         ≤ 500 ms   200 ms                       pass           n = 1000

      fault      network_delay 200 ms on app by proxy (stream): asked 200.0 ms, measured 200.4 ms in 20 of 20 checks
      timeline   baseline 10.0 s │ inject 10 ms │ chaos 20.0 s │ revert 4 ms │ recovered after 5 s
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
      recovery time           ≤ 10 s     under 20 ms (0 s … 26 ms)    void
      p95 degradation         ≤ 500 ms   200 ms                       void      n = 1000

      fault      network_delay 200 ms on app by proxy (stream): asked 200.0 ms, measured 200.4 ms in 20 of 20 checks
      timeline   baseline 10.0 s │ inject 10 ms │ chaos 20.0 s │ revert 4 ms │ recovered within 20 ms
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
