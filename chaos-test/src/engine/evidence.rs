use std::time::Duration;

use super::{Run, TICK};
use crate::model::{EventKind, Phase};
use crate::slo::{self, SoFar};
use crate::units::show_duration;

/// How often the evidence is looked at: every so many ticks.
const TICKS: u32 = 2;

impl Run {
    /// The chaos phase as far as it may be held: its planned length, and longer where more of the same could tell.
    pub(super) async fn chaos_time(&self, injected: Duration) {
        self.pass_time(Phase::Chaos, injected, self.plan.chaos).await;
        let longest = self.plan.longest_chaos();
        if longest > self.plan.chaos && self.so_far() == (SoFar::Open { undecided: true }) {
            let text = format!("undecided: goes on for {} at most", show_duration(longest - self.plan.chaos));
            self.recorder.extended(self.now(), text);
            self.pass_time(Phase::Chaos, injected, longest).await;
        }
    }

    /// Waits until the evidence suffices; for ever, where that is no reason to end the phase.
    pub(super) async fn until_decided(&self) {
        // A body that runs once has its own use for the whole phase.
        if self.plan.sequential.is_none() || self.ports.body.is_some() {
            return std::future::pending().await;
        }
        loop {
            self.ports.clock.sleep_until(self.now() + TICK * TICKS).await;
            let text = match self.so_far() {
                SoFar::Pass => "decided: every share of samples is within its limit",
                SoFar::Fail => "decided: a share of samples is beyond its limit",
                SoFar::Open { .. } => continue,
            };
            self.recorder.event(self.now(), EventKind::Phase, text.into());
            return;
        }
    }

    fn so_far(&self) -> SoFar {
        slo::so_far(&self.recorder.so_far(self.now()), &self.plan.objectives)
    }
}
