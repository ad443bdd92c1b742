use std::time::{Duration, Instant};

use super::timer;
use crate::port::{BoxFuture, Clock};

/// The real clock, counting from its creation.
pub(crate) struct MonotonicClock {
    start: Instant,
}

impl MonotonicClock {
    pub(crate) fn started_now() -> Self {
        Self { start: timer::now() }
    }
}

impl Clock for MonotonicClock {
    fn now(&self) -> Duration {
        timer::now() - self.start
    }

    fn sleep_until(&self, at: Duration) -> BoxFuture<'static, ()> {
        Box::pin(timer::sleep_until(self.start + at))
    }
}

/// Seconds since 1970, for the time stamps of records.
#[allow(clippy::disallowed_methods, reason = "sys is where the wall clock is read")]
pub(crate) fn unix_time() -> Duration {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default()
}

/// A span of wall time: how long something took.
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self(timer::now())
    }

    pub(crate) fn elapsed(&self) -> Duration {
        timer::now() - self.0
    }
}

/// Seconds of the monotonic clock, which all processes of one boot share.
pub(crate) fn monotonic() -> f64 {
    let now = nix::time::clock_gettime(nix::time::ClockId::CLOCK_MONOTONIC);
    now.map_or(0.0, |now| now.tv_sec() as f64 + now.tv_nsec() as f64 / 1e9)
}
