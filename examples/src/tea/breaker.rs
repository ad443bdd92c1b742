//! A circuit breaker: a dependency that keeps failing is left alone for a while.
//!
//! Closed, all are admitted. After [`FAILURES`] failures in a row it opens, and nobody is admitted for [`PAUSE`]. Then it
//! is half open: one may try. Succeeds that one, it closes; fails it, it is open for another pause.
//!
//! Time is passed in. Who was admitted and went away without a word (a caller that hung up) has said nothing about the
//! dependency, but his place as the one who tries is free again.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::log;

/// So many failures in a row are no accident. Where each takes a second, more would be long in coming.
pub(super) const FAILURES: u32 = 3;
/// How long the dependency is left alone.
pub(super) const PAUSE: Duration = Duration::from_millis(500);

#[derive(Debug, Clone, Copy)]
enum State {
    Closed { failures: u32 },
    Open { since: Instant },
    HalfOpen,
}

#[derive(Debug)]
pub(super) struct Breaker {
    name: &'static str,
    /// Never, for one that cannot open.
    failures: Option<u32>,
    state: Mutex<State>,
}

/// The right to try once. Say how it went.
#[must_use]
pub(super) struct Permit<'a> {
    breaker: &'a Breaker,
    trial: bool,
    said: bool,
}

impl Breaker {
    pub(super) fn new(name: &'static str) -> Self {
        Self { name, failures: Some(FAILURES), state: Mutex::new(State::Closed { failures: 0 }) }
    }

    /// One that admits all, always.
    pub(super) fn never_open(name: &'static str) -> Self {
        Self { failures: None, ..Self::new(name) }
    }

    pub(super) fn admit(&self, now: Instant) -> Option<Permit<'_>> {
        let mut state = self.state();
        let trial = match *state {
            State::Closed { .. } => false,
            State::Open { since } if now.saturating_duration_since(since) >= PAUSE => {
                *state = State::HalfOpen;
                true
            }
            State::Open { .. } | State::HalfOpen => return None,
        };
        Some(Permit { breaker: self, trial, said: false })
    }

    /// Whether all are admitted.
    pub(super) fn is_closed(&self) -> bool {
        matches!(*self.state(), State::Closed { .. })
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn opened(&self, state: &mut State, now: Instant) {
        *state = State::Open { since: now };
        log::warn("breaker opened", &[("of", self.name)]);
    }
}

impl Permit<'_> {
    pub(super) fn succeeded(mut self) {
        self.said = true;
        let mut state = self.breaker.state();
        if !matches!(*state, State::Closed { .. }) {
            // Who was admitted before it opened is late, but has a good word for it too.
            log::info("breaker closed", &[("of", self.breaker.name)]);
        }
        *state = State::Closed { failures: 0 };
    }

    pub(super) fn failed(mut self, now: Instant) {
        self.said = true;
        let Some(limit) = self.breaker.failures else { return };
        let mut state = self.breaker.state();
        match &mut *state {
            State::Closed { failures } => {
                *failures += 1;
                if *failures >= limit {
                    self.breaker.opened(&mut state, now);
                }
            }
            State::HalfOpen if self.trial => self.breaker.opened(&mut state, now),
            // From before it opened: known.
            State::HalfOpen | State::Open { .. } => {}
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.trial && !self.said {
            let mut state = self.breaker.state();
            // The pause is over already: the next one may try at once.
            if let (State::HalfOpen, Some(since)) = (*state, Instant::now().checked_sub(PAUSE)) {
                *state = State::Open { since };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(now: Instant) -> Breaker {
        let breaker = Breaker::new("tea");
        for _ in 0..FAILURES {
            breaker.admit(now).expect("closed").failed(now);
        }
        breaker
    }

    #[test]
    fn it_opens_after_failures_in_a_row_only() {
        let (breaker, now) = (Breaker::new("tea"), Instant::now());
        for _ in 0..3 {
            for _ in 1..FAILURES {
                breaker.admit(now).expect("closed").failed(now);
            }
            breaker.admit(now).expect("closed").succeeded();
        }
        assert!(breaker.is_closed());
        assert!(open(now).admit(now).is_none());
    }

    #[test]
    fn after_the_pause_one_may_try_and_all_if_it_succeeds() {
        let now = Instant::now();
        let breaker = open(now);
        assert!(breaker.admit(now + PAUSE - Duration::from_millis(1)).is_none());
        let trial = breaker.admit(now + PAUSE).expect("one may try");
        assert!(breaker.admit(now + PAUSE).is_none(), "one only");
        trial.succeeded();
        assert!(breaker.is_closed());
    }

    #[test]
    fn a_failed_trial_is_another_pause() {
        let now = Instant::now();
        let breaker = open(now);
        let later = now + PAUSE;
        breaker.admit(later).expect("one may try").failed(later);
        assert!(breaker.admit(later + PAUSE / 2).is_none());
        assert!(breaker.admit(later + PAUSE).is_some());
    }

    #[test]
    fn a_trial_that_says_nothing_frees_its_place() {
        let now = Instant::now();
        let breaker = open(now);
        drop(breaker.admit(now + PAUSE).expect("one may try"));
        assert!(breaker.admit(Instant::now() + PAUSE).is_some());
    }

    #[test]
    fn late_failures_do_not_make_the_pause_longer() {
        let now = Instant::now();
        let breaker = Breaker::new("tea");
        let late = breaker.admit(now).expect("closed");
        for _ in 0..FAILURES {
            breaker.admit(now).expect("closed").failed(now);
        }
        late.failed(now + PAUSE / 2);
        assert!(breaker.admit(now + PAUSE).is_some());
    }

    #[test]
    fn one_that_never_opens_does_not() {
        let (breaker, now) = (Breaker::never_open("tea"), Instant::now());
        (0..10 * FAILURES).for_each(|_| breaker.admit(now).expect("closed").failed(now));
        assert!(breaker.is_closed());
    }
}
