use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::watch;

use crate::error::Error;
use crate::model::AbortCause;
use crate::port::{BoxFuture, Clock};
use crate::report::Report;
use crate::sys::clock::MonotonicClock;
use crate::sys::signals::{self, Asked};

/// How long a process that was told to end waits for its tests to drop their environments.
const FAREWELL: Duration = Duration::from_secs(2);

/// An experiment that is under way, for whoever has to stop it. It is gone when its caller has dropped its environment
/// and its record is written.
pub(super) struct Active {
    cancel: watch::Sender<Option<AbortCause>>,
    stage: Mutex<Stage>,
    enders: Mutex<Vec<Box<dyn Fn() + Send + Sync>>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Its environment is being started, by its caller.
    Setup,
    /// The engine has it, and will come to an end.
    Running,
    /// Its record is written, or cannot be.
    Recorded,
}

/// All experiments of this process.
struct All {
    active: Vec<Weak<Active>>,
    /// What this process is about to die of: nothing new is begun.
    dying: Option<AbortCause>,
}

static ALL: Mutex<All> = Mutex::new(All { active: Vec::new(), dying: None });

impl Active {
    /// One more; from the first on, signals are listened to.
    pub(super) fn begin() -> Arc<Self> {
        signals::listen(|asked| Box::pin(end_all(asked)) as BoxFuture<'static, ()>);
        let active = Arc::new(Self {
            cancel: watch::Sender::new(None),
            stage: Mutex::new(Stage::Setup),
            enders: Mutex::default(),
        });
        let mut all = lock(&ALL);
        all.active.retain(|other| other.strong_count() > 0);
        all.active.push(Arc::downgrade(&active));
        if let Some(cause) = &all.dying {
            active.cancel(cause.clone());
        }
        drop(all);
        active
    }

    /// Stops it. The first cause is the one.
    pub(super) fn cancel(&self, cause: AbortCause) {
        self.cancel.send_if_modified(|present| {
            let first = present.is_none();
            present.get_or_insert(cause);
            first
        });
    }

    /// Waits until it is stopped, and why.
    pub(super) async fn cancelled(&self) -> AbortCause {
        let mut cancel = self.cancel.subscribe();
        // The sender is in `self`, so the channel stays open.
        cancel
            .wait_for(Option::is_some)
            .await
            .ok()
            .and_then(|cause| cause.clone())
            .unwrap_or(AbortCause::Dropped)
    }

    /// The engine takes over; what it is told by.
    pub(super) fn running(&self) -> watch::Receiver<Option<AbortCause>> {
        *lock(&self.stage) = Stage::Running;
        self.cancel.subscribe()
    }

    /// What ends its services, should its caller be unable to.
    pub(super) fn ends<E: Fn() + Send + Sync + 'static>(&self, enders: impl Iterator<Item = E>) {
        lock(&self.enders).extend(enders.map(|ender| Box::new(ender) as Box<dyn Fn() + Send + Sync>));
    }

    pub(super) fn end_services(&self) {
        lock(&self.enders).iter().for_each(|end| end());
    }

    /// Its record is written. Of a process that dies of a signal nobody may hear anything else than what is said now.
    pub(super) fn told(&self, outcome: Result<Report, Error>) -> Result<Report, Error> {
        let by_signal =
            matches!(&*self.cancel.borrow(), Some(AbortCause::Signal(_) | AbortCause::RunnerGone));
        if by_signal {
            match &outcome {
                Ok(report) => signals::say(&format!("Error: {}", report.headline())),
                Err(error) => signals::say(&format!("Error: {error}")),
            }
        }
        *lock(&self.stage) = Stage::Recorded;
        outcome
    }

    fn stage(&self) -> Stage {
        *lock(&self.stage)
    }
}

/// Waits for good in a process that is about to die of a signal.
pub(super) async fn wait_if_dying() {
    if lock(&ALL).dying.is_some() {
        std::future::pending().await
    }
}

/// Stops every experiment, waits for their records and their environments, and lets the signal have its usual end.
async fn end_all(asked: Asked) {
    let cause = if asked.runner_is_gone() {
        AbortCause::RunnerGone
    } else {
        AbortCause::Signal(asked.name().to_owned())
    };
    let all = {
        let mut all = lock(&ALL);
        if asked.ours {
            all.dying.get_or_insert(cause.clone());
        }
        all.active.clone()
    };
    all.iter().filter_map(Weak::upgrade).for_each(|active| active.cancel(cause.clone()));
    let clock = MonotonicClock::started_now();
    // The engine's steps have limits of their own. A caller has none: while it starts its environment it may be stuck.
    let under_way = |active: Arc<Active>| match active.stage() {
        Stage::Setup => clock.now() < FAREWELL,
        Stage::Running => true,
        Stage::Recorded => false,
    };
    while all.iter().filter_map(Weak::upgrade).any(under_way) {
        clock.sleep_until(clock.now() + Duration::from_millis(5)).await;
    }
    if !asked.ours {
        return;
    }
    let deadline = clock.now() + FAREWELL;
    while all.iter().any(|active| active.strong_count() > 0) && clock.now() < deadline {
        clock.sleep_until(clock.now() + Duration::from_millis(5)).await;
    }
    // Whoever still holds its environment blocks its thread.
    all.iter().filter_map(Weak::upgrade).for_each(|active| active.end_services());
    asked.die()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
