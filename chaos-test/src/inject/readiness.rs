use std::time::Duration;

use crate::model::Outcome;
use crate::port::{ProcessControl, Readiness};
use crate::sys::clock::Stopwatch;
use crate::sys::{runtime, timer};

/// How often a service that was started again is asked.
const INTERVAL: Duration = Duration::from_millis(20);

/// Waits until a service that was started again answers its own readiness probe, asked directly, or has been closed.
///
/// # Errors
/// It ended, or does not answer within the limit; the text says what came of the last look.
pub(super) async fn wait_until_ready(
    ready: &Readiness,
    process: &dyn ProcessControl,
    limit: Duration,
) -> Result<(), String> {
    let waited = Stopwatch::start();
    loop {
        let outcome = look(ready, limit.saturating_sub(waited.elapsed())).await;
        if outcome == Outcome::Good || process.is_closed() {
            return Ok(());
        }
        if process.pid().is_none() {
            return Err("it ended before it was ready".into());
        }
        if waited.elapsed() >= limit {
            let seconds = limit.as_secs();
            return Err(format!("it was not ready again within {seconds} s: the last look {outcome}"));
        }
        timer::sleep_until(timer::now() + INTERVAL).await;
    }
}

/// Asks a service once whether it is ready, for so long at most, however long its probe may take.
pub(super) async fn look(ready: &Readiness, limit: Duration) -> Outcome {
    let (probe, timeout) = (ready.probe.clone(), ready.timeout.min(limit));
    let look = runtime::harness().spawn(async move {
        tokio::time::timeout(timeout, async { probe.check(Box::new(|| {})).await }).await
    });
    match look.await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => Outcome::Timeout,
        Err(_) => Outcome::Panicked,
    }
}
