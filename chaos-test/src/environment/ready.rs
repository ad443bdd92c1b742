use std::sync::Arc;
use std::time::Duration;

use super::Service;
use crate::error::Error;
use crate::model::Outcome;
use crate::sys::clock::Stopwatch;
use crate::sys::timer;
use crate::units::show_duration;

/// How often a starting service is asked whether it is ready.
const READY_INTERVAL: Duration = Duration::from_millis(5);

/// Waits until a service that was started here is ready.
pub(super) async fn wait_until_ready(service: &Service) -> Result<(), Error> {
    // Something already running is measured by the baseline; there is nothing to wait for.
    if service.process.is_none() && service.container.is_none() {
        return Ok(());
    }
    let ready = service.readiness().map_err(|why| Error::setup(format!("{}: {why}", service.name)))?;
    let waited = Stopwatch::start();
    loop {
        let (asked, limit) = (Arc::clone(&ready.probe), ready.timeout);
        // On the harness's clock: the caller's may be paused, or not be there.
        let look = crate::sys::runtime::harness().spawn(async move {
            tokio::time::timeout(limit, async { asked.check(Box::new(|| {})).await }).await
        });
        let outcome = match look.await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Outcome::Timeout,
            Err(_) => Outcome::Panicked,
        };
        if outcome == Outcome::Good {
            return Ok(());
        }
        let trouble = match service.ended() {
            Some(status) => format!("{} ended before it was ready ({status})", service.name),
            None if waited.elapsed() > service.ready_within => {
                let time = show_duration(service.ready_within);
                format!(
                    "{} was not ready within {time}: the last look {outcome}; it is to listen on {}",
                    service.name,
                    match &service.container {
                        Some(container) => format!("port {}", container.inside()),
                        None => service.upstream.to_string(),
                    }
                )
            }
            None => {
                timer::sleep_until(timer::now() + READY_INTERVAL).await;
                continue;
            }
        };
        return Err(Error::setup(with_log(trouble, service)));
    }
}

/// A trouble with what the service wrote last.
pub(super) fn with_log(trouble: String, service: &Service) -> String {
    let tail = service.log_tail(20);
    if tail.is_empty() {
        format!("{trouble}; it wrote nothing")
    } else {
        format!("{trouble}; its last lines:\n  {}", tail.join("\n  "))
    }
}
