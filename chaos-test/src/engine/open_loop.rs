use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::FutureExt;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::recorder::{Recorder, StreamId};
use crate::model::Outcome;
use crate::port::{Clock, ProbeSpec};
use crate::stats::SplitMix;

/// Samples on a fixed schedule that never waits for an answer, until stopped; then waits for the answers still due.
///
/// Sample i is scheduled at i·δ plus a seeded jitter of up to δ/4, so that it cannot march in step with something in
/// the service. If this host is late, the samples it missed are sent at once, each with its lag.
pub(super) async fn run(
    clock: Arc<dyn Clock>,
    recorder: Arc<Recorder>,
    stream: StreamId,
    spec: ProbeSpec,
    seed: u64,
    mut stop: watch::Receiver<bool>,
) {
    let interval = spec.interval;
    // What may be under way at once: all of a timeout's worth, and some.
    let cap = spec.timeout.as_nanos().div_ceil(interval.as_nanos().max(1)) as usize + 20;
    let under_way = Arc::new(AtomicUsize::new(0));
    let mut random = SplitMix::new(seed);
    let mut answers = JoinSet::new();
    for n in 0_u32.. {
        let at = interval * n + interval.mul_f64(random.unit() / 4.0);
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => break,
            () = clock.sleep_until(at) => {}
        }
        while answers.try_join_next().is_some() {}
        let slot = recorder.schedule(stream, at);
        let woken = clock.now();
        if under_way.load(Ordering::Acquire) >= cap {
            recorder.fill(slot, woken.saturating_sub(at), spec.timeout, Outcome::Dropped);
            continue;
        }
        under_way.fetch_add(1, Ordering::AcqRel);
        let (clock, recorder, under_way) =
            (Arc::clone(&clock), Arc::clone(&recorder), Arc::clone(&under_way));
        // A probe of the user's own may panic; that is a bad sample and no reason to stop.
        let probe = Arc::clone(&spec.probe);
        let (sends, watch) = (Arc::clone(&recorder), Arc::clone(&clock));
        let begins = Box::new(move || sends.send(slot, watch.now()));
        let check = AssertUnwindSafe(async move { probe.check(begins).await }).catch_unwind();
        let timeout = spec.timeout;
        answers.spawn(async move {
            let outcome = tokio::select! {
                outcome = check => outcome.unwrap_or(Outcome::Panicked),
                () = clock.sleep_until(woken + timeout) => Outcome::Timeout,
            };
            let now = clock.now();
            // What has not begun by now waited for this host all the time, and the service was never asked.
            let lag = recorder.sent(slot).unwrap_or(now).saturating_sub(at);
            recorder.fill(slot, lag, now.saturating_sub(at), outcome);
            under_way.fetch_sub(1, Ordering::AcqRel);
        });
    }
    while answers.join_next().await.is_some() {}
}
