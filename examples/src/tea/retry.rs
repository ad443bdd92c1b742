//! Asking again: how often, after which wait, and out of which budget.
//!
//! The wait doubles, and a random part of it is taken ("full jitter"), so that those who failed together do not come back
//! together. The budget is a share of the traffic: each request pays in a little, each retry takes one out. In an outage,
//! when every request would like to ask again, the dependency sees [`SHARE`] more questions and not several times as many.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What a request pays in: one retry for ten requests.
const SHARE: f64 = 0.1;
/// What can be saved up, for a hiccup that hits several requests at once.
const SAVINGS: f64 = 10.0;

#[derive(Debug)]
pub(super) struct Retry {
    /// Attempts of one request, with the first.
    attempts: u32,
    first_wait: Duration,
    longest_wait: Duration,
    /// Without one, retries are free.
    budget: Option<Mutex<f64>>,
}

impl Retry {
    pub(super) fn new() -> Self {
        Self {
            attempts: 3,
            first_wait: Duration::from_millis(25),
            longest_wait: Duration::from_millis(200),
            budget: Some(Mutex::new(SAVINGS)),
        }
    }

    /// A planted bug: at once, again and again.
    pub(super) fn storm() -> Self {
        Self { attempts: 10, first_wait: Duration::ZERO, longest_wait: Duration::ZERO, budget: None }
    }

    /// A request begins.
    pub(super) fn pay_in(&self) {
        if let Some(budget) = &self.budget {
            let mut budget = budget.lock().unwrap_or_else(PoisonError::into_inner);
            *budget = (*budget + SHARE).min(SAVINGS);
        }
    }

    /// How long to wait before asking again, if that is allowed, after so many attempts. `random` is in 0..1.
    pub(super) fn again_after(&self, attempts: u32, random: f64) -> Option<Duration> {
        if attempts >= self.attempts || !self.afforded() {
            return None;
        }
        let doubled = self.first_wait.saturating_mul(1 << attempts.saturating_sub(1).min(16));
        Some(doubled.min(self.longest_wait).mul_f64(random.clamp(0.0, 1.0)))
    }

    fn afforded(&self) -> bool {
        let Some(budget) = &self.budget else { return true };
        let mut budget = budget.lock().unwrap_or_else(PoisonError::into_inner);
        let enough = *budget >= 1.0;
        if enough {
            *budget -= 1.0;
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_its_longest_and_is_random() {
        let retry = Retry { attempts: 9, ..Retry::new() };
        let waits: Vec<_> =
            (1..7).map(|n| retry.again_after(n, 1.0).expect("affordable").as_millis()).collect();
        assert_eq!(waits, [25, 50, 100, 200, 200, 200]);
        assert_eq!(retry.again_after(1, 0.0), Some(Duration::ZERO));
    }

    #[test]
    fn no_request_asks_more_often_than_it_may() {
        let retry = Retry::new();
        assert!(retry.again_after(2, 0.5).is_some());
        assert_eq!(retry.again_after(3, 0.5), None);
    }

    #[test]
    fn in_an_outage_retries_are_a_share_of_the_traffic() {
        let retry = Retry::new();
        let mut retries = 0;
        for _ in 0..1000 {
            retry.pay_in();
            retries += (1..3).take_while(|n| retry.again_after(*n, 0.5).is_some()).count();
        }
        // What was saved up, and one for every ten.
        assert!((100..=110).contains(&retries), "{retries} retries for 1000 requests");
    }

    #[test]
    fn a_storm_has_no_budget_and_no_wait() {
        let retry = Retry::storm();
        let mut retries = 0;
        for _ in 0..100 {
            retries += (1..20).take_while(|n| retry.again_after(*n, 1.0) == Some(Duration::ZERO)).count();
        }
        assert_eq!(retries, 900);
    }
}
