//! Runs one experiment: measures, injects, proves, reverts, watches.
//!
//! Purpose: [`run`] takes an experiment through baseline, chaos and recovery and returns the [`Trace`] of what was
//! observed. It judges nothing but what it must know to go on: whether the baseline is healthy and whether service
//! has recovered.
//!
//! Invariants: nothing is injected over an unhealthy baseline or without a written ledger entry; once something may
//! have been injected, the revert is carried out whatever happens, and nothing interrupts it; an injector's code runs on
//! threads of its own; samples are taken on a schedule that never waits for an answer. Only ports are seen here, and no fault kind is ever matched on.
//! Not here: how a fault is made, what a verdict is.

mod baseline;
mod call;
mod evidence;
mod fault;
mod guardian;
mod open_loop;
mod plan;
mod recorder;
mod window;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinError, JoinHandle};

use crate::model::{AbortCause, BodyEnd, DoseReading, EventKind, Phase, Stage, Trace, Trouble};
use crate::port::ProgressUpdate;
use crate::slo;
use crate::units::show_duration;

use call::describe;
use fault::{FaultRun, Looks, Panicked};
use guardian::Guardian;
pub(crate) use plan::{Guard, Limits, Plan, Ports, Sequential};
pub(crate) use recorder::{Recorder, Slot, StreamId};
pub(crate) use window::Window;

/// How often the engine looks whether service has recovered.
const TICK: Duration = Duration::from_millis(100);
/// How long keeping what was observed may hold up the revert, if the disk does not take it.
const KEEPING: Duration = Duration::from_secs(1);
/// How long a run that was stopped waits for the answers under way.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// Runs an experiment to its end, or to where `cancel` names a cause. Must run on a Tokio runtime.
pub(crate) async fn run(
    plan: Plan,
    ports: Ports,
    recorder: Arc<Recorder>,
    cancel: watch::Receiver<Option<AbortCause>>,
) -> Trace {
    let (stop, stopped) = watch::channel(false);
    let mut probers = Vec::new();
    for (n, spec) in ports.probes.iter().enumerate() {
        let stream = recorder.add_stream(spec);
        let prober = open_loop::run(
            Arc::clone(&ports.clock),
            Arc::clone(&recorder),
            stream,
            spec.clone(),
            n as u64,
            stopped.clone(),
        );
        probers.push(tokio::spawn(prober));
    }
    let longest = ports.probes.iter().map(|spec| spec.timeout).max().unwrap_or_default();
    let mut guardian = Guardian::new(&plan, longest, Arc::clone(&ports.clock), Arc::clone(&recorder), cancel);
    let mut run = Run { plan, ports, recorder: Arc::clone(&recorder), sham: None, fault: None, body: None };
    recorder.counts_by(run.plan.sequential.as_ref());
    drop(run.keep());
    // Three parts: before the fault's removal and after it the run may be stopped at any point; the removal may not.
    let held = guardian.over(run.until_removal()).await;
    run.revert().await;
    // What befell a service may be why the run got no further.
    run.tell_mishaps();
    let mut whole =
        if held == Some(true) { guardian.over(run.after_removal()).await } else { held.map(drop) };
    let ended = run.ports.clock.now();
    recorder.mark(|marks| {
        marks.ended = Some(ended);
        // Stopped after its fault was gone, a chaos phase ends with the run.
        marks.chaos_ended = marks.chaos_ended.or(marks.injected.map(|_| ended));
    });
    recorder.enter(Phase::Recovered, ended);
    let _ = stop.send(true);
    drop(run.keep());
    if whole.is_some() {
        // The answers and the body may take their time; whoever wants the run to end need not wait for them.
        whole = guardian
            .over(async { tokio::join!(last_answers(&mut probers), run.finish_body()) })
            .await
            .map(drop);
    }
    if whole.is_none() {
        run.stop_body().await;
        // Nobody is to wait long for the answers of a run that decides nothing any more.
        let (clock, aborts) = (Arc::clone(&run.ports.clock), probers.iter().map(JoinHandle::abort_handle));
        let aborts: Vec<_> = aborts.collect();
        let deadline = clock.now() + LAST_ANSWERS;
        tokio::spawn(async move {
            clock.sleep_until(deadline).await;
            aborts.iter().for_each(AbortHandle::abort);
        });
    }
    last_answers(&mut probers).await;
    run.tell_mishaps();
    recorder.finish()
}

/// Waits until every prober has all its answers; those that have are taken from the list.
async fn last_answers(probers: &mut Vec<JoinHandle<()>>) {
    while let Some(prober) = probers.last_mut() {
        // A prober that panicked has left a gap in its samples, which the verdict sees.
        let _ = prober.await;
        probers.pop();
    }
}

/// What a body came to whose task is over.
fn ended(task: Result<BodyEnd, JoinError>) -> BodyEnd {
    task.unwrap_or_else(|error| BodyEnd::Panicked(error.to_string()))
}

struct Run {
    plan: Plan,
    ports: Ports,
    recorder: Arc<Recorder>,
    /// The fault's machinery at rest, as long as it may be there.
    sham: Option<FaultRun>,
    fault: Option<FaultRun>,
    body: Option<(Duration, JoinHandle<BodyEnd>)>,
}

impl Run {
    fn now(&self) -> Duration {
        self.ports.clock.now()
    }

    /// Keeps what has been observed so far, on a thread of its own.
    fn keep(&self) -> JoinHandle<()> {
        let (keeper, trace) = (Arc::clone(&self.ports.keeper), self.recorder.until_now(self.now()));
        tokio::task::spawn_blocking(move || keeper.keep(trace))
    }

    /// Baseline, injection, and the fault's time; true when it was proven and held.
    async fn until_removal(&mut self) -> bool {
        match AssertUnwindSafe(self.inject_and_hold()).catch_unwind().await {
            Ok(Ok(held)) => held,
            // An injector is anybody's code. If it panics, what it has put in place is undone all the same.
            Ok(Err(Panicked(text))) => {
                let message = format!("the injector panicked: {text}");
                self.recorder.trouble(Trouble { stage: Stage::Injection, message });
                true
            }
            Err(panic) => {
                let message = format!("the harness panicked: {}", describe(&*panic));
                self.recorder.trouble(Trouble { stage: Stage::Injection, message });
                true
            }
        }
    }

    async fn inject_and_hold(&mut self) -> Result<bool, Panicked> {
        if !self.baseline().await? {
            return Ok(false);
        }
        // Until the fault is proven nothing more is kept, and that may take a while.
        drop(self.keep());
        let fault = match FaultRun::prepare(&self.plan, &self.ports, &self.recorder).await {
            Ok(_) if self.plan.dry_run => {
                self.recorder.skip("dry run");
                return Ok(false);
            }
            Ok(fault) => self.fault.insert(fault),
            Err(message) => {
                self.recorder.trouble(Trouble { stage: Stage::Injection, message });
                return Ok(false);
            }
        };
        // From here on the revert is owed.
        if !fault.inject(&self.ports, &self.recorder).await? {
            return Ok(false);
        }
        let injected = self.now();
        self.recorder.mark(|marks| marks.injected = Some(injected));
        self.recorder.enter(Phase::Chaos, injected);
        drop(self.keep());
        if let Some(body) = &self.ports.body {
            self.body = Some((injected, tokio::spawn(body.run())));
        }
        let looks = Looks {
            planned: self.plan.fault.held_for(self.plan.chaos),
            end: injected + self.plan.fault.held_for(self.plan.longest_chaos()),
            at_least: if self.plan.fault.is_an_event() { DoseReading::FEWEST } else { 0 },
        };
        let Some(fault) = &self.fault else { return Ok(false) };
        // It ends with the chaos phase, which is no shorter unless it is decided.
        let over = async {
            tokio::select! {
                () = self.chaos_time(injected) => {}
                () = self.until_decided() => {}
            }
        };
        fault.witness_until(&self.ports, &self.recorder, looks, over).await?;
        Ok(true)
    }

    /// Undoes the fault, on every path on which there may be one.
    async fn revert(&mut self) {
        self.end_sham().await;
        if self.fault.is_none() {
            return;
        }
        // If this process does not survive what follows, the record says how far the run came.
        let (kept, deadline) = (self.keep(), self.now() + KEEPING);
        tokio::select! {
            _ = kept => {}
            () = self.ports.clock.sleep_until(deadline) => {}
        }
        let reverting = self.now();
        let stays = self.plan.fault.held_for(self.plan.chaos) < self.plan.chaos;
        let going_on = stays && self.recorder.is_untroubled();
        self.recorder.mark(|marks| {
            marks.revert_started = Some(reverting);
            if marks.injected.is_some() && !going_on {
                marks.chaos_ended = Some(reverting);
            }
        });
        let Some(fault) = &mut self.fault else { return };
        if let Err(panic) = AssertUnwindSafe(fault.revert(&self.ports, &self.recorder)).catch_unwind().await {
            let message =
                format!("the harness panicked while the fault was being undone: {}", describe(&*panic));
            self.recorder.trouble(Trouble { stage: Stage::Cleanup, message });
        }
    }

    /// What is left of the chaos phase once the fault is gone, and the recovery watch.
    async fn after_removal(&mut self) {
        let marks = self.recorder.marks();
        let Some(injected) = marks.injected else { return };
        if marks.chaos_ended.is_none() {
            self.pass_time(Phase::Chaos, injected, self.plan.chaos).await;
            let over = self.now();
            self.recorder.mark(|marks| marks.chaos_ended = Some(over));
        }
        if marks.removed.is_some() {
            self.watch_recovery().await;
        }
    }

    /// Watches until every stream has recovered and stays well, or the watch is over.
    async fn watch_recovery(&self) {
        let started = self.now();
        self.recorder.enter(Phase::Recovery, started);
        let mut next_report = started;
        while self.now() < started + self.plan.watch {
            self.ports.clock.sleep_until(self.now() + TICK).await;
            if self.has_recovered() {
                self.tell_mishaps();
                return;
            }
            if self.now() >= next_report {
                self.tell_mishaps();
                self.report(Phase::Recovery, started, self.plan.watch, None);
                next_report += Duration::from_secs(1);
            }
        }
    }

    fn has_recovered(&self) -> bool {
        let mut trace = self.recorder.so_far(self.now());
        trace.marks.ended = Some(self.recorder.settled_until(self.now()));
        let Ok(baselines) = slo::baseline(&trace, &self.plan.objectives) else { return false };
        let scheduled = trace.streams.iter().filter(|stream| stream.kind.is_scheduled());
        scheduled
            .zip(&baselines)
            .all(|(stream, normal)| slo::has_settled(stream, normal, &trace.marks, &self.plan.objectives))
    }

    /// Lets a phase last.
    async fn pass_time(&self, phase: Phase, started: Duration, length: Duration) {
        self.pass_until(started + length, phase, started, length).await;
    }

    /// Lets a phase of that length last until then.
    async fn pass_until(&self, end: Duration, phase: Phase, started: Duration, length: Duration) {
        loop {
            self.report(phase, started, length, None);
            let next = (self.now() + Duration::from_secs(1)).min(end);
            self.ports.clock.sleep_until(next).await;
            self.tell_mishaps();
            if next >= end {
                return;
            }
        }
    }

    fn tell_mishaps(&self) {
        let now = self.now();
        for mishap in (self.ports.mishaps)() {
            self.recorder.event_once(now.saturating_sub(mishap.ago), EventKind::Service, mishap.text);
        }
    }

    fn report(&self, phase: Phase, started: Duration, of: Duration, event: Option<String>) {
        let now = self.now();
        let (samples, bad, p95) = self.recorder.figures_since(started);
        let elapsed = now.saturating_sub(started);
        self.ports.progress.update(&ProgressUpdate { phase, elapsed, of, samples, bad, p95, event });
    }

    /// Waits for a body that runs once, at most for the grace.
    async fn finish_body(&mut self) {
        let deadline = self.now() + self.plan.grace;
        // It stays in its place until it has ended, for whoever stops the run meanwhile.
        let Some((started, task)) = &mut self.body else { return };
        let started = *started;
        let end = tokio::select! {
            end = &mut *task => ended(end),
            () = self.ports.clock.sleep_until(deadline) => {
                task.abort();
                BodyEnd::TimedOut(self.ports.clock.now().saturating_sub(started))
            }
        };
        self.body = None;
        if let BodyEnd::TimedOut(after) = &end {
            let text = format!("the test body was stopped, {} after it started", show_duration(*after));
            self.recorder.event(self.now(), EventKind::Phase, text);
        }
        self.recorder.body_ended(end);
    }

    /// Ends a body that runs once with the run it belongs to.
    async fn stop_body(&mut self) {
        let Some((started, task)) = self.body.take() else { return };
        // What it came to before the run was stopped may be why.
        if task.is_finished() {
            return self.recorder.body_ended(ended(task.await));
        }
        task.abort();
        let after = show_duration(self.now().saturating_sub(started));
        let text = format!("the test body was stopped, {after} after it started");
        self.recorder.event(self.now(), EventKind::Phase, text);
    }
}
