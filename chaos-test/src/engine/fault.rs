use std::time::Duration;

use super::recorder::Recorder;
use super::{Plan, Ports};
use crate::model::{Delivery, DoseReading, EventKind, Stage, Trouble};
use crate::port::{Prepared, Presence, ProgressUpdate, Support};
use crate::units::show_duration;

/// How long putting a fault in place may take.
const INJECT_DEADLINE: Duration = Duration::from_secs(20);
/// How long the witness may take to see it there, or gone.
const CONFIRM_DEADLINE: Duration = Duration::from_secs(5);
/// How long one reading may take.
const OBSERVE_DEADLINE: Duration = Duration::from_secs(10);
/// How long undoing it may take.
const REVERT_DEADLINE: Duration = Duration::from_secs(20);

/// One fault on its way in and out.
pub(super) struct FaultRun {
    prepared: Prepared,
    reverted: bool,
}

impl FaultRun {
    /// Chooses the mechanism and works out the steps. Changes nothing.
    pub(super) async fn prepare(plan: &Plan, ports: &Ports, recorder: &Recorder) -> Result<Self, String> {
        if let Support::No { reason } = ports.injector.support(&plan.fault, &plan.target) {
            return Err(format!("{} is not possible here: {reason}", plan.fault.kind()));
        }
        let preparing =
            within(ports, INJECT_DEADLINE, ports.injector.prepare(&plan.fault, &plan.target)).await;
        let prepared = match preparing {
            Some(prepared) => prepared.map_err(|error| error.to_string())?,
            None => return Err(format!("not prepared after {}", show_duration(INJECT_DEADLINE))),
        };
        recorder.delivery(Delivery {
            mechanism: prepared.mechanism.clone(),
            detail: prepared.detail.clone(),
            unit: prepared.unit,
            readings: Vec::new(),
            failed_readings: 0,
            last_failure: None,
        });
        Ok(Self { prepared, reverted: false })
    }

    /// Puts the fault in place; true once the witness has seen at least half of it.
    pub(super) async fn inject(&mut self, ports: &Ports, recorder: &Recorder) -> bool {
        if let Err(error) = ports.ledger.owe(&self.prepared.record) {
            // Nothing was done, so nothing is owed.
            self.reverted = true;
            recorder.trouble(Trouble {
                stage: Stage::Injection,
                message: format!("nothing was injected: {error}"),
            });
            return false;
        }
        let injecting = within(ports, INJECT_DEADLINE, ports.injector.inject(&self.prepared)).await;
        let failed = match injecting {
            Some(Ok(())) => None,
            Some(Err(error)) => Some(error.to_string()),
            None => Some(format!("not done after {}", show_duration(INJECT_DEADLINE))),
        };
        if let Some(message) = failed {
            recorder.trouble(Trouble {
                stage: Stage::Injection,
                message: format!("{}: {message}", self.prepared.detail),
            });
            return false;
        }
        recorder.event(ports.clock.now(), EventKind::Fault, format!("injected: {}", self.prepared.detail));
        tell(ports, recorder, format!("fault in: {}", self.prepared.detail));
        let deadline = ports.clock.now() + CONFIRM_DEADLINE;
        loop {
            let reading = self.observe(ports).await;
            if let Ok(Presence::Present(dose)) = &reading
                && dose.measured > self.prepared.asked / 2.0
            {
                return true;
            }
            if ports.clock.now() >= deadline {
                // Kept, so the verdict can say what was seen instead.
                record(recorder, ports.clock.now(), &reading);
                recorder.event(ports.clock.now(), EventKind::Fault, "the witness never saw the fault".into());
                return false;
            }
            ports.clock.sleep_until(ports.clock.now() + Duration::from_millis(20)).await;
        }
    }

    /// Takes readings until `end`: about six in the window, at least one a second, at most one every 10 ms.
    pub(super) async fn witness_until(&self, ports: &Ports, recorder: &Recorder, end: Duration) {
        let start = ports.clock.now();
        let step = (end.saturating_sub(start) / 6).clamp(Duration::from_millis(10), Duration::from_secs(1));
        let mut next = start + step / 2;
        while next < end {
            ports.clock.sleep_until(next).await;
            let reading = self.observe(ports).await;
            // A reading that began under the fault and ended after it says nothing.
            if ports.clock.now() < end {
                record(recorder, ports.clock.now(), &reading);
            }
            next = (next + step).max(ports.clock.now());
        }
        ports.clock.sleep_until(end).await;
    }

    /// Undoes the fault and sees it gone. Called on every path once `prepare` has succeeded; a second call does nothing.
    pub(super) async fn revert(&mut self, ports: &Ports, recorder: &Recorder) {
        if self.reverted {
            return;
        }
        let reverting = within(ports, REVERT_DEADLINE, ports.injector.revert(&self.prepared.record)).await;
        let failed = match reverting {
            Some(Ok(())) => self.still_there(ports).await,
            Some(Err(error)) => Some(error.to_string()),
            None => Some(format!("not done after {}", show_duration(REVERT_DEADLINE))),
        };
        // Only now: a panic on the way here leaves it to be called again.
        self.reverted = true;
        let now = ports.clock.now();
        if let Some(message) = failed {
            let message = format!("{} could not be undone: {message}", self.prepared.detail);
            return recorder.trouble(Trouble { stage: Stage::Cleanup, message });
        }
        recorder.mark(|marks| marks.removed = Some(now));
        recorder.event(now, EventKind::Fault, "removed, and seen gone".into());
        tell(ports, recorder, "fault out, and seen gone".into());
        if let Err(error) = ports.ledger.settle(&self.prepared.record) {
            recorder.trouble(Trouble { stage: Stage::Cleanup, message: error.to_string() });
        }
    }

    /// Why the fault is not seen to be gone, if it is not.
    async fn still_there(&self, ports: &Ports) -> Option<String> {
        let deadline = ports.clock.now() + CONFIRM_DEADLINE;
        loop {
            let seen = match self.observe(ports).await {
                Ok(Presence::Absent(_)) => return None,
                Ok(Presence::Present(dose)) => {
                    format!("the witness still measures {:.3} of {:.3}", dose.measured, dose.asked)
                }
                Err(error) => format!("the witness cannot tell: {error}"),
            };
            if ports.clock.now() >= deadline {
                return Some(seen);
            }
            ports.clock.sleep_until(ports.clock.now() + Duration::from_millis(20)).await;
        }
    }

    async fn observe(&self, ports: &Ports) -> Result<Presence, String> {
        match within(ports, OBSERVE_DEADLINE, ports.injector.observe(&self.prepared.record)).await {
            Some(seen) => seen.map_err(|error| error.to_string()),
            None => Err(format!("no reading after {}", show_duration(OBSERVE_DEADLINE))),
        }
    }
}

fn record(recorder: &Recorder, at: Duration, reading: &Result<Presence, String>) {
    recorder.reading(match reading {
        Ok(presence) => {
            let dose = presence.dose();
            Ok(DoseReading { at, asked: dose.asked, measured: dose.measured })
        }
        Err(why) => Err(why.clone()),
    });
}

fn tell(ports: &Ports, recorder: &Recorder, event: String) {
    let phase = recorder.phase();
    ports.progress.update(&ProgressUpdate {
        phase,
        elapsed: Duration::ZERO,
        of: Duration::ZERO,
        samples: 0,
        bad: 0,
        p95: None,
        event: Some(event),
    });
}

/// The future's output, or nothing if it takes longer than that.
async fn within<T>(ports: &Ports, limit: Duration, future: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        output = future => Some(output),
        () = ports.clock.sleep_until(ports.clock.now() + limit) => None,
    }
}
