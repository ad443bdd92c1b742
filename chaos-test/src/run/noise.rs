use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::engine::{Plan, Recorder};
use crate::model::{NoiseWindow, Phase};
use crate::port::Clock;
use crate::sys::noise::{self, Seen};
use crate::sys::timer;

/// How long after a run's end the host is watched at most, for answers that are still under way.
const AFTER_THE_END: Duration = Duration::from_secs(10);

/// Begins to watch how this host does, until the run is over. The streams that are elsewhere are those of services that are not
/// known to be on it.
pub(super) fn begin(plan: &Plan, elsewhere: Vec<String>, clock: &Arc<dyn Clock>, recorder: &Arc<Recorder>) {
    // What is taken from the whole host is taken from a service that is on it: there a late host is the fault. Of what
    // was running already nobody knows where it is, unless somebody has said so. The fault may be aimed at one service, and
    // another one of the run be far away.
    if plan.fault.is_host_wide() && (plan.target.kind.is_ours() || plan.target.shares_host) {
        recorder.noise_is_fault(elsewhere);
    }
    let zero = timer::now().checked_sub(clock.now()).unwrap_or_else(timer::now);
    let recorder: Weak<Recorder> = Arc::downgrade(recorder);
    let mut ended = None;
    // Where there is no thread left for it the host counts as quiet: nothing is excused.
    let _ = noise::begin(move |seen| {
        let Some(recorder) = recorder.upgrade() else { return false };
        match seen {
            Seen::Window(at, over, lag) => {
                // It may have begun a moment before the clock.
                let begun = at.saturating_duration_since(zero);
                let end = (at + over).saturating_duration_since(zero);
                recorder.noise(NoiseWindow::new(begun, end.saturating_sub(begun), lag));
            }
            Seen::Load(since, load) => recorder.host_load(since.saturating_duration_since(zero), load),
        }
        if recorder.phase() != Phase::Recovered {
            return true;
        }
        let over = timer::now() >= *ended.get_or_insert_with(timer::now) + AFTER_THE_END;
        let answered = recorder.settled_until(Duration::MAX) == Duration::MAX;
        !over && !answered
    });
}
