use chaos_test::model::{EndpointBounds, LatencyBounds, Outcome, Stream, StreamKind};
use chaos_test::slo::{Indicator, Verdict};
use insta::assert_snapshot;

use super::synthetic::{Story, ms, stream};
use super::{evaluated, percent};

/// A repeated body whose requests to two endpoints were recorded.
fn shop() -> Story {
    Story::new("survives").with(|story| {
        let marks = story.trace.marks;
        let requests = |name: &str, kind| Stream {
            interval: std::time::Duration::ZERO,
            ..stream(name, kind, ms(50), &marks)
        };
        story.trace.streams = vec![
            stream("body", StreamKind::Transaction, ms(50), &marks),
            requests("requests", StreamKind::Request),
            requests("POST /orders", StreamKind::Endpoint),
        ];
        let bounds = |endpoint: &str, error_rate, p95| EndpointBounds {
            endpoint: endpoint.parse().unwrap(),
            error_rate,
            latency: LatencyBounds { p95, ..LatencyBounds::default() },
        };
        story.slo.objectives.endpoints = vec![bounds("POST /orders", percent(5.0), Some(ms(100)))];
    })
}

fn orders(story: Story, change: impl Fn(&mut chaos_test::model::Sample)) -> Story {
    story.with(|story| {
        let marks = story.trace.marks;
        let chaos = marks.injected.unwrap()..marks.chaos_ended.unwrap();
        let samples = story.trace.streams[2].samples.iter_mut();
        samples.filter(|sample| chaos.contains(&sample.at)).for_each(change);
    })
}

#[test]
fn an_endpoint_is_judged_beside_the_transactions_it_is_a_part_of() {
    let report = orders(shop(), |sample| sample.latency += ms(200)).report();
    assert_snapshot!(report.text(), @r#"
    SLO "staging" breached under "Medium Network Delay": p95 latency of POST /orders 210 ms > 100 ms

      objective                    limit      measured (99.95 % interval)   verdict   samples
      error rate                   ≤ 5 %      0 % (0 % … 2.05 %)            pass      n = 400
      availability                 ≥ 95 %     100 %                         pass
      worst time to recover        ≤ 45 s     no outage                     pass
      recovery time                ≤ 10 s     under 50 ms (0 s … 86 ms)     pass
      p95 degradation              ≤ 500 ms   0 s                           pass      n = 400
      error rate (POST /orders)    ≤ 5 %      0 % (0 % … 2.05 %)            pass      n = 400
      p95 latency (POST /orders)   ≤ 100 ms   210 ms                        FAIL      n = 400, 400 over the limit

      fault      network_delay 200 ms on app by proxy (stream): asked 200.0 ms, measured 200.4 ms in 20 of 20 checks
      timeline   baseline 10.0 s │ inject 10 ms │ chaos 20.0 s │ revert 4 ms │ recovered within 50 ms
      record     target/chaos-test/run-1/shop__checkout__survives.json
      rerun      cargo nextest run -E 'binary_id(=shop::checkout) & test(=survives)'
    "#);
}

#[test]
fn bad_requests_to_an_endpoint_fail() {
    let report = orders(shop(), |sample| sample.outcome = Outcome::BadStatus(503)).report();
    assert_eq!(evaluated(&report, Indicator::EndpointErrorRate).verdict, Verdict::Fail);
    assert_eq!(evaluated(&report, Indicator::ErrorRate).verdict, Verdict::Pass, "of the transactions");
    assert_eq!(
        report.headline(),
        "SLO \"staging\" breached under \"Medium Network Delay\": error rate of POST /orders 100 % > 5 %"
    );
    let latency = evaluated(&report, Indicator::EndpointLatencyP95);
    assert_eq!((latency.verdict, latency.note.as_deref()), (Verdict::Inconclusive, Some("nothing answered")));
}

#[test]
fn an_endpoint_without_a_request_is_no_pass() {
    let report = shop().with(|story| story.trace.streams.truncate(2)).report();
    assert_eq!(report.judgement.label(), "Inconclusive(no samples)");
    assert_eq!(
        report.headline(),
        "Inconclusive(no samples) under \"Medium Network Delay\": the test made no request to POST /orders in the chaos \
         phase"
    );
    let errors = evaluated(&report, Indicator::EndpointErrorRate);
    assert_eq!((errors.measured, errors.counts), (None, Some((0, 0))));
    // Requests before the fault and after it are none under it.
    let report = shop()
        .with(|story| {
            let marks = story.trace.marks;
            let chaos = marks.injected.unwrap()..marks.chaos_ended.unwrap();
            story.trace.streams[2].samples.retain(|sample| !chaos.contains(&sample.at));
        })
        .report();
    assert_eq!(report.judgement.label(), "Inconclusive(no samples)");
}

/// Of the body's requests as a whole a few good ones are enough, for nobody asked about them; here somebody did.
#[test]
fn too_few_requests_to_an_endpoint_are_no_pass() {
    let report = shop().with(|story| story.trace.streams[2].samples.retain(|s| s.at > ms(29_000))).report();
    let errors = evaluated(&report, Indicator::EndpointErrorRate);
    assert_eq!((errors.verdict, errors.counts), (Verdict::Inconclusive, Some((0, 20))));
}
