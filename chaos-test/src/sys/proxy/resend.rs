//! What a lost segment costs a TCP stream: pure arithmetic, no clock.
//!
//! A proxy carries a byte stream and cannot lose a part of it; what a loss does to a stream is that everything from the
//! lost segment on comes late. How late is the sender's retransmission, as RFC 6298 and RFC 5681 say and Linux does it:
//!
//! - **A timeout** (RFC 6298): the smoothed round trip and at least 200 ms (`TCP_RTO_MIN`), rounded up to a tick of the
//!   kernel's clock; doubled for each further loss of the same segment, 120 s at most (`TCP_RTO_MAX`).
//! - **Fast retransmit** (RFC 5681, section 3.2): three segments that came after the lost one tell the sender, and the
//!   loss costs about a round trip. If what is sent again is lost too, only a timeout finds out.
//! - **Opening a connection**: no round trip is known yet, so the first timeout is 1 s (RFC 6298, section 2), doubled
//!   each time; either segment of the handshake may be lost, and both ends send theirs again.
//!
//! Not in it: congestion control, delayed acknowledgements, spurious timeouts, tail loss probes, RACK (RFC 8985).

use std::time::Duration;

use crate::stats::SplitMix;

/// The bytes in a segment on Ethernet: 1 500, less the headers of IPv4 and TCP with time stamps.
pub(super) const SEGMENT: usize = 1448;

/// `TCP_RTO_MIN` and the tick it is rounded up to (measured: 204 ms to 208 ms).
const SHORTEST: Duration = Duration::from_millis(204);
/// `TCP_RTO_MAX`.
const LONGEST: Duration = Duration::from_secs(120);
/// RFC 6298, section 2.1.
const FIRST: Duration = Duration::from_secs(1);
/// RFC 5681, section 3.2.
const DUPLICATE_ACKS: usize = 3;
/// `tcp_retries2`, and `tcp_syn_retries`: after so many Linux gives a connection up. Here it goes on, late.
const RETRIES: u32 = 15;
const SYN_RETRIES: u32 = 6;

/// How often one segment is lost before it arrives, each time with probability `loss`.
pub(super) fn losses(loss: f64, random: &mut SplitMix) -> u32 {
    (0..RETRIES).take_while(|_| random.unit() < loss).count() as u32
}

/// How often a handshake fails before it succeeds, each segment of it lost with probability `loss`.
///
/// Once the first has arrived, the server sends its answer again by its own timer, beside the client that asks again.
pub(super) fn handshake_losses(loss: f64, random: &mut SplitMix) -> u32 {
    let mut lost = || random.unit() < loss;
    let mut known = false;
    let mut fails = || {
        let again = !known || lost();
        let asked = !lost();
        known |= asked;
        again && (!asked || lost())
    };
    (0..SYN_RETRIES).take_while(|_| fails()).count() as u32
}

/// How late a segment is that was lost so often, when `behind` bytes wait behind it, on a path with that round trip.
pub(super) fn stall(losses: u32, behind: usize, round_trip: Duration) -> Duration {
    let timeout = SHORTEST + round_trip;
    match losses.checked_sub(1) {
        Some(again) if behind >= DUPLICATE_ACKS * SEGMENT => round_trip + timeouts(again, timeout),
        _ => timeouts(losses, timeout),
    }
}

/// How late a connection opens whose handshake failed so often.
pub(super) fn handshake_stall(losses: u32) -> Duration {
    timeouts(losses, FIRST)
}

/// So many timeouts one after the other, each twice the one before.
fn timeouts(count: u32, first: Duration) -> Duration {
    (0..count).map(|n| first.saturating_mul(1 << n).min(LONGEST)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_lone_segment_waits_for_timeouts_that_double() {
        let stalls: Vec<_> = (0..5).map(|losses| stall(losses, 0, Duration::ZERO)).collect();
        assert_eq!(stalls, [0, 204, 204 * 3, 204 * 7, 204 * 15].map(ms));
        assert_eq!(stall(1, 0, ms(100)), ms(304), "the timeout is above the round trip");
        assert_eq!(stall(2, 0, ms(100)), ms(912));
        assert_eq!(stall(1, DUPLICATE_ACKS * SEGMENT - 1, ms(100)), ms(304), "two and a bit behind it");
    }

    #[test]
    fn no_timeout_is_longer_than_two_minutes() {
        // 204 ms doubled nine times is 104 s, ten times 209 s.
        let nine: Duration = (0..10).map(|n| ms(204) * (1 << n)).sum();
        assert_eq!(stall(10, 0, Duration::ZERO), nine);
        assert_eq!(stall(11, 0, Duration::ZERO), nine + LONGEST);
        assert_eq!(stall(RETRIES, 0, Duration::ZERO), nine + LONGEST * 5);
    }

    #[test]
    fn in_a_bulk_transfer_a_loss_costs_a_round_trip() {
        let behind = DUPLICATE_ACKS * SEGMENT;
        assert_eq!(stall(1, behind, ms(50)), ms(50));
        assert_eq!(stall(3, behind, ms(50)), ms(50 + 254 * 3), "what is sent again is lost twice");
        assert_eq!(stall(0, behind, ms(50)), Duration::ZERO);
    }

    #[test]
    fn opening_takes_one_three_seven_seconds_longer() {
        let stalls: Vec<_> = (0..5).map(handshake_stall).collect();
        assert_eq!(stalls, [0, 1, 3, 7, 15].map(Duration::from_secs));
        assert_eq!(handshake_stall(SYN_RETRIES), Duration::from_secs(63));
    }

    #[test]
    fn nothing_and_all_are_lost_for_sure() {
        let mut random = SplitMix::new(1);
        assert!((0..10_000).all(|_| losses(0.0, &mut random) == 0));
        assert!((0..100).all(|_| losses(1.0, &mut random) == RETRIES));
        assert!((0..100).all(|_| handshake_losses(0.0, &mut random) == 0));
        assert!((0..100).all(|_| handshake_losses(1.0, &mut random) == SYN_RETRIES));
    }

    /// Of `n` draws, how many have more than `k`, beside what is expected and what four deviations are.
    fn share_above(k: u32, p: f64, n: u32, mut draw: impl FnMut() -> u32) -> (f64, f64, f64) {
        let expected = p.powi(k as i32 + 1);
        let seen = (0..n).filter(|_| draw() > k).count() as f64 / f64::from(n);
        (seen, expected, 4.0 * (expected * (1.0 - expected) / f64::from(n)).sqrt())
    }

    #[test]
    fn repeated_losses_are_geometric() {
        for p in [0.01, 0.05, 0.15, 0.3, 0.5] {
            for k in 0..4 {
                let mut random = SplitMix::new(u64::from(k));
                let (seen, expected, margin) = share_above(k, p, 50_000, || losses(p, &mut random));
                assert!((seen - expected).abs() <= margin, "P(> {k}) at {p}: {seen}, expected {expected}");
            }
        }
    }

    /// As a chain of two states: the server knows of the client, or does not yet.
    #[test]
    fn handshakes_fail_as_often_as_the_chain_says() {
        for p in [0.01, 0.05, 0.15, 0.3, 0.5] {
            let either = 1.0 - (1.0 - p) * (1.0 - p);
            let (mut unknown, mut known, mut random) = (1.0, 0.0, SplitMix::new(5));
            let draws: Vec<u32> = (0..50_000).map(|_| handshake_losses(p, &mut random)).collect();
            for k in 0..4 {
                (unknown, known) = (unknown * p, unknown * (1.0 - p) * p + known * p * either);
                let expected: f64 = unknown + known;
                let seen = draws.iter().filter(|&&losses| losses > k).count() as f64 / draws.len() as f64;
                let margin = 4.0 * (expected * (1.0 - expected) / draws.len() as f64).sqrt();
                assert!((seen - expected).abs() <= margin, "P(> {k}) at {p}: {seen}, expected {expected}");
            }
        }
    }

    /// What a lone segment waits on average: Σ pᵏ·2ᵏ⁻¹·RTO = p·RTO ÷ (1 − 2p), as long as no limit is met.
    #[test]
    fn the_mean_is_that_of_the_closed_form() {
        for p in [0.05, 0.15] {
            let (n, mut random) = (200_000, SplitMix::new(3));
            let total: f64 =
                (0..n).map(|_| stall(losses(p, &mut random), 0, Duration::ZERO).as_secs_f64()).sum();
            let (seen, expected) = (total / f64::from(n), p * 0.204 / (1.0 - 2.0 * p));
            assert!((seen / expected - 1.0).abs() < 0.05, "at {p}: {seen}, expected {expected}");
        }
    }

    proptest! {
        #[test]
        fn more_losses_and_longer_ways_never_cost_less(
            losses in 0..RETRIES, behind in 0_usize..1 << 23, round_trip in 0_u64..10_000,
        ) {
            let here = stall(losses, behind, ms(round_trip));
            prop_assert!(here <= stall(losses + 1, behind, ms(round_trip)));
            prop_assert!(here <= stall(losses, behind, ms(round_trip + 1)));
            prop_assert!(stall(losses, behind + SEGMENT, ms(round_trip)) <= here, "more behind it never costs more");
            prop_assert!(here <= LONGEST * RETRIES);
        }

        #[test]
        fn the_same_seed_loses_the_same(seed: u64, loss in 0.0..1.0) {
            let draw = || {
                let mut random = SplitMix::new(seed);
                (0..50).map(|_| losses(loss, &mut random)).collect::<Vec<_>>()
            };
            prop_assert_eq!(draw(), draw());
        }
    }
}
