use super::*;
use crate::model::{Catalogue, Marks, Outcome, StreamKind};
use crate::slo::{Figure, Indicator, Verdict, baseline, judge};

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// Four seconds of baseline, a sample every `interval`; from 2 s on each takes a millisecond longer.
fn trace(interval: Duration, sham: Option<Sham>) -> Trace {
    let sample = |n: u32| {
        let at = interval * n;
        let latency = ms(8) + ms(u64::from(n % 5)) + if at >= ms(2_000) { ms(1) } else { Duration::ZERO };
        Sample { at, lag: Duration::ZERO, latency, outcome: Outcome::Good }
    };
    let count = (ms(4_000).as_nanos() / interval.as_nanos()) as u32;
    Trace {
        marks: Marks { inject_started: Some(ms(4_000)), ended: Some(ms(4_000)), ..Marks::default() },
        streams: vec![Stream {
            name: "app".into(),
            kind: StreamKind::Probe,
            interval,
            timeout: ms(1_000),
            samples: (0..count).map(sample).collect(),
        }],
        sham,
        ..Trace::default()
    }
}

fn in_place() -> Option<Sham> {
    Some(Sham::InPlace {
        detail: "workers, at rest".into(),
        began: ms(2_000),
        from: ms(2_010),
        to: ms(3_800),
    })
}

fn objectives() -> Objectives {
    Catalogue::builtin().profile(Some("staging")).expect("it is built in").objectives
}

fn p50(trace: &Trace) -> Duration {
    baseline(trace, &objectives()).expect("it is healthy")[0].p50
}

#[test]
fn what_the_machinery_costs_is_the_one_part_less_the_other() {
    let cost = machinery_cost(&trace(ms(20), in_place()));
    assert_eq!((cost.len(), cost[0].of.as_str()), (1, "app"));
    assert!((cost[0].p50 - 1e-3).abs() < 1e-9 && (cost[0].p95 - 1e-3).abs() < 1e-9, "{cost:?}");
    assert_eq!(machinery_cost(&trace(ms(20), None)), []);
    assert_eq!(machinery_cost(&trace(ms(20), Some(Sham::None("a dry run".into())))), []);
    assert_eq!(machinery_cost(&trace(ms(200), in_place())), [], "ten samples each");
}

#[test]
fn normal_is_with_the_machinery_in_place() {
    assert_eq!(p50(&trace(ms(20), None)), ms(10), "all of it");
    assert_eq!(p50(&trace(ms(20), in_place())), ms(11));
    let found = baseline(&trace(ms(20), in_place()), &objectives()).expect("it is healthy")[0];
    assert_eq!((found.n, found.bad), (200, 0), "it is healthy or not as a whole");
    // Of fewer than forty samples a 95th percentile is little more than their largest.
    assert_eq!(p50(&trace(ms(80), in_place())), p50(&trace(ms(80), None)));
}

/// Machinery that makes one of ten samples slow, in the baseline and under the fault: that is none of its doing.
#[test]
fn the_machinery_is_not_charged_to_the_service() {
    let degradation = |sham| {
        let mut trace = trace(ms(20), sham);
        let sample = |n: u64| {
            let slow = n >= 100 && n.is_multiple_of(10);
            let latency = ms(if slow { 90 } else { 8 });
            Sample { at: ms(20) * n as u32, lag: Duration::ZERO, latency, outcome: Outcome::Good }
        };
        trace.streams[0].samples = (0..700).map(sample).collect();
        trace.marks = Marks {
            inject_started: Some(ms(4_000)),
            injected: Some(ms(4_000)),
            chaos_ended: Some(ms(14_000)),
            ended: Some(ms(14_000)),
            ..Marks::default()
        };
        let limits = Objectives { latency_degradation: Some(ms(50)), ..objectives() };
        let judgement = judge(&trace, &limits);
        let mut evaluations = judgement.evaluations.into_iter();
        let latency =
            evaluations.find(|e| e.indicator == Indicator::LatencyDegradation).expect("it was judged");
        (latency.measured, latency.verdict)
    };
    // Of the whole baseline that is one in twenty.
    let (Some(Figure::Seconds(more)), verdict) = degradation(None) else { panic!("it was measured") };
    assert!(more > 0.08 && verdict == Verdict::Fail, "{more} {verdict}");
    assert_eq!(degradation(in_place()), (Some(Figure::Seconds(0.0)), Verdict::Pass));
}

#[test]
fn what_a_door_costs_is_told_by_pairs() {
    let pair =
        |n: u64| DoorCheck { direct: ms(8 + n % 3), through: ms(8 + n % 3) + Duration::from_micros(60) };
    let of = |pairs: u64| Trace { door: (0..pairs).map(pair).collect(), ..Trace::default() };
    let cost = door_cost(&of(30)).expect("enough of them");
    assert!((cost.p50 - 6e-5).abs() < 1e-9 && (cost.p95 - 6e-5).abs() < 1e-9, "{cost:?}");
    assert_eq!(door_cost(&of(19)), None);
}

#[test]
fn over_a_service_that_is_not_well_nothing_is_put_in_place() {
    let unwell = |bad: usize| {
        let mut trace = trace(ms(20), None);
        trace.streams[0].samples.iter_mut().take(bad).for_each(|sample| sample.outcome = Outcome::BadBody);
        too_unwell(&trace, &objectives())
    };
    assert_eq!(unwell(10), None, "5 % of 200");
    assert_eq!(unwell(11).as_deref(), Some("11 of the first 200 samples of app were bad"));
    assert_eq!(too_unwell(&Trace::default(), &objectives()), None);
}

#[test]
fn a_part_that_was_late_is_not_what_is_normal() {
    let mut trace = trace(ms(20), in_place());
    // The host sleeps for 180 ms: what was due meanwhile is late.
    for (n, sample) in trace.streams[0].samples.iter_mut().skip(150).take(9).enumerate() {
        sample.lag = ms(180 - 20 * n as u64);
        sample.latency += sample.lag;
    }
    assert!(crate::slo::too_late(&trace, &objectives()).is_empty(), "as a whole it was on time");
    let found = baseline(&trace, &objectives()).expect("it is healthy")[0];
    assert!(found.p95 < ms(30), "{:?}", found.p95);
}
