use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::inject::readiness;
use crate::model::Outcome;
use crate::port::{ContainerControl, ContainerState, ContainerStatus, Readiness, RevertError};
use crate::sys::clock::Stopwatch;
use crate::sys::timer;

/// How often a container that was started again is asked.
const INTERVAL: Duration = Duration::from_millis(20);
/// A command that cannot run at all ends at once; that is worth knowing.
const A_MOMENT: Duration = Duration::from_millis(50);
/// How long a service that is down may take to say nothing.
const SILENCE: Duration = Duration::from_millis(250);

/// Its state; `None` if there is no such container any more.
pub(super) async fn state(container: &dyn ContainerControl) -> io::Result<Option<ContainerState>> {
    match container.look().await {
        Ok(state) => Ok(Some(state)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether the service itself answers, asked past its front door.
pub(super) async fn answers(ready: Option<&Readiness>) -> bool {
    let Some(ready) = ready else { return false };
    readiness::look(ready, SILENCE).await == Outcome::Good
}

/// Starts a container that is held down, and looks that it stays up. One that its environment has ended, or that
/// somebody has removed, is down for good: then there is nothing left to undo.
pub(super) async fn bring_back(
    container: &Arc<dyn ContainerControl>,
    service: &str,
) -> Result<(), RevertError> {
    let failed = |error: io::Error| RevertError(format!("starting {service} again: {error}"));
    match container.start().await {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other.map_err(failed)?,
    }
    timer::sleep_until(timer::now() + A_MOMENT).await;
    match state(&**container).await.map_err(failed)? {
        Some(state) if state.status == ContainerStatus::Exited && !container.is_closed() => {
            Err(RevertError(format!("{service} ended as soon as it was started again{}", ending(&state))))
        }
        _ => Ok(()),
    }
}

/// Waits until a container that was started again answers its own readiness probe, or its environment has ended.
pub(super) async fn until_ready(
    container: &dyn ContainerControl,
    ready: &Readiness,
    limit: Duration,
) -> Result<(), String> {
    let waited = Stopwatch::start();
    loop {
        let outcome = readiness::look(ready, limit.saturating_sub(waited.elapsed())).await;
        if outcome == Outcome::Good || container.is_closed() {
            return Ok(());
        }
        match state(container).await {
            Ok(None) => return Ok(()),
            Ok(Some(state)) if state.status == ContainerStatus::Exited => {
                return Err(format!("it ended before it was ready{}", ending(&state)));
            }
            // The engine may be busy; the probe decides.
            Ok(Some(_)) | Err(_) => {}
        }
        if waited.elapsed() >= limit {
            let seconds = limit.as_secs();
            return Err(format!("it was not ready again within {seconds} s: the last look {outcome}"));
        }
        timer::sleep_until(timer::now() + INTERVAL).await;
    }
}

/// How it ended, for people.
fn ending(state: &ContainerState) -> String {
    match (state.out_of_memory, state.exit_code) {
        (true, _) => ", for want of memory".into(),
        (false, Some(code)) => format!(", with code {code}"),
        (false, None) => String::new(),
    }
}
