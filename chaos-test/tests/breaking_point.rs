//! The search for what a service stands, on services whose truth is known.

use std::cell::Cell;
use std::convert::Infallible;

use chaos_test::slo::{Bracket, BreakingPoint, Verdict};
use proptest::prelude::*;

/// The search needs no runtime: nothing here ever waits.
fn search(point: BreakingPoint, mut verdict: impl FnMut(f64) -> Verdict) -> Bracket {
    let found = point.find(async |intensity| Ok::<_, Infallible>(verdict(intensity)));
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(found).unwrap()
}

fn between(low: f64, high: f64) -> BreakingPoint {
    BreakingPoint::between(low, high).expect("in order")
}

fn holds_up_to(truth: f64) -> impl FnMut(f64) -> Verdict {
    move |intensity| if intensity <= truth { Verdict::Pass } else { Verdict::Fail }
}

#[test]
fn what_holds_or_breaks_at_both_ends_is_not_searched() {
    let found = search(between(1.0, 100.0), |_| Verdict::Fail);
    assert_eq!(found.to_string(), "breaks at 1 already (1 run)");
    let found = search(between(0.25, 100.0), |_| Verdict::Pass);
    assert_eq!(found.to_string(), "holds at 100, and was not seen to break (2 runs)");
    assert!(found.is_monotone());
    let found = search(between(1.0, 100.0).at_most(5), |_| Verdict::Inconclusive);
    assert_eq!(found.to_string(), "neither holds nor breaks (5 runs, 5 of them could not tell)");
}

#[test]
fn what_stopped_a_run_breaks_it_and_what_could_not_be_carried_out_says_nothing() {
    let mut runs = 0;
    let found = search(between(1.0, 16.0).to_within(2.0), |intensity| {
        runs += 1;
        match intensity {
            _ if runs == 3 => Verdict::Error,
            at if at > 5.0 => Verdict::Aborted,
            _ => Verdict::Pass,
        }
    });
    // 4 could not tell, so beside it was looked as well.
    assert_eq!(found.holds_at(), Some(2.0), "{found}");
    assert_eq!(found.breaks_at().map(f64::round), Some(8.0), "{found}");
    assert!(
        found.points().iter().any(|(at, verdict)| at.round() == 4.0 && *verdict == Verdict::Error),
        "{found:?}"
    );
    assert!(found.to_string().contains("1 of them could not tell"), "{found}");
}

#[test]
fn what_holds_again_beyond_is_told() {
    // It breaks from 10 to 40 only: the end breaks because it was said so, the check beyond finds it holding.
    let broken = |at: f64| (10.0..40.0).contains(&at) || at >= 1000.0;
    let found = search(between(1.0, 1000.0).to_within(1.2), |at| match broken(at) {
        true => Verdict::Fail,
        false => Verdict::Pass,
    });
    assert!(!found.is_monotone(), "{found:?}");
    assert!(found.to_string().ends_with("; it held at more than that again: there is no one breaking point"));
}

#[test]
fn an_error_of_the_experiment_ends_the_search() {
    let runs = Cell::new(0);
    let found = between(1.0, 100.0).find(async |_| {
        runs.set(runs.get() + 1);
        Err::<Verdict, _>("no such scenario")
    });
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    assert_eq!((runtime.block_on(found).unwrap_err(), runs.get()), ("no such scenario", 1));
}

#[test]
fn intensities_without_a_logarithm_are_refused() {
    for (low, high) in
        [(0.0, 1.0), (-1.0, 1.0), (2.0, 2.0), (3.0, 2.0), (1.0, f64::INFINITY), (f64::NAN, 1.0)]
    {
        let why = BreakingPoint::between(low, high).unwrap_err().to_string();
        assert!(why.starts_with("expected two intensities above zero, the lower one first, found"), "{why}");
    }
}

proptest! {
    /// The truth is in the bracket, the bracket is as narrow as was asked, and both sides were looked at.
    #[test]
    fn the_truth_is_in_the_bracket(
        low in 1e-3..1e3_f64,
        ratio in 1.1..1e4_f64,
        share in 0.0..1.0_f64,
        factor in 1.05..4.0_f64,
    ) {
        let high = low * ratio;
        let truth = low * ratio.powf(share);
        let found = search(between(low, high).to_within(factor).at_most(1000), holds_up_to(truth));
        prop_assert!(found.is_monotone());
        let holds = found.holds_at().unwrap();
        let Some(breaks) = found.breaks_at() else {
            prop_assert!(high <= truth);
            return Ok(());
        };
        prop_assert!(holds <= truth && truth < breaks, "{found}");
        prop_assert!(breaks / holds <= factor, "{found}");
        // Each halves the logarithm, but for the ends and the looks on either side.
        let halvings = (ratio.ln() / factor.ln()).log2().ceil().max(0.0);
        prop_assert!(found.points().len() as f64 <= halvings + 6.0, "{found}");
        // Of either side no more than half is unseen.
        for (from, to) in [(low, holds), (breaks, high)] {
            let side: Vec<f64> = found.points().iter().map(|point| point.0).filter(|at| (from..=to).contains(at)).collect();
            let unseen = side.windows(2).map(|two| two[1] / two[0]).fold(1.0, f64::max);
            prop_assert!(unseen <= (to / from).sqrt() * 1.001, "{found}: {side:?}");
        }
    }

    /// However a service flakes, the search ends, within its runs, and what it says agrees with what it saw.
    #[test]
    fn it_ends_whatever_comes(verdicts in proptest::collection::vec(0_u8..4, 1..40), most in 0_u32..20) {
        let mut next = verdicts.iter().cycle();
        let found = search(between(1.0, 1e6).to_within(1.01).at_most(most), |_| match next.next().unwrap() {
            0 => Verdict::Pass,
            1 => Verdict::Inconclusive,
            2 => Verdict::Aborted,
            _ => Verdict::Fail,
        });
        prop_assert!(found.points().len() <= most as usize);
        prop_assert!(found.points().is_sorted_by(|a, b| a.0 < b.0));
        if let (Some(holds), Some(breaks)) = (found.holds_at(), found.breaks_at()) {
            prop_assert!(holds < breaks);
        }
        prop_assert!(!found.to_string().is_empty());
    }
}
