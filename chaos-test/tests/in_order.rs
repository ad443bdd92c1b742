//! Verdicts by evidence as it comes in: what a run that is under way is told is what the record says in the end.
#![cfg_attr(not(feature = "runtime"), allow(dead_code, reason = "the pure half has no attribute"))]

mod synthetic;

use std::time::Duration;

use chaos_test::model::{Carried, CarriedShare, CountRule, Outcome, Sample, Trace};
use chaos_test::slo::{Indicator, Reason, SoFar, Verdict, judge, so_far};
use chaos_test::stats::SplitMix;
use chaos_test::units::Percent;
use synthetic::{BASELINE, Story, ms};

/// A story of twenty seconds under a fault that lasts, with those samples in it.
fn story(change: impl Fn(usize, &mut Sample)) -> Story {
    Story::new("in_order").with(|story| story.trace.count_rule = CountRule::Sequential).chaos(change)
}

fn bad(sample: &mut Sample) {
    sample.outcome = Outcome::ConnectError;
}

fn slow(sample: &mut Sample) {
    sample.latency = ms(900);
}

/// The trace as it was known so long after the fault was there.
fn known_by(trace: &Trace, exposed: Duration) -> Trace {
    let mut known = trace.clone();
    let now = trace.marks.injected.unwrap() + exposed;
    known.marks.chaos_ended = None;
    known.marks.revert_started = None;
    known.marks.removed = None;
    known.marks.ended = None;
    known.streams.iter_mut().for_each(|stream| stream.samples.retain(|sample| sample.at < now));
    if let Some(delivery) = &mut known.delivery {
        delivery.readings.retain(|reading| reading.at < now);
    }
    known
}

fn verdict_of(trace: &Trace, story: &Story, indicator: Indicator) -> (Verdict, Option<u64>) {
    let judgement = judge(trace, &story.slo.objectives);
    let found = judgement.evaluations.iter().find(|e| e.indicator == indicator).unwrap();
    (found.verdict, found.evidence.as_ref().and_then(|trail| trail.decided_after))
}

#[test]
fn a_slow_service_fails_within_the_first_seconds_once_the_fault_is_proven() {
    let story = story(|_, sample| slow(sample));
    assert_eq!(
        so_far(&known_by(&story.trace, ms(1_900)), &story.slo.objectives),
        SoFar::Open { undecided: true }
    );
    let known = known_by(&story.trace, ms(2_200));
    assert_eq!(so_far(&known, &story.slo.objectives), SoFar::Fail);
    let mut unproven = known;
    unproven.delivery.as_mut().unwrap().readings.truncate(2);
    assert_eq!(so_far(&unproven, &story.slo.objectives), SoFar::Open { undecided: true });
    let (verdict, after) = verdict_of(&story.trace, &story, Indicator::LatencyDegradation);
    assert_eq!((verdict, after), (Verdict::Fail, Some(105)));
}

#[test]
fn what_is_beyond_its_limit_in_samples_that_were_late_is_looked_at_for_longer() {
    let mut story = story(|_, sample| slow(sample));
    let injected = story.trace.marks.injected.unwrap();
    let exposed = story.trace.streams[0].samples.iter_mut().filter(|sample| sample.at >= injected);
    exposed.skip(10).take(2).for_each(|sample| sample.lag = ms(60));
    // Two of 130 are more than one in a hundred, and a run that ended there would say nothing.
    let objectives = &story.slo.objectives;
    assert_eq!(so_far(&known_by(&story.trace, ms(2_600)), objectives), SoFar::Open { undecided: true });
    assert_eq!(so_far(&known_by(&story.trace, ms(4_500)), objectives), SoFar::Fail);
}

#[test]
fn a_flawless_service_passes_when_bursts_would_have_shown_and_not_before_the_fault_is_proven() {
    let mut story = story(|_, _| {});
    // A phase of half a minute; the story has samples for twenty seconds of it and thirteen behind it.
    let longer = story.trace.marks.injected.unwrap() + Duration::from_secs(30);
    story.trace.marks.chaos_ended = Some(longer);
    let objectives = &story.slo.objectives;
    assert_eq!(
        so_far(&known_by(&story.trace, Duration::from_secs(20)), objectives),
        SoFar::Open { undecided: false }
    );
    assert_eq!(so_far(&known_by(&story.trace, Duration::from_secs(22)), objectives), SoFar::Pass);
    // Where all samples may be bad, only the other share is waited for.
    let mut careless = objectives.clone();
    careless.error_rate = Some(Percent::HUNDRED);
    assert_eq!(so_far(&known_by(&story.trace, Duration::from_secs(22)), &careless), SoFar::Pass);
    let mut unproven = known_by(&story.trace, Duration::from_secs(22));
    unproven.delivery.as_mut().unwrap().readings.truncate(2);
    assert_ne!(so_far(&unproven, objectives), SoFar::Pass);
    let (verdict, after) = verdict_of(&story.trace, &story, Indicator::ErrorRate);
    assert_eq!((verdict, after), (Verdict::Pass, Some(1055)));
}

#[test]
fn whole_phases_are_judged_whole() {
    let mut story = story(|_, sample| bad(sample));
    story.trace.count_rule = CountRule::WholePhase;
    assert_eq!(so_far(&story.trace, &story.slo.objectives), SoFar::Open { undecided: false });
    let judgement = judge(&story.trace, &story.slo.objectives);
    assert!(judgement.evaluations.iter().all(|evaluation| evaluation.evidence.is_none()));
}

#[test]
fn evidence_is_told_second_by_second_and_only_grows_in_a_flawless_run() {
    let story = story(|_, _| {});
    let judgement = judge(&story.trace, &story.slo.objectives);
    let trail = judgement.evaluations[0].evidence.as_ref().unwrap();
    assert_eq!(trail.points.len(), 20);
    assert!(trail.points.is_sorted_by(|a, b| a.at < b.at && a.n < b.n && a.within <= b.within));
    assert!(trail.points.iter().all(|point| point.beyond == 0.0));
}

#[test]
fn a_second_try_goes_on_where_the_first_had_to_stop() {
    // Two seconds of it cannot tell; the same with eight seconds from before can.
    let short = |story: &mut Story| {
        let end = story.trace.marks.injected.unwrap() + Duration::from_secs(2);
        story.trace.marks.chaos_ended = Some(end);
        story.trace.marks.removed = Some(end + ms(4));
        let readings = &mut story.trace.delivery.as_mut().unwrap().readings;
        for (n, reading) in readings.iter_mut().enumerate() {
            reading.at = BASELINE + ms(20) + ms(10) * n as u32;
        }
    };
    let first = story(|_, _| {}).with(short);
    let judgement = judge(&first.trace, &first.slo.objectives);
    assert_eq!(judgement.verdict, Verdict::Inconclusive, "{judgement:?}");
    assert!(matches!(judgement.weightiest(), Some(Reason::NeedsMoreSamples { more: Some(_) })));
    let share = |evaluation: &chaos_test::slo::Evaluation| {
        let seen = evaluation.evidence.as_ref()?.seen;
        Some(CarriedShare {
            stream: evaluation.stream.clone(),
            indicator: evaluation.indicator.key(),
            samples: seen.n,
            bad: seen.k,
            runs: seen.runs,
        })
    };
    let shares: Vec<CarriedShare> = judgement.evaluations.iter().filter_map(share).collect();
    assert_eq!(shares.iter().map(|share| share.samples).collect::<Vec<_>>(), [100, 100]);
    let second = |mechanism: Option<&str>| {
        let carried =
            Carried { tries: 1, looks: 1, mechanism: mechanism.map(Into::into), shares: shares.clone() };
        let second = first.clone().with(|story| story.trace.carried = Some(carried));
        let judgement = judge(&second.trace, &second.slo.objectives);
        (judgement.verdict, judgement.evaluations[0].counts)
    };
    let mechanism = first.trace.delivery.as_ref().map(|delivery| delivery.mechanism.as_str());
    assert!(mechanism.is_some_and(|mechanism| mechanism != "netem"));
    assert_eq!(second(mechanism), (Verdict::Pass, Some((0, 200))));
    assert_eq!(second(None), (Verdict::Pass, Some((0, 200))), "a record that does not say");
    assert_eq!(
        second(Some("netem")),
        (Verdict::Inconclusive, Some((0, 100))),
        "another rung is another fault"
    );
}

/// The same, of half a minute under the fault.
fn half_a_minute(change: impl Fn(usize, &mut Sample)) -> Story {
    let longer = |story: &mut Story| {
        story.trace.count_rule = CountRule::Sequential;
        let marks = &mut story.trace.marks;
        let end = marks.injected.unwrap() + Duration::from_secs(30);
        (marks.chaos_ended, marks.revert_started, marks.removed) = (Some(end), Some(end), Some(end + ms(4)));
    };
    Story::new("in_order").with(longer).chaos(change)
}

/// After how long under the fault the phase would have ended, and for what.
fn stopped(story: &Story) -> Option<(Duration, SoFar)> {
    (2..=30_u64).map(|n| ms(1000 * n)).find_map(|exposed| {
        let told = so_far(&known_by(&story.trace, exposed), &story.slo.objectives);
        (told == SoFar::Pass || told == SoFar::Fail).then_some((exposed, told))
    })
}

/// The trace of a run that ended then.
fn ended_after(story: &Story, exposed: Duration) -> Trace {
    let mut ended = story.trace.clone();
    let end = ended.marks.injected.unwrap() + exposed;
    ended.marks.chaos_ended = Some(end);
    ended.marks.removed = Some(end + ms(4));
    ended
}

#[test]
fn few_errors_one_by_one_pass_early_and_the_record_says_so() {
    let story = half_a_minute(|n, sample| {
        if n % 200 == 17 {
            bad(sample);
        }
    });
    let (exposed, told) = stopped(&story).expect("they are a tenth of what is allowed");
    assert_eq!(told, SoFar::Pass);
    let (verdict, after) = verdict_of(&ended_after(&story, exposed), &story, Indicator::ErrorRate);
    assert_eq!(verdict, Verdict::Pass);
    assert!(after.is_some(), "it was decided on the way");
}

/// A share of which few are bad, so that it passes on the way, or some, or many.
fn few_or_many() -> impl proptest::strategy::Strategy<Value = f64> {
    proptest::prop_oneof![proptest::strategy::Just(0.0), 0.0_f64..0.01, 0.0_f64..0.5]
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(96))]

    /// Online and offline are one: whatever a run was stopped for is what the record of it says.
    #[test]
    fn what_a_run_is_told_on_the_way_is_what_its_record_says(
        seed in 0_u64..100_000, share in few_or_many(), burst in 1_u32..12, too_slow in few_or_many()
    ) {
        let (mut random, mut left) = (SplitMix::new(seed), 0_u32);
        let mut fate = Vec::new();
        for _ in 0..1500 {
            if left == 0 && random.unit() < share / f64::from(burst) {
                left = burst;
            }
            fate.push((left > 0, random.unit() < too_slow));
            left = left.saturating_sub(1);
        }
        let story = half_a_minute(|n, sample| match fate[n] {
            (true, _) => bad(sample),
            (_, true) => slow(sample),
            _ => {}
        });
        if let Some((exposed, told)) = stopped(&story) {
            let shares_of = |trace: &Trace| [Indicator::ErrorRate, Indicator::LatencyDegradation]
                .map(|indicator| verdict_of(trace, &story, indicator).0);
            let ended = shares_of(&ended_after(&story, exposed));
            match told {
                SoFar::Pass => proptest::prop_assert_eq!(ended, [Verdict::Pass; 2]),
                // Beyond stays, whatever comes after it.
                _ => for shares in [ended, shares_of(&story.trace)] {
                    proptest::prop_assert!(shares.contains(&Verdict::Fail));
                }
            }
        }
    }

    /// A stricter objective is never met by samples that a looser one is broken or left open by.
    #[test]
    fn verdicts_are_monotone_in_the_limit(seed in 0_u64..100_000, share in 0.0_f64..0.3, looser in 1.0_f64..8.0) {
        let mut random = SplitMix::new(seed);
        let fate: Vec<bool> = (0..1000).map(|_| random.unit() < share).collect();
        let story = story(|n, sample| if fate[n] { bad(sample) });
        let mut loose = story.clone();
        let limit = story.slo.objectives.error_rate.unwrap().ratio() * 100.0 * looser;
        loose.slo.objectives.error_rate = Some(Percent::new(limit.min(99.0)).unwrap());
        let (strict, _) = verdict_of(&story.trace, &story, Indicator::ErrorRate);
        let (lax, _) = verdict_of(&loose.trace, &loose, Indicator::ErrorRate);
        proptest::prop_assert!(lax <= strict, "{lax} by {limit} %, {strict} by the profile");
    }
}
