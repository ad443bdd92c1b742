use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use super::call::{Call, Lost, call};
use super::recorder::Recorder;
use super::{Limits, Plan, Ports};
use crate::model::{Delivery, DoseReading, EventKind, Stage, Trouble};
use crate::port::{InjectError, Prepared, Presence, ProgressUpdate};
use crate::units::show_duration;

/// One fault on its way in and out.
pub(super) struct FaultRun {
    prepared: Prepared,
    limits: Limits,
    /// The call that puts it in place, from its beginning on.
    injecting: Option<Call<Result<(), InjectError>>>,
    reverted: bool,
    /// At dose zero: part of the baseline. It makes no marks, and there is nothing for the witness to see.
    at_rest: bool,
}

/// The injector panicked, with that text.
pub(super) struct Panicked(pub(super) String);

impl FaultRun {
    /// Chooses the mechanism and works out the steps. Changes nothing.
    pub(super) async fn prepare(plan: &Plan, ports: &Ports, recorder: &Recorder) -> Result<Self, String> {
        let (injector, fault, target, pin) =
            (Arc::clone(&ports.injector), plan.fault.clone(), plan.target.clone(), plan.pin.clone());
        let preparing = call(&*ports.clock, plan.limits.inject, async move {
            // Chosen here, once, and used as it is to the end.
            let choice = injector.support(&fault, &target).choose(fault.kind(), &pin)?;
            let prepared = injector.prepare(&fault, &target, choice.mechanism).await;
            Ok::<_, String>((prepared.map_err(|error| error.to_string())?, choice.passed_over))
        });
        let (prepared, passed_over) = preparing.await.map_err(|lost| match lost {
            Lost::NotDone(after) => format!("not prepared after {}", show_duration(after)),
            lost => told(&lost),
        })??;
        // Of nothing anything is enough.
        if !(prepared.asked.is_finite() && prepared.asked > 0.0) {
            let Prepared { detail, asked, .. } = &prepared;
            return Err(format!("{detail}: a dose of {asked} cannot be proven; ask for more than nothing"));
        }
        recorder.delivery(Delivery {
            mechanism: prepared.mechanism.clone(),
            detail: prepared.detail.clone(),
            passed_over,
            unit: prepared.unit,
            readings: Vec::new(),
            failed_readings: 0,
            last_failure: None,
        });
        Ok(Self { prepared, limits: plan.limits, injecting: None, reverted: false, at_rest: false })
    }

    /// Puts the fault in place; true once the witness has seen enough of it.
    pub(super) async fn inject(&mut self, ports: &Ports, recorder: &Recorder) -> Result<bool, Panicked> {
        Ok(self.put_in_place(ports, recorder).await? && self.is_seen(ports, recorder).await?)
    }

    /// Writes it into the ledger and injects it; false if that failed.
    async fn put_in_place(&mut self, ports: &Ports, recorder: &Recorder) -> Result<bool, Panicked> {
        if let Err(error) = ports.ledger.owe(&self.prepared.record) {
            // Nothing was done, so nothing is owed.
            self.reverted = true;
            recorder.trouble(Trouble {
                stage: Stage::Injection,
                message: format!("nothing was injected: {error}"),
            });
            return Ok(false);
        }
        // Not before: until here nothing was done, and nothing will have to be removed.
        let started = ports.clock.now();
        if !self.at_rest {
            recorder.mark(|marks| marks.inject_started = Some(started));
        }
        let (injector, prepared) = (Arc::clone(&ports.injector), self.prepared.clone());
        let work = async move { injector.inject(&prepared).await };
        let injecting = self.injecting.insert(Call::begin(work));
        let failed = match injecting.result(&*ports.clock, self.limits.inject).await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(Lost::Panicked(text)) => return Err(Panicked(text)),
            Err(lost) => Some(told(&lost)),
        };
        if let Some(message) = &failed {
            recorder.trouble(Trouble {
                stage: Stage::Injection,
                message: format!("{}: {message}", self.prepared.detail),
            });
        }
        Ok(failed.is_none())
    }

    /// Whether the witness sees enough of it in time.
    async fn is_seen(&self, ports: &Ports, recorder: &Recorder) -> Result<bool, Panicked> {
        recorder.event(ports.clock.now(), EventKind::Fault, format!("injected: {}", self.prepared.detail));
        tell(ports, recorder, format!("fault in: {}", self.prepared.detail));
        let deadline = ports.clock.now() + self.limits.confirm;
        loop {
            let asked = ports.clock.now();
            let reading = self.observe(ports).await?;
            if let Ok(Presence::Present(dose)) = &reading
                && dose.measured > self.prepared.asked * DoseReading::ENOUGH
            {
                return Ok(true);
            }
            if ports.clock.now() >= deadline {
                // Kept, so the verdict can say what was seen instead.
                record(recorder, ports.clock.now(), &reading);
                recorder.event(ports.clock.now(), EventKind::Fault, "the witness never saw the fault".into());
                return Ok(false);
            }
            pause(ports, asked).await;
        }
    }

    /// Takes readings until `end`, or until it is `over`: about six in the time for which the fault is planned, at least one a
    /// second, at most one every 10 ms; and so many in any case, however long they take, where what is looked at does not go
    /// away.
    ///
    /// A reading that fails late, or does not come, counts for those that were due meanwhile: nobody saw the fault then. None is
    /// due any more after the end, for which nothing waits.
    pub(super) async fn witness_until(
        &self,
        ports: &Ports,
        recorder: &Recorder,
        Looks { planned, end, at_least }: Looks,
        over: impl Future<Output = ()>,
    ) -> Result<(), Panicked> {
        let start = ports.clock.now();
        let step = (planned / 6).clamp(Duration::from_millis(10), Duration::from_secs(1));
        let mut over = pin!(over);
        let (mut next, mut taken) = (start + step / 2, 0);
        // As long as one may take here: a step, or the longest that came.
        let mut usual = step;
        while next < end || taken < at_least {
            let enough = taken >= at_least;
            tokio::select! {
                () = &mut over, if enough => return Ok(()),
                () = ports.clock.sleep_until(next) => {}
            }
            let asked = ports.clock.now();
            let reading = tokio::select! {
                biased;
                reading = self.observe(ports) => Some(reading?),
                () = &mut over, if enough => None,
                () = ports.clock.sleep_until(end), if enough => None,
            };
            let now = ports.clock.now();
            let took = if enough { now.min(end) } else { now }.saturating_sub(asked);
            let Some(reading) = reading else {
                missing(recorder, took, usual);
                return Ok(());
            };
            // A reading that began under the fault and ended after it says nothing.
            let counts = now < end || !enough;
            if counts && reading.is_ok() {
                usual = usual.max(took);
            } else {
                missing(recorder, took, usual);
            }
            // Last: why it failed says more than that it was not there.
            if counts {
                record(recorder, now, &reading);
            }
            taken += 1;
            next = (next + step).max(now);
        }
        tokio::select! {
            () = &mut over => {}
            () = ports.clock.sleep_until(end) => {}
        }
        Ok(())
    }

    /// Undoes the fault and sees it gone. Called on every path once `prepare` has succeeded; a second call does nothing.
    pub(super) async fn revert(&mut self, ports: &Ports, recorder: &Recorder) {
        if self.reverted {
            return;
        }
        // An injection that was given up may have a step to go. One that blocks its thread may have any number.
        let stray = match &mut self.injecting {
            Some(call) => !call.withdraw(&*ports.clock).await,
            None => false,
        };
        let mut failed = self.undo(ports).await;
        if let Err(Panicked(text)) = &failed {
            recorder.trouble(Trouble {
                stage: Stage::Injection,
                message: format!("the injector panicked: {text}"),
            });
            failed = self.undo(ports).await;
        }
        let mut failed =
            failed.unwrap_or_else(|Panicked(text)| Some(format!("the injector panicked: {text}")));
        if stray && self.injecting.as_ref().is_some_and(|call| !call.has_ended()) {
            let why = "the injection was given up and its thread goes on; what it puts in place later is not undone";
            failed = Some(failed.map_or_else(|| why.into(), |failed| format!("{failed}; {why}")));
        } else if stray && failed.is_none() {
            // It ended between our looks, so it may have come after the first.
            let again = self.undo(ports).await;
            failed = again.unwrap_or_else(|Panicked(text)| Some(format!("the injector panicked: {text}")));
        }
        let now = ports.clock.now();
        // Not before: dropped in the middle, it is to be done again.
        self.reverted = true;
        if let Some(message) = failed {
            let message = format!("{} could not be undone: {message}", self.prepared.detail);
            return recorder.trouble(Trouble { stage: Stage::Cleanup, message });
        }
        if !self.at_rest {
            recorder.mark(|marks| marks.removed = Some(now));
            recorder.event(now, EventKind::Fault, "removed, and seen gone".into());
            tell(ports, recorder, "fault out, and seen gone".into());
        }
        if let Err(error) = ports.ledger.settle(&self.prepared.record) {
            recorder.trouble(Trouble { stage: Stage::Cleanup, message: error.to_string() });
        }
    }

    /// One try at undoing it: nothing when it is seen gone, else what is wrong.
    async fn undo(&self, ports: &Ports) -> Result<Option<String>, Panicked> {
        let (injector, record) = (Arc::clone(&ports.injector), self.prepared.record.clone());
        let work = async move { injector.revert(&record).await };
        match call(&*ports.clock, self.limits.revert, work).await {
            Ok(Ok(())) if self.at_rest => Ok(None),
            Ok(Ok(())) => self.still_there(ports).await,
            Ok(Err(error)) => Ok(Some(error.to_string())),
            Err(Lost::Panicked(text)) => Err(Panicked(text)),
            Err(lost) => Ok(Some(told(&lost))),
        }
    }

    /// Why the fault is not seen to be gone, if it is not.
    async fn still_there(&self, ports: &Ports) -> Result<Option<String>, Panicked> {
        let deadline = ports.clock.now() + self.limits.confirm;
        loop {
            let asked = ports.clock.now();
            let seen = match self.observe(ports).await? {
                Ok(Presence::Absent(_)) => return Ok(None),
                Ok(Presence::Present(dose)) => {
                    format!("the witness still measures {:.3} of {:.3}", dose.measured, dose.asked)
                }
                Err(error) => format!("the witness cannot tell: {error}"),
            };
            if ports.clock.now() >= deadline {
                return Ok(Some(seen));
            }
            pause(ports, asked).await;
        }
    }

    async fn observe(&self, ports: &Ports) -> Result<Result<Presence, String>, Panicked> {
        let (injector, record) = (Arc::clone(&ports.injector), self.prepared.record.clone());
        let work = async move { injector.observe(&record).await };
        match call(&*ports.clock, self.limits.observe, work).await {
            Ok(seen) => Ok(seen.map_err(|error| error.to_string())),
            Err(Lost::NotDone(after)) => Ok(Err(format!("no reading after {}", show_duration(after)))),
            Err(Lost::Panicked(text)) => Err(Panicked(text)),
        }
    }
}

mod at_rest;

/// The time in which a witness looks at a fault.
#[derive(Debug, Clone, Copy)]
pub(super) struct Looks {
    /// How long the fault is there if nothing makes that longer.
    pub(super) planned: Duration,
    /// When it goes at the latest.
    pub(super) end: Duration,
    /// How many readings are to be taken in any case.
    pub(super) at_least: usize,
}

/// Between a reading that was asked for at `asked` and the next one: as long as it took. A witness that works without a
/// break takes the time from what it looks at, and is late itself.
async fn pause(ports: &Ports, asked: Duration) {
    let now = ports.clock.now();
    let took = now.saturating_sub(asked);
    ports.clock.sleep_until(now + took.clamp(Duration::from_millis(20), Duration::from_secs(1))).await;
}

/// A reading that is not there holds up those that were due meanwhile: they count as failed, if they are more than three.
fn missing(recorder: &Recorder, waited: Duration, usual: Duration) {
    let due = waited.as_nanos() / usual.as_nanos().max(1);
    if due > 3 {
        for _ in 1..due {
            recorder.reading(Err(format!("no reading for {}", show_duration(waited))));
        }
    }
}

fn told(lost: &Lost) -> String {
    match lost {
        Lost::NotDone(after) => format!("not done after {}", show_duration(*after)),
        Lost::Panicked(text) => format!("the injector panicked: {text}"),
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
