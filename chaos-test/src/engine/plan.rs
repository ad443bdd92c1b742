use std::sync::Arc;
use std::time::Duration;

use crate::model::{AbortConditions, Carried, Fault, Objectives, Pin};
use crate::port::{Body, Clock, DynInjector, Keeper, Ledger, Mishap, ProbeSpec, Progress, Target};

/// What an experiment is to do.
pub(crate) struct Plan {
    pub(crate) fault: Fault,
    /// Which rungs of the ladder will do.
    pub(crate) pin: Pin,
    pub(crate) target: Target,
    pub(crate) objectives: Objectives,
    /// How long normal is looked at.
    pub(crate) baseline: Duration,
    /// How long the chaos phase lasts.
    pub(crate) chaos: Duration,
    /// How long recovery is watched for at most.
    pub(crate) watch: Duration,
    /// How long a body that runs once may go on after the watch.
    pub(crate) grace: Duration,
    /// When to stop a run that does more harm than meant.
    pub(crate) guard: Guard,
    /// How long each step may take.
    pub(crate) limits: Limits,
    /// When all tests of this process's run must be over, on the clock of this one.
    pub(crate) run_ends: Option<Duration>,
    /// Whether it stops before anything is injected.
    pub(crate) dry_run: bool,
    /// Whether the chaos phase ends as soon as its shares are decided.
    pub(crate) sequential: Option<Sequential>,
}

/// How evidence is gathered until it suffices.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Sequential {
    /// How long the chaos phase may be made where its planned length does not suffice; not at all if absent.
    pub(crate) at_most: Option<Duration>,
    /// What earlier tries have seen.
    pub(crate) carried: Option<Carried>,
}

/// The abort conditions of a run.
#[derive(Debug, Clone)]
pub(crate) struct Guard {
    pub(crate) conditions: AbortConditions,
    /// Whether they are the scenario's own. Those of the catalogue are not for errors that are made on purpose.
    pub(crate) own: bool,
    /// The interval of the catalogue's health check, by which a rate or a row is measured whatever a probe's own is.
    pub(crate) interval: Duration,
}

/// How long each step of an injection may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Preparing, and putting the fault in place, each.
    pub(crate) inject: Duration,
    /// Until the witness sees it there, or gone.
    pub(crate) confirm: Duration,
    /// One reading.
    pub(crate) observe: Duration,
    /// Undoing it.
    pub(crate) revert: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            inject: Duration::from_secs(20),
            confirm: Duration::from_secs(5),
            observe: Duration::from_secs(10),
            revert: Duration::from_secs(20),
        }
    }
}

/// What a scenario may take beyond the sum of its parts before something must be stuck.
const MARGIN: Duration = Duration::from_secs(30);

impl Plan {
    /// How long the run takes if every phase and every step takes as long as it may.
    pub(super) fn longest(&self, probe_timeout: Duration) -> Duration {
        let Limits { inject, confirm, observe, revert } = self.limits;
        // Once more for the machinery at rest.
        let steps = [inject * 4, (confirm + observe) * 2, revert * 4, probe_timeout, MARGIN];
        let chaos = self.longest_chaos();
        [self.baseline, chaos, self.watch, self.grace].into_iter().chain(steps).sum()
    }
}

impl Plan {
    /// How long the chaos phase lasts at most.
    pub(super) fn longest_chaos(&self) -> Duration {
        self.sequential.as_ref().and_then(|how| how.at_most).unwrap_or(self.chaos).max(self.chaos)
    }
}

/// What the engine works with.
pub(crate) struct Ports {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) injector: Arc<dyn DynInjector>,
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) keeper: Arc<dyn Keeper>,
    pub(crate) probes: Vec<ProbeSpec>,
    pub(crate) body: Option<Arc<dyn Body>>,
    pub(crate) progress: Arc<dyn Progress>,
    /// Says what has happened to the services without our doing.
    pub(crate) mishaps: Box<dyn Fn() -> Vec<Mishap> + Send + Sync>,
}
