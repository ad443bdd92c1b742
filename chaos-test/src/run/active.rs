use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::watch;

use crate::error::Error;
use crate::model::AbortCause;
use crate::port::{BoxFuture, Clock};
use crate::report::Report;
use crate::sys::clock::MonotonicClock;
use crate::sys::ledger;
use crate::sys::signals::{self, Asked};
use crate::units::show_duration;

/// How long a process that was told to end waits for its tests to drop their environments.
const FAREWELL: Duration = Duration::from_secs(2);
/// How long it waits for its records: more than the limits of all steps of a run that was stopped come to, two tries at
/// the revert among them. Whoever takes longer hangs, and the reaper does the rest.
const RECORDS: Duration = Duration::from_secs(120);
/// How long ending a service may take, and each other step after the engine's last. A process that the kernel does not
/// let go of, or a disk that takes nothing, holds up no record and no end.
pub(super) const STEP: Duration = Duration::from_secs(10);

/// An experiment that is under way, for whoever has to stop it. It is gone when its caller has dropped its environment
/// and its record is written.
pub(super) struct Active {
    cancel: watch::Sender<Option<AbortCause>>,
    stage: Mutex<Stage>,
    /// The services, by their names, and what ends each.
    enders: Mutex<Vec<(String, Ender)>>,
}

type Ender = Arc<dyn Fn() + Send + Sync>;

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
    pub(super) fn ends<E: Fn() + Send + Sync + 'static>(&self, enders: impl Iterator<Item = (String, E)>) {
        lock(&self.enders).extend(enders.map(|(name, ender)| (name, Arc::new(ender) as Ender)));
    }

    /// Ends its services, all at once; those that did not end in time, one line each.
    pub(super) async fn end_services(&self) -> Vec<String> {
        let end = |(name, ender): &(String, Ender)| {
            let ender = Arc::clone(ender);
            (name.clone(), tokio::task::spawn_blocking(move || ender()))
        };
        let ending: Vec<_> = lock(&self.enders).iter().map(end).collect();
        let clock = MonotonicClock::started_now();
        let mut left = Vec::new();
        for (name, ended) in ending {
            tokio::select! {
                biased;
                _ = ended => {}
                () = clock.sleep_until(STEP) => {
                    left.push(format!("{name} could not be ended within {}", show_duration(STEP)));
                }
            }
        }
        left
    }

    /// Its record is written. Of a process that dies of a signal nobody may hear anything else than what is said now.
    pub(super) fn told(&self, outcome: Result<Report, Error>) -> Result<Report, Error> {
        let by_signal =
            matches!(&*self.cancel.borrow(), Some(AbortCause::Signal(_) | AbortCause::RunnerGone));
        if by_signal {
            match &outcome {
                Ok(report) if report.passed() => signals::say(&report.headline()),
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

impl Drop for Active {
    /// With the last experiment goes the time at which this process should have ended: from now on it is its own.
    fn drop(&mut self) {
        // One that begins meanwhile sets its time after it is in the list.
        let all = lock(&ALL);
        if all.active.iter().all(|other| other.strong_count() == 0) {
            no_deadline();
        }
    }
}

fn no_deadline() {
    // A process without a ledger has no reaper either.
    if ledger::current().is_some() {
        // A reaper that is gone has no deadline.
        let _ = ledger::end_by(None);
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
    // A caller has no limits: while it starts its environment it may be stuck.
    let under_way = |active: Arc<Active>| match active.stage() {
        Stage::Setup => clock.now() < FAREWELL,
        Stage::Running => clock.now() < RECORDS,
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
    for active in all.iter().filter_map(Weak::upgrade) {
        active.end_services().await;
    }
    asked.die()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
