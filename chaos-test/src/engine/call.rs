use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::{JoinError, JoinHandle};

use crate::port::Clock;

/// How long a call that was given up may take to end, if it only waits for something.
const WITHDRAWAL: Duration = Duration::from_millis(250);

/// A call of an injector, on a thread of its own: an injector is anybody's code, and one that blocks its thread or
/// panics must hold up nobody else.
///
/// Dropped, it is given up: at its next `await`, for what blocks its thread cannot be stopped.
pub(super) struct Call<T> {
    task: JoinHandle<Option<T>>,
    give_up: Option<oneshot::Sender<()>>,
}

/// Why a call has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Lost {
    /// It took longer than this.
    NotDone(Duration),
    /// It panicked, with that text.
    Panicked(String),
}

impl<T: Send + 'static> Call<T> {
    /// Begins it.
    pub(super) fn begin(work: impl Future<Output = T> + Send + 'static) -> Self {
        let (give_up, given_up) = oneshot::channel::<()>();
        let runtime = Handle::current();
        let task = tokio::task::spawn_blocking(move || {
            runtime.block_on(async move {
                tokio::select! {
                    biased;
                    _ = given_up => None,
                    output = work => Some(output),
                }
            })
        });
        Self { task, give_up: Some(give_up) }
    }

    /// Its result, or why there is none after that time.
    pub(super) async fn result(&mut self, clock: &dyn Clock, limit: Duration) -> Result<T, Lost> {
        tokio::select! {
            biased;
            done = &mut self.task => match done {
                Ok(Some(output)) => Ok(output),
                Ok(None) => Err(Lost::NotDone(limit)),
                Err(error) => Err(Lost::Panicked(panic_of(error))),
            },
            () = clock.sleep_until(clock.now() + limit) => {
                self.withdraw(clock).await;
                Err(Lost::NotDone(limit))
            }
        }
    }

    /// Gives it up; true when it has ended.
    pub(super) async fn withdraw(&mut self, clock: &dyn Clock) -> bool {
        self.give_up = None;
        let deadline = clock.now() + WITHDRAWAL;
        while !self.has_ended() && clock.now() < deadline {
            clock.sleep_until(clock.now() + Duration::from_millis(1)).await;
        }
        self.has_ended()
    }

    pub(super) fn has_ended(&self) -> bool {
        self.task.is_finished()
    }
}

/// A call from its beginning to its end.
pub(super) async fn call<T: Send + 'static>(
    clock: &dyn Clock,
    limit: Duration,
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, Lost> {
    Call::begin(work).result(clock, limit).await
}

fn panic_of(error: JoinError) -> String {
    match error.try_into_panic() {
        Ok(panic) => describe(&*panic),
        Err(error) => error.to_string(),
    }
}

/// The text of a panic.
pub(super) fn describe(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a text".into())
}

#[cfg(test)]
mod tests;
