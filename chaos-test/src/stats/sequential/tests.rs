use super::*;

fn question(limit: f64) -> Question {
    Question { limit, error: 0.0005, burst: Question::BURST, longest: 50.0 }
}

fn fed(question: Question, samples: impl IntoIterator<Item = bool>) -> Sequential {
    let mut evidence = Sequential::new(question);
    for (n, bad) in samples.into_iter().enumerate() {
        evidence.push(bad, n / 50, if n >= 250 { MayDecide::Either } else { MayDecide::Beyond });
    }
    evidence
}

fn rank(decision: Decision) -> u8 {
    match decision {
        Decision::Within => 0,
        Decision::Unclear => 1,
        Decision::Beyond => 2,
    }
}

#[test]
fn a_flawless_service_passes_once_bursts_would_have_shown() {
    // ln(1 ÷ 0.004) = 5.52 bursts of ten should have begun: at 5 % of n samples, n ÷ 200 ÷ 0.955.
    let evidence = fed(question(0.05), std::iter::repeat_n(false, 2000));
    let (decision, tally) = evidence.decided().unwrap();
    assert_eq!((decision, tally.n), (Decision::Within, 1055));
}

#[test]
fn nothing_passes_before_it_may() {
    let mut evidence = Sequential::new(question(0.1));
    (0..5000).for_each(|n| evidence.push(false, n / 50, MayDecide::Nothing));
    assert_eq!(evidence.decided(), None);
    assert_eq!(evidence.conclude(), Decision::Within);
}

#[test]
fn what_began_within_and_went_beyond_is_no_pass() {
    let late = |from: usize, to: usize| fed(question(0.05), (0..to).map(move |n| n >= from && n % 2 == 0));
    assert_eq!(late(1100, 1150).conclude(), Decision::Within, "2 % in all");
    assert_eq!(late(1160, 1300).conclude(), Decision::Unclear, "5.4 %, and not beyond doubt");
    assert_eq!(late(1100, 2650).conclude(), Decision::Beyond, "29 %");
}

#[test]
fn a_service_that_is_down_fails_within_seconds() {
    let evidence = fed(question(0.05), std::iter::repeat_n(true, 2000));
    let (decision, tally) = evidence.decided().unwrap();
    assert_eq!(decision, Decision::Beyond);
    assert!(tally.n < 500, "{tally:?}");
}

#[test]
fn one_hiccup_of_a_second_fails_nobody() {
    let evidence = fed(question(0.05), (0..1500).map(|n| (300..350).contains(&n)));
    assert_ne!(evidence.conclude(), Decision::Beyond);
}

#[test]
fn errors_piled_up_in_some_seconds_are_no_early_pass() {
    // 2 % in all: but all of it in single errors of two seconds.
    let at = |n: usize| (n % 750) < 100 && n.is_multiple_of(5);
    let piled = fed(question(0.05), (0..1500).map(at));
    assert_eq!(piled.decided(), None);
    let even = fed(question(0.05), (0..1500).map(|n| n % 60 == 17));
    assert_eq!(even.decided().unwrap().0, Decision::Within);
}

#[test]
fn evidence_goes_on_from_where_it_stopped() {
    let first = fed(question(0.05), std::iter::repeat_n(false, 700));
    assert_eq!(first.decided(), None);
    let mut second = Sequential::continuing(question(0.05), first.seen(), 1);
    (0..400).for_each(|n| second.push(false, n / 50, MayDecide::Either));
    assert_eq!(second.decided().unwrap().1.n, 1055);
}

#[test]
fn what_is_needed_is_what_it_takes_to_the_end() {
    // ln(0.00025) ÷ ln 0.95 of flawless ones, by exact limits at half of the error.
    let seen = fed(question(0.05), std::iter::repeat_n(false, 100));
    assert_eq!(seen.conclude(), Decision::Unclear);
    assert_eq!(seen.more_needed(), Some(162 - 100));
    assert_eq!(Sequential::new(question(0.05)).more_needed(), Some(162));
    assert_eq!(fed(question(0.05), std::iter::repeat_n(false, 162)).conclude(), Decision::Within);
    // On the limit itself there is no telling.
    assert_eq!(fed(question(0.05), (0..1000).map(|n| n % 20 == 0)).more_needed(), None);
}

proptest::proptest! {
    #[test]
    fn a_stricter_limit_never_makes_it_better(
        seed in 0_u64..10_000, limit in 0.005_f64..0.3, stricter in 0.1_f64..1.0, share in 0.0_f64..0.4, burst in 1.0_f64..12.0
    ) {
        let samples = |limit: f64| {
            let mut random = crate::stats::SplitMix::new(seed);
            let mut bad = false;
            fed(question(limit), (0..2000).map(move |_| {
                let goes_on = random.unit() < 1.0 - 1.0 / burst;
                bad = if bad && goes_on { true } else { random.unit() < share / burst };
                bad
            }))
        };
        proptest::prop_assert!(rank(samples(limit * stricter).conclude()) >= rank(samples(limit).conclude()));
    }

    #[test]
    fn more_runs_like_those_seen_never_make_it_better(runs in 0_u64..60, more in 0_u64..40, length in 1_u64..12, limit in 0.01_f64..0.2) {
        // Spread evenly over a minute.
        let samples = |runs: u64| (0..3000_u64).map(move |n| runs > 0 && n % (3000 / runs.max(1)) < length);
        let length_fits = 3000 / (runs + more).max(1) > length;
        proptest::prop_assume!(length_fits);
        let (few, many) = (fed(question(limit), samples(runs)), fed(question(limit), samples(runs + more)));
        let few_seen = few.seen();
        proptest::prop_assume!(many.seen().k >= few_seen.k && length as f64 >= Question::BURST || runs > 3);
        let whole = |evidence: &Sequential| rank(evidence.at_the_end(evidence.seen()));
        proptest::prop_assert!(whole(&many) >= whole(&few));
    }

    #[test]
    fn more_good_samples_never_take_back_a_flawless_pass(n in 0_u64..3000, more in 0_u64..3000, limit in 0.005_f64..0.3) {
        let conclude = |n: u64| rank(fed(question(limit), std::iter::repeat_n(false, n as usize)).conclude());
        proptest::prop_assert!(conclude(n + more) <= conclude(n));
    }
}
