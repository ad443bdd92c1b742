use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::resend::SEGMENT;

/// What may pass in one instant after a pause: this long's worth. It makes up for timers that wake late.
pub(super) const CREDIT: Duration = Duration::from_millis(10);

/// One direction of a link of limited bandwidth: a token bucket that all connections of a door draw from.
///
/// Each connection has at most one piece in the queue, so connections take turns.
#[derive(Default)]
pub(super) struct Bucket(Mutex<State>);

#[derive(Default)]
struct State {
    /// When the last piece that was let in has passed.
    free: Option<Instant>,
    /// Counts the shapes there have been: a turn belongs to one of them.
    shape: u64,
}

/// A piece's place in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Turn {
    /// When it has passed.
    pub(super) at: Instant,
    /// How large it is.
    pub(super) bytes: usize,
    shape: u64,
}

impl Bucket {
    /// Empties the queue: the shape has changed. Whoever waits takes a new turn.
    pub(super) fn restart(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *state = State { free: None, shape: state.shape + 1 };
    }

    /// The turn of a sender that has `waiting` bytes, at `rate` bytes a second; `had` is the one it has, if any.
    pub(super) fn turn(&self, had: Option<Turn>, waiting: usize, rate: u64, now: Instant) -> Turn {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turn) = had.filter(|turn| turn.shape == state.shape) {
            return turn;
        }
        let rate = rate.max(1) as f64;
        // Pieces of some milliseconds, so that nobody holds the link up for long.
        let bytes = waiting.min((rate * CREDIT.as_secs_f64()) as usize).max(SEGMENT.min(waiting));
        let earliest = now.checked_sub(CREDIT).unwrap_or(now);
        let start = state.free.map_or(earliest, |free| free.max(earliest));
        let at =
            start + Duration::try_from_secs_f64(bytes as f64 / rate).unwrap_or(Duration::from_secs(3600));
        state.free = Some(at);
        Turn { at, bytes, shape: state.shape }
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "a test needs some instant to count from")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_piece_may_pass_at_once_and_the_next_waits_for_it() {
        let (bucket, now) = (Bucket::default(), Instant::now());
        let first = bucket.turn(None, 1000, 100_000, now);
        assert_eq!((first.bytes, first.at), (1000, now), "the credit is worth 1000 bytes");
        let second = bucket.turn(None, 50_000, 100_000, now);
        assert_eq!((second.bytes, second.at), (SEGMENT, now + Duration::from_micros(14_480)));
        assert_eq!(bucket.turn(Some(second), 50_000, 100_000, now), second, "one turn at a time");
    }

    #[test]
    fn a_change_of_the_shape_empties_the_queue() {
        let (bucket, now) = (Bucket::default(), Instant::now());
        let slow = bucket.turn(None, 1000, 10, now);
        assert!(slow.at > now + Duration::from_secs(90));
        bucket.restart();
        assert_eq!(bucket.turn(Some(slow), 1000, 1_000_000, now).at, now - Duration::from_millis(9));
    }

    proptest! {
        /// However many ask, whenever they ask: no more passes than the rate allows, and a busy link is never idle.
        #[test]
        fn the_rate_is_kept(rate in 100_u64..100_000_000, asks in prop::collection::vec((0_u64..20_000, 1_usize..65_536), 1..200)) {
            let (bucket, start) = (Bucket::default(), Instant::now());
            let (mut now, mut passed, mut end) = (start, 0_usize, start);
            for (pause, waiting) in asks {
                now += Duration::from_micros(pause);
                let turn = bucket.turn(None, waiting, rate, now);
                prop_assert!((1..=waiting).contains(&turn.bytes));
                passed += turn.bytes;
                end = end.max(turn.at);
            }
            let allowed = (end.max(start) - start + CREDIT).as_secs_f64() * rate as f64;
            prop_assert!(passed as f64 <= allowed * 1.000_001 + 1.0, "{passed} of {allowed}");
        }
    }
}
