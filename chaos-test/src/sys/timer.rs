//! Sleeping to a tenth of a millisecond.
//!
//! Tokio's timer wheel has steps of 1 ms and wakes up to one step late. A delay proxy that does so on both ways adds
//! over 2 ms to every round trip. A timerfd is an interrupt of the kernel's own high-resolution clock; one of them,
//! armed for the earliest deadline of a heap, serves all sleepers of the process.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

struct Entry {
    at: Instant,
    waker: Waker,
    cancelled: Arc<std::sync::atomic::AtomicBool>,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}
impl Eq for Entry {}
impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.at.cmp(&other.at)
    }
}

struct Timer {
    sleepers: Mutex<BinaryHeap<Reverse<Entry>>>,
    clock: TimerFd,
}

impl Timer {
    fn get() -> &'static Self {
        static TIMER: OnceLock<Timer> = OnceLock::new();
        static DRIVER: OnceLock<()> = OnceLock::new();
        let timer = TIMER.get_or_init(|| Self {
            sleepers: Mutex::new(BinaryHeap::new()),
            clock: TimerFd::new(ClockId::CLOCK_MONOTONIC, TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC)
                .expect("creating a timerfd: the process has no descriptors left"),
        });
        DRIVER.get_or_init(|| {
            super::runtime::harness().spawn(drive(timer));
        });
        timer
    }

    fn arm(&self, at: Instant) {
        // A zero expiration disarms a timerfd, so a deadline that has passed becomes one nanosecond.
        let wait = at.saturating_duration_since(now()).max(std::time::Duration::from_nanos(1));
        self.clock
            .set(Expiration::OneShot(TimeSpec::from_duration(wait)), TimerSetTimeFlags::empty())
            .expect("arming a timerfd cannot fail for a time span in range");
    }

    fn sleep(&'static self, at: Instant, waker: Waker, cancelled: Arc<std::sync::atomic::AtomicBool>) {
        let mut sleepers = self.sleepers.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let earliest = sleepers.peek().is_none_or(|Reverse(first)| at < first.at);
        sleepers.push(Reverse(Entry { at, waker, cancelled }));
        if earliest {
            self.arm(at);
        }
    }

    fn wake_due(&self, due: &mut Vec<Waker>) {
        let mut sleepers = self.sleepers.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let now = now();
        while sleepers.peek().is_some_and(|Reverse(first)| first.at <= now || first.cancelled.load(ORDER)) {
            if let Some(Reverse(entry)) = sleepers.pop()
                && !entry.cancelled.load(ORDER)
            {
                due.push(entry.waker);
            }
        }
        if let Some(Reverse(next)) = sleepers.peek() {
            self.arm(next.at);
        }
    }
}

const ORDER: std::sync::atomic::Ordering = std::sync::atomic::Ordering::Acquire;

async fn drive(timer: &'static Timer) {
    // AsyncFd wants to own what it watches; the timer keeps its own descriptor for arming.
    let fd: OwnedFd = match std::os::fd::AsFd::as_fd(&timer.clock).try_clone_to_owned() {
        Ok(fd) => fd,
        Err(error) => panic!("duplicating a timerfd: {error}"),
    };
    // SAFETY: the descriptor is owned, so it stays open and the same for as long as it is watched.
    let watched =
        unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) }.expect("watching a timerfd");
    let mut due = Vec::new();
    loop {
        let Ok(mut ready) = watched.readable().await else { return };
        let mut count = [0_u8; 8];
        if nix::unistd::read(watched.get_ref(), &mut count).is_err() {
            ready.clear_ready();
        }
        timer.wake_due(&mut due);
        due.drain(..).for_each(Waker::wake);
    }
}

/// The monotonic clock.
#[allow(clippy::disallowed_methods, reason = "this is the one place that reads it")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Waits until `at`, in any runtime, to about a tenth of a millisecond.
pub(crate) fn sleep_until(at: Instant) -> Sleep {
    Sleep { at, registered: None }
}

/// The future of [`sleep_until`].
pub(crate) struct Sleep {
    at: Instant,
    registered: Option<(Waker, Arc<std::sync::atomic::AtomicBool>)>,
}

impl Sleep {
    fn cancel(&mut self) {
        if let Some((_, cancelled)) = self.registered.take() {
            cancelled.store(true, std::sync::atomic::Ordering::Release);
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if now() >= self.at {
            self.cancel();
            return Poll::Ready(());
        }
        if !self.registered.as_ref().is_some_and(|(waker, _)| waker.will_wake(context.waker())) {
            self.cancel();
            let cancelled = Arc::new(std::sync::atomic::AtomicBool::new(false));
            Timer::get().sleep(self.at, context.waker().clone(), Arc::clone(&cancelled));
            self.registered = Some((context.waker().clone(), cancelled));
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.cancel();
    }
}
