use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;

use super::Run;
use super::call::describe;
use super::fault::{FaultRun, Panicked};
use crate::model::{EventKind, Phase, Sham, Stage, Trouble};
use crate::slo;

/// In a shorter baseline there is no time for a sham: putting it in place and taking it away would be most of it.
const SHORTEST: Duration = Duration::from_secs(2);

impl Run {
    /// The baseline, its second half with the fault's machinery in place and at rest; true if it is healthy, and the
    /// machinery gone.
    pub(super) async fn baseline(&mut self) -> Result<bool, Panicked> {
        let length = self.plan.baseline;
        self.recorder.enter(Phase::Baseline, Duration::ZERO);
        self.pass_until(length / 2, Phase::Baseline, Duration::ZERO, length).await;
        let sham = match self.no_sham() {
            Some(why) => Some(Sham::None(why)),
            None => self.begin_sham().await?,
        };
        if !self.recorder.is_untroubled() {
            return Ok(false);
        }
        // What is about to be taken away again takes a moment to go; the baseline is to be none the longer for it.
        self.pass_until(length - length / 20, Phase::Baseline, Duration::ZERO, length).await;
        let ended = self.now();
        self.end_sham().await;
        if !self.recorder.is_untroubled() {
            return Ok(false);
        }
        if let Some(sham) = sham {
            self.recorder.sham(match sham {
                Sham::InPlace { detail, began, from, .. } => Sham::InPlace { detail, began, from, to: ended },
                none => none,
            });
        }
        self.pass_time(Phase::Baseline, Duration::ZERO, length).await;
        Ok(self.baseline_is_healthy().await)
    }

    /// Why there is to be no sham, if so.
    fn no_sham(&self) -> Option<String> {
        if self.plan.dry_run {
            return Some("a dry run puts nothing in place".into());
        }
        if self.plan.baseline < SHORTEST {
            return Some("the baseline is too short for it".into());
        }
        slo::too_unwell(&self.recorder.so_far(self.now()), &self.plan.objectives)
    }

    /// Puts the machinery in place, at rest. None if that failed, which is the run's trouble.
    async fn begin_sham(&mut self) -> Result<Option<Sham>, Panicked> {
        let began = self.now();
        let sham = match FaultRun::at_rest(&self.plan, &self.ports).await {
            Ok(Some(sham)) => self.sham.insert(sham),
            Ok(None) => {
                return Ok(Some(Sham::None("this fault has no machinery that could be at rest".into())));
            }
            Err(message) => {
                self.recorder.trouble(Trouble { stage: Stage::Injection, message });
                return Ok(None);
            }
        };
        // From here on it is owed.
        let detail = sham.detail().to_owned();
        let in_place = sham.put_at_rest(&self.ports, &self.recorder).await?;
        let from = self.now();
        Ok(in_place.then_some(Sham::InPlace { detail, began, from, to: from }))
    }

    /// Takes it away, on every path on which it may be there.
    pub(super) async fn end_sham(&mut self) {
        // It stays in its place until it is gone: whoever stops the run meanwhile has it undone again.
        let Some(sham) = &mut self.sham else { return };
        if let Err(panic) = AssertUnwindSafe(sham.revert(&self.ports, &self.recorder)).catch_unwind().await {
            let message =
                format!("the harness panicked while a sham was being undone: {}", describe(&*panic));
            self.recorder.trouble(Trouble { stage: Stage::Cleanup, message });
        }
        self.sham = None;
    }

    async fn baseline_is_healthy(&self) -> bool {
        // Samples still on their way belong to the baseline too; a healthy service answers in a moment.
        let longest = self.ports.probes.iter().map(|spec| spec.timeout).max().unwrap_or_default();
        let asked = self.now();
        while self.recorder.settled_until(self.now()) < asked && self.now() < asked + longest {
            self.ports.clock.sleep_until(self.now() + Duration::from_millis(2)).await;
        }
        let trace = self.recorder.so_far(asked);
        let late = slo::too_late(&trace, &self.plan.objectives);
        let healthy = match late.first() {
            Some(reason) => Err(reason.to_string()),
            None => slo::baseline(&trace, &self.plan.objectives).map(drop),
        };
        match healthy {
            Ok(()) => true,
            Err(why) => {
                self.recorder.event(asked, EventKind::Phase, format!("nothing injected: {why}"));
                false
            }
        }
    }
}

#[cfg(test)]
mod tests;
