use std::time::Duration;

use super::super::Report;
use crate::model::{Fault, is_of};
use crate::units::show_duration;

/// A stream whose transactions paid a delay more than once.
pub(in crate::report) struct Calls<'r> {
    stream: &'r str,
    service: &'r str,
    times: u64,
    delay: Duration,
}

impl<'r> Calls<'r> {
    /// "Each transaction paid the delay k times": known when the extra median latency under a proven delay is within a tenth
    /// of k whole round trips, k > 1, and every percentile that was stored agrees.
    pub(in crate::report) fn of(report: &'r Report) -> Option<Self> {
        let Fault::NetworkDelay { delay, jitter, .. } = &report.scenario.fault else { return None };
        if !jitter.is_zero() || delay.is_zero() || report.trace.marks.injected.is_none() {
            return None;
        }
        let service = report.scenario.service().or_else(|| Some(&report.services.first()?.name))?;
        // A probe of the target itself makes one exchange; what it pays more than once is its own connecting.
        let mut others = report.judgement.streams.iter().filter(|stream| !is_of(&stream.name, service));
        others.find_map(|stream| {
            let (p50, p95, _) = stream.chaos_latency?;
            let normal = stream.baseline?;
            let times = |chaos: Duration, normal: Duration| {
                chaos.saturating_sub(normal).as_secs_f64() / delay.as_secs_f64()
            };
            let (middle, high) = (times(p50, normal.p50), times(p95, normal.p95));
            let k = middle.round();
            let fits = k >= 2.0 && (middle - k).abs() < 0.1 * k && (high - k).abs() < 0.2 * k;
            fits.then(|| Self { stream: &stream.name, service, times: k as u64, delay: *delay })
        })
    }

    /// `body took 4 × 200 ms longer: it makes 4 exchanges with stock one after the other`
    pub(in crate::report) fn sentence(&self) -> String {
        let Self { stream, service, times, delay } = self;
        let delay = show_duration(*delay);
        format!(
            "{stream} took {times} × {delay} longer: it makes {times} exchanges with {service} one after the other"
        )
    }

    /// What to do about it.
    pub(super) fn remedy(&self) -> String {
        format!(
            "make the {} calls to {} at once or in one, or keep what they answer; and give each a time limit",
            self.times, self.service
        )
    }
}
