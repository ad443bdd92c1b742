//! What a front door costs: checks past it and through it, in pairs.

use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::engine::Recorder;
use crate::environment::Service;
use crate::model::{DoorCheck, Outcome, Phase};
use crate::port::{Clock, Probe};
use crate::probe::Look;
use crate::sys::runtime::harness;

/// How many pairs: enough for a median and a 95th percentile.
const PAIRS: u32 = 30;
/// In a shorter baseline they would be too much of what is measured.
const SHORTEST: Duration = Duration::from_secs(2);

/// The same look at a service, both ways.
struct Pair {
    direct: Arc<dyn Probe>,
    through: Arc<dyn Probe>,
    timeout: Duration,
}

impl Pair {
    /// Where the service's own address is known, and what it is asked is answered by itself: that a connection opens says
    /// nothing, for a door opens it before the service does.
    fn of(service: &Service) -> Option<Self> {
        let target = service.target();
        let look = service.ready().filter(|probe| matches!(probe.look, Look::Http(_)))?;
        let beside = target.kind.is_ours() && service.network_mark().is_none();
        let ready = target.ready.filter(|_| beside)?;
        let through = look.aimed_at(service.address(), service.host()).ok()?;
        Some(Self { direct: ready.probe, through, timeout: ready.timeout })
    }
}

/// Begins to measure what the front door of a service adds, spread over the first half of the baseline.
pub(super) fn begin(service: &Service, baseline: Duration, clock: &Arc<dyn Clock>, recorder: &Arc<Recorder>) {
    let Some(pair) = Pair::of(service).filter(|_| baseline >= SHORTEST) else { return };
    let (clock, recorder) = (Arc::clone(clock), Arc::downgrade(recorder));
    harness().spawn(measure(pair, baseline / 2, clock, recorder));
}

async fn measure(pair: Pair, within: Duration, clock: Arc<dyn Clock>, recorder: Weak<Recorder>) {
    let step = within / (PAIRS * 2 + 2);
    // The first pair pays for what is made once, and does not count.
    for n in 0..=PAIRS {
        let at = step * (2 * n + 1);
        if at >= within {
            return;
        }
        let direct = check(&*pair.direct, at, pair.timeout, &*clock).await;
        let through = check(&*pair.through, at + step, pair.timeout, &*clock).await;
        let Some(recorder) = recorder.upgrade().filter(|recorder| recorder.phase() == Phase::Baseline) else {
            return;
        };
        if let (Some(direct), Some(through), 1..) = (direct, through, n) {
            recorder.door(DoorCheck { direct, through });
        }
        // A service that cannot keep up is left alone.
        if clock.now() > at + step * 4 {
            return;
        }
    }
}

/// How long a good answer took.
async fn check(probe: &dyn Probe, at: Duration, timeout: Duration, clock: &dyn Clock) -> Option<Duration> {
    clock.sleep_until(at).await;
    let asked = clock.now();
    let look = probe.check(Box::new(|| {}));
    tokio::select! {
        biased;
        outcome = look => (outcome == Outcome::Good).then(|| clock.now().saturating_sub(asked)),
        () = clock.sleep_until(asked + timeout) => None,
    }
}
