use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::recorder::{Recorder, Slots};
use super::{Guard, Plan};
use crate::model::{AbortCause, Marks, Outcome, Phase, Stream};
use crate::port::Clock;
use crate::units::{Percent, show_duration};

/// How often the conditions are looked at.
const TICK: Duration = Duration::from_millis(100);
/// A share of fewer samples than this says nothing.
const FEWEST: u64 = 20;

/// Stops a run: when an abort condition trips, a deadline passes, or somebody asks for it.
pub(super) struct Guardian {
    clock: Arc<dyn Clock>,
    recorder: Arc<Recorder>,
    cancel: watch::Receiver<Option<AbortCause>>,
    deadlines: Vec<(Duration, String)>,
    guard: Guard,
    /// Whether the conditions wait until a fault that makes errors on purpose is over, and for how long at most.
    patient: Option<Option<Duration>>,
    /// Per stream, how many samples have been held against the response time for good.
    checked: Vec<usize>,
}

impl Guardian {
    pub(super) fn new(
        plan: &Plan,
        probe_timeout: Duration,
        clock: Arc<dyn Clock>,
        recorder: Arc<Recorder>,
        cancel: watch::Receiver<Option<AbortCause>>,
    ) -> Self {
        let longest = plan.longest(probe_timeout);
        let mut deadlines = vec![(longest, format!("the scenario's deadline of {}", show_duration(longest)))];
        let total = plan
            .run_ends
            .map(|at| (at, format!("the deadline of the whole run, {} into this one", show_duration(at))));
        deadlines.extend(total);
        let on_purpose = plan.fault.makes_an_outage() && !plan.guard.own;
        Self {
            clock,
            recorder,
            cancel,
            deadlines,
            guard: plan.guard.clone(),
            patient: on_purpose.then_some(plan.objectives.time_to_recover),
            checked: Vec::new(),
        }
    }

    /// What comes of the work, unless the run is stopped before; then why is in the trace, and the work is dropped.
    pub(super) async fn over<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            cause = self.trips() => {
                self.recorder.abort(self.clock.now(), cause);
                None
            }
            done = work => Some(done),
        }
    }

    async fn trips(&mut self) -> AbortCause {
        loop {
            let now = self.clock.now();
            if let Some((_, which)) = self.deadlines.iter().find(|(at, _)| now >= *at) {
                return AbortCause::Deadline(which.clone());
            }
            if let Some(cause) = self.look(now) {
                return cause;
            }
            tokio::select! {
                biased;
                asked = self.cancel.wait_for(Option::is_some) => {
                    // Without anybody left who could ask, nobody is left who waits for the run.
                    return asked.ok().and_then(|cause| cause.clone()).unwrap_or(AbortCause::Dropped);
                }
                () = self.clock.sleep_until(now + TICK) => {}
            }
        }
    }

    /// The abort condition that is met, if one is.
    fn look(&mut self, now: Duration) -> Option<AbortCause> {
        if !matches!(self.recorder.phase(), Phase::Chaos | Phase::Recovery) {
            return None;
        }
        let marks = self.recorder.marks();
        let (guard, patient, checked) = (&self.guard, self.patient, &mut self.checked);
        let mut nth = 0;
        self.recorder.find_in_scheduled(|stream, slots, sent| {
            checked.resize(checked.len().max(nth + 1), 0);
            let checked = &mut checked[nth];
            nth += 1;
            let (from, phase_began) = counted_from(&marks, now, slots, patient)?;
            let seen = Seen { stream, slots, sent, now, from, phase_began };
            seen.meets(guard, checked)
        })
    }
}

/// From when on samples count against the conditions, and the beginning of the phase as far as it counts.
fn counted_from(
    marks: &Marks,
    now: Duration,
    slots: &Slots,
    patient: Option<Option<Duration>>,
) -> Option<(Duration, Duration)> {
    let injected = marks.injected?;
    let phase = marks.chaos_ended.filter(|ended| *ended <= now).unwrap_or(injected);
    let Some(patience) = patient else { return Some((injected, phase)) };
    let removed = marks.removed?;
    let after = &slots[slots.partition_point(|(at, _)| *at < removed)..];
    let well =
        after.iter().find(|(_, sample)| sample.is_some_and(|sample| sample.is_good())).map(|(at, _)| *at);
    let patience_ends = patience.map(|patience| removed.saturating_add(patience)).filter(|end| *end <= now);
    let from = well.into_iter().chain(patience_ends).min()?;
    Some((from, phase.max(from)))
}

/// The samples of one stream, as far as they count. A slot without a sample is still under way.
struct Seen<'a> {
    stream: &'a Stream,
    slots: &'a Slots,
    /// When the sample of each slot was sent, if it was.
    sent: &'a [Option<Duration>],
    now: Duration,
    from: Duration,
    phase_began: Duration,
}

impl Seen<'_> {
    fn meets(&self, guard: &Guard, checked: &mut usize) -> Option<AbortCause> {
        let conditions = &guard.conditions;
        let rate = || self.error_rate(conditions.error_rate?, guard.interval);
        let row = || self.failures_in_a_row(conditions.consecutive_failures?, guard.interval);
        rate().or_else(row).or_else(|| self.response_time(conditions.response_time?, checked))
    }

    /// More bad samples than the limit in the last five intervals of the phase, once half of those have passed.
    fn error_rate(&self, limit: Percent, interval: Duration) -> Option<AbortCause> {
        let lasted = self.now.saturating_sub(self.phase_began);
        if lasted < interval.saturating_mul(5) / 2 {
            return None;
        }
        let within = lasted.min(interval.saturating_mul(5));
        let begin = self.now.saturating_sub(within);
        let last =
            self.slots.iter().rev().take_while(|(at, _)| *at >= begin).filter_map(|(_, sample)| *sample);
        let (mut of, mut bad) = (0_u64, 0_u64);
        for sample in last {
            of += 1;
            bad += u64::from(!sample.is_good());
        }
        let over = of >= FEWEST && bad as f64 > limit.ratio() * of as f64;
        over.then(|| AbortCause::ErrorRate { stream: self.name(), bad, of, within, limit })
    }

    /// That many bad samples one after the other, over as long as that many health checks take.
    fn failures_in_a_row(&self, limit: u32, interval: Duration) -> Option<AbortCause> {
        let counted = self.slots.iter().rev().take_while(|(at, _)| *at >= self.from);
        let settled = counted.filter_map(|(_, sample)| *sample);
        let (mut count, mut first, mut last) = (0_u64, None, None);
        for sample in settled.take_while(|sample| !sample.is_good()) {
            count += 1;
            first = Some(sample.at);
            last = last.or(Some(sample.at));
        }
        let lasting = last?.saturating_sub(first?);
        // A stream whose samples are as far apart as health checks needs no more than the number.
        let long_enough =
            self.stream.interval >= interval || lasting >= interval.saturating_mul(limit.saturating_sub(1));
        (count >= u64::from(limit) && long_enough).then(|| AbortCause::ConsecutiveFailures {
            stream: self.name(),
            count,
            lasting,
            limit,
        })
    }

    /// An answer that took longer than that from its sending on, or is already taking longer. Nothing takes longer than
    /// the timeout of its stream, by which a moment more or less of ours is no matter.
    fn response_time(&self, limit: Duration, checked: &mut usize) -> Option<AbortCause> {
        let slow = |took, pending| AbortCause::ResponseTime { stream: self.name(), took, pending, limit };
        for (n, (at, sample)) in self.slots.iter().enumerate().skip(*checked) {
            if sample.is_some() && n == *checked {
                *checked += 1;
            }
            let took = match sample {
                _ if *at < self.from => continue,
                // It was never sent.
                Some(sample) if sample.outcome == Outcome::Dropped => continue,
                Some(sample) => sample.latency.saturating_sub(sample.lag),
                // How long it waited for this host is no time of the service's.
                None => match self.sent.get(n).copied().flatten() {
                    Some(sent) => self.now.saturating_sub(sent),
                    None => continue,
                },
            };
            let took = took.min(self.stream.timeout);
            if took > limit {
                return Some(slow(took, sample.is_none()));
            }
        }
        None
    }

    fn name(&self) -> String {
        self.stream.name.clone()
    }
}

#[cfg(test)]
mod tests;
