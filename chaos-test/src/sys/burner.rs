//! What a processor worker does: nothing useful, for the share of the time it was told.

use std::time::{Duration, Instant};

use nix::libc;
use nix::time::{ClockId, clock_gettime};

use super::lease::Lease;
use super::timer::now;

/// A worker that never sleeps looks that often whether it should go on.
const SLICE: Duration = Duration::from_millis(5);
/// One that sleeps works and sleeps once in that time.
const PERIOD: Duration = Duration::from_millis(4);
/// How much it makes up for when it was kept from the processor. What is beyond that is forgotten, so that a host that
/// was busy for a minute is not made to suffer for another.
const ARREARS: Duration = Duration::from_millis(100);

/// Takes that share of one processor, up to the whole of it, for as long as the lease holds.
pub(crate) fn burn(load: f64) {
    if load >= 1.0 {
        all_the_time();
    } else if load > 0.0 {
        for_a_share(load);
    } else {
        // To wake up for nothing would be to take something.
        idle();
    }
}

/// Looks like a worker and does nothing.
pub(crate) fn idle() {
    Lease::begin().wait_for_its_end();
}

fn all_the_time() {
    let lease = Lease::begin();
    while lease.holds() {
        let slice = now() + SLICE;
        work_while(|| now() < slice);
    }
}

/// Works in every period until it has had its share of all the time since it began, by the kernel's account of this
/// thread, and sleeps for the rest. What one period is off, by a late waking or a busy host, the next ones make good.
fn for_a_share(load: f64) {
    // Else the kernel wakes it up to 50 µs late.
    // SAFETY: this prctl takes integers and changes only how exactly timers of this thread expire.
    unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1, 0, 0, 0) };
    let lease = Lease::begin();
    let (mut begun, used_before) = (now(), used());
    let mut next = begun;
    while lease.holds_until(next) {
        next = (next + PERIOD).max(now());
        let had = used() - used_before;
        begun = begun.max(forgiven(begun, next, load, had));
        let due = next.saturating_duration_since(begun).mul_f64(load);
        work_while(|| used() - used_before < due && now() < next);
    }
}

/// When it would have had to begin for no more than [`ARREARS`] to be due beyond what it had.
fn forgiven(begun: Instant, next: Instant, load: f64, had: Duration) -> Instant {
    let due = next.saturating_duration_since(begun).mul_f64(load);
    match due.checked_sub(had + ARREARS) {
        Some(excess) if load > 0.0 => begun + excess.div_f64(load),
        _ => begun,
    }
}

fn work_while(mut more: impl FnMut() -> bool) {
    let mut state = 1_u64;
    while more() {
        for _ in 0..2_000 {
            state = std::hint::black_box(state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
        }
    }
}

/// Processor time of this thread.
fn used() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_beyond_the_arrears_is_forgotten() {
        let begun = now();
        let at = |ms| begun + Duration::from_millis(ms);
        let ms = Duration::from_millis;
        assert_eq!(forgiven(begun, at(1000), 0.5, ms(500)), begun, "nothing is owed");
        assert_eq!(forgiven(begun, at(1000), 0.5, ms(400)), begun, "that much is made up for");
        assert_eq!(forgiven(begun, at(1000), 0.5, ms(100)), at(600), "100 ms are due beyond the 100 it had");
        assert_eq!(forgiven(begun, at(1000), 0.0, ms(0)), begun);
    }
}
