use chaos_test::model::{LatencyBounds, Outcome, Phase};
use chaos_test::report::Report;
use chaos_test::slo::{Figure, Indicator, Reason, Verdict};
use chaos_test::stats::{Decision, Proportion};

use super::evaluated;
use super::synthetic::{Story, ms};

/// Every n-th answer of the chaos phase takes 400 ms more.
fn slow_every(n: usize) -> Story {
    Story::new("survives").chaos(move |index, sample| {
        if index % n == 0 {
            sample.latency += ms(400);
        }
    })
}

fn bounded(story: Story, latency: LatencyBounds) -> Story {
    story.with(|story| story.slo.objectives.latency = latency)
}

#[test]
fn a_percentile_is_bound_by_how_many_took_longer() {
    let limits = LatencyBounds { p50: Some(ms(50)), p95: Some(ms(50)), p99: Some(ms(50)) };
    // 2 % of them are slow: fine at the median and the 95th percentile, not at the 99th.
    let report = bounded(slow_every(50), limits).report();
    assert_eq!(evaluated(&report, Indicator::LatencyP50).verdict, Verdict::Pass);
    assert_eq!(evaluated(&report, Indicator::LatencyP95).verdict, Verdict::Pass);
    let p99 = evaluated(&report, Indicator::LatencyP99);
    assert_eq!((p99.counts, p99.measured), (Some((20, 1000)), Some(Figure::Seconds(0.407))));
    assert_eq!(
        p99.verdict,
        Verdict::Inconclusive,
        "1000 are too few to tell 2 % from 1 % with such confidence"
    );
    let report = bounded(slow_every(20), limits).report();
    assert_eq!(evaluated(&report, Indicator::LatencyP99).verdict, Verdict::Fail);
    assert_eq!(
        report.headline(),
        "SLO \"staging\" breached under \"Medium Network Delay\": p99 latency 407 ms > 50 ms"
    );
}

#[test]
fn what_timed_out_took_longer_and_what_was_refused_says_nothing() {
    let limits = LatencyBounds { p95: Some(ms(900)), ..LatencyBounds::default() };
    let with = |outcome| {
        let story = Story::new("survives").chaos(move |_, sample| sample.outcome = outcome);
        bounded(story, limits).report()
    };
    let p95 = |report: &Report| evaluated(report, Indicator::LatencyP95).clone();
    assert_eq!(p95(&with(Outcome::Timeout)).counts, Some((1000, 1000)));
    let refused = p95(&with(Outcome::ConnectError));
    assert_eq!((refused.verdict, refused.reason), (Verdict::Inconclusive, Some(Reason::NoSamples)));
    assert_eq!(refused.measured, None);
}

#[test]
fn each_bound_has_its_share_of_the_error_that_is_allowed() {
    let confidence = |latency| bounded(Story::new("survives"), latency).report().judgement.confidence;
    let none = LatencyBounds::default();
    // Two decisions rest on counts, then four; α is 0.1 % for all of them.
    assert!((confidence(none) - 0.999).abs() < 1e-12);
    assert!(
        (confidence(LatencyBounds { p50: Some(ms(9)), p99: Some(ms(9)), ..none }) - 0.9995).abs() < 1e-12
    );
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 48, ..Default::default() })]

    /// The verdict is that of the count, and a looser bound is never worse.
    #[test]
    fn the_verdict_is_that_of_the_count(slow in 0_usize..1000, limit in 1_u64..500, more in 0_u64..200) {
        let report = |limit| {
            let story = Story::new("t").chaos(move |n, sample| {
                if n < slow {
                    sample.latency += ms(250);
                }
            });
            bounded(story, LatencyBounds { p95: Some(ms(limit)), ..LatencyBounds::default() }).report()
        };
        let tight = report(limit);
        let evaluation = evaluated(&tight, Indicator::LatencyP95);
        let chaos = tight.trace.streams[0].samples.iter();
        let chaos = chaos.filter(|sample| tight.trace.marks.phase_of(sample.at) == Some(Phase::Chaos));
        let over = chaos.filter(|sample| sample.latency > ms(limit)).count() as u64;
        proptest::prop_assert_eq!(evaluation.counts, Some((over, 1000)));
        let wanted = match Proportion::new(over, 1000).decide(0.05, 0.001 / 3.0) {
            Decision::Within => Verdict::Pass,
            Decision::Unclear => Verdict::Inconclusive,
            Decision::Beyond => Verdict::Fail,
        };
        proptest::prop_assert_eq!(evaluation.verdict, wanted);
        let (Some(Figure::Seconds(measured)), Some((Figure::Seconds(low), Figure::Seconds(high)))) =
            (evaluation.measured, evaluation.interval) else { panic!("{evaluation:?}") };
        proptest::prop_assert!(low <= measured && measured <= high);
        proptest::prop_assert!(evaluated(&report(limit + more), Indicator::LatencyP95).verdict <= wanted);
    }
}
