use chaos_test::model::{Outcome, StreamKind};
use chaos_test::slo::{Figure, Indicator, Verdict};
use chaos_test::units::Rate;

use super::evaluated;
use super::synthetic::{Story, ms, stream};

/// A probe at 50 a second of which every n-th is bad, and a floor.
fn with_floor(every: usize, floor: f64) -> Story {
    let story = Story::new("survives").chaos(move |n, sample| {
        if (n + 1) % every == 0 {
            sample.outcome = Outcome::ConnectError;
        }
    });
    story.with(|story| {
        story.slo.objectives.error_rate = None;
        story.slo.objectives.throughput = Some(Rate::per_second(floor).unwrap());
    })
}

#[test]
fn a_floor_is_a_share_of_what_was_sent() {
    let report = with_floor(10, 40.0).report();
    let throughput = evaluated(&report, Indicator::Throughput);
    assert_eq!((throughput.measured, throughput.counts), (Some(Figure::PerSecond(45.0)), Some((100, 1000))));
    assert_eq!((throughput.limit, throughput.verdict), (Figure::PerSecond(40.0), Verdict::Pass));
    let Some((Figure::PerSecond(low), Figure::PerSecond(high))) = throughput.interval else { panic!() };
    assert!(low > 40.0 && low < 45.0 && high > 45.0 && high < 50.0, "{low} {high}");
}

#[test]
fn below_the_floor_fails_and_near_it_is_unclear() {
    let verdict = |floor| evaluated(&with_floor(10, floor).report(), Indicator::Throughput).verdict;
    assert_eq!(verdict(45.5), Verdict::Inconclusive);
    assert_eq!(verdict(48.0), Verdict::Fail);
    // All that is sent, and more than is sent: a run refuses it; nothing that was measured shows it either.
    assert_eq!(verdict(50.0), Verdict::Fail);
    assert_eq!(
        evaluated(&with_floor(10_000, 60.0).report(), Indicator::Throughput).verdict,
        Verdict::Inconclusive
    );
    let report = with_floor(10, 48.0).report();
    assert_eq!(
        report.headline(),
        "SLO \"staging\" breached under \"Medium Network Delay\": throughput 45/s < 48/s"
    );
}

#[test]
fn beside_a_repeated_body_probes_carry_no_throughput() {
    let report = with_floor(10, 15.0)
        .with(|story| {
            let marks = story.trace.marks;
            story.trace.streams.push(stream("body", StreamKind::Transaction, ms(50), &marks));
        })
        .report();
    let throughput = evaluated(&report, Indicator::Throughput);
    assert_eq!((throughput.stream.as_str(), throughput.measured), ("body", Some(Figure::PerSecond(20.0))));
}
