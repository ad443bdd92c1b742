//! Runs one experiment: measures, injects, proves, reverts, watches.
//!
//! Purpose: [`run`] takes an experiment through baseline, chaos and recovery and returns the [`Trace`] of what was
//! observed. It judges nothing but what it must know to go on: whether the baseline is healthy and whether service
//! has recovered.
//!
//! Invariants: nothing is injected over an unhealthy baseline or without a written ledger entry; once something may
//! have been injected, the revert is carried out whatever happens; samples are taken on a schedule that never waits
//! for an answer. Only ports are seen here, and no fault kind is ever matched on.
//! Not here: how a fault is made, what a verdict is.

mod fault;
mod open_loop;
mod recorder;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::watch;

use crate::model::{BodyEnd, EventKind, Fault, Objectives, Phase, Stage, Trace, Trouble};
use crate::port::{Body, Clock, DynInjector, Ledger, ProbeSpec, Progress, ProgressUpdate, Target};
use crate::slo;
use crate::units::show_duration;

use fault::FaultRun;
pub(crate) use recorder::{Recorder, Slot, StreamId};

/// What an experiment is to do.
pub(crate) struct Plan {
    pub(crate) fault: Fault,
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
    /// Whether it stops before anything is injected.
    pub(crate) dry_run: bool,
}

/// What the engine works with.
pub(crate) struct Ports {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) injector: Box<dyn DynInjector>,
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) probes: Vec<ProbeSpec>,
    pub(crate) body: Option<Arc<dyn Body>>,
    pub(crate) progress: Arc<dyn Progress>,
    /// Says what has happened to the target without our doing, if anything has.
    pub(crate) mishap: Box<dyn Fn() -> Option<String> + Send + Sync>,
}

/// How often the engine looks whether service has recovered, and how often progress is told.
const TICK: Duration = Duration::from_millis(100);

/// Runs an experiment to its end, or to where `cancel` becomes true. Must run on a Tokio runtime.
pub(crate) async fn run(
    plan: Plan,
    ports: Ports,
    recorder: Arc<Recorder>,
    cancel: watch::Receiver<bool>,
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
    let mut run = Run { plan, ports, recorder: Arc::clone(&recorder), cancel, body: None };
    run.phases().await;
    let ended = run.ports.clock.now();
    recorder.mark(|marks| marks.ended = Some(ended));
    recorder.enter(Phase::Recovered, ended);
    let _ = stop.send(true);
    for prober in probers {
        // A prober that panicked has left a gap in its samples, which the verdict sees.
        let _ = prober.await;
    }
    run.finish_body().await;
    recorder.finish()
}

struct Run {
    plan: Plan,
    ports: Ports,
    recorder: Arc<Recorder>,
    cancel: watch::Receiver<bool>,
    body: Option<(Duration, tokio::task::JoinHandle<BodyEnd>)>,
}

impl Run {
    fn now(&self) -> Duration {
        self.ports.clock.now()
    }

    async fn phases(&mut self) {
        self.recorder.enter(Phase::Baseline, Duration::ZERO);
        if !self.pass_time(Phase::Baseline, Duration::ZERO, self.plan.baseline).await {
            return;
        }
        if !self.baseline_is_healthy().await {
            return;
        }
        let started = self.now();
        self.recorder.mark(|marks| marks.inject_started = Some(started));
        let fault =
            AssertUnwindSafe(FaultRun::prepare(&self.plan, &self.ports, &self.recorder)).catch_unwind().await;
        let mut fault = match fault
            .unwrap_or_else(|panic| Err(format!("the injector panicked: {}", describe(&*panic))))
        {
            Ok(fault) => fault,
            Err(message) => return self.recorder.trouble(Trouble { stage: Stage::Injection, message }),
        };
        if self.plan.dry_run {
            return self.recorder.skip("dry run");
        }
        // An injector is anybody's code. If it panics, what it may have put in place is undone all the same.
        if let Err(panic) = AssertUnwindSafe(self.chaos(&mut fault)).catch_unwind().await {
            let message = format!("the injector panicked: {}", describe(&*panic));
            self.recorder.trouble(Trouble { stage: Stage::Injection, message });
            if AssertUnwindSafe(fault.revert(&self.ports, &self.recorder)).catch_unwind().await.is_err() {
                let message = "the injector panicked while the fault was being undone".into();
                self.recorder.trouble(Trouble { stage: Stage::Cleanup, message });
            }
        }
        if self.recorder.marks().removed.is_some() && self.recorder.marks().injected.is_some() {
            self.watch_recovery().await;
        }
    }

    /// Injects, holds, reverts. From the first line on the revert is owed, and paid on every path.
    async fn chaos(&mut self, fault: &mut FaultRun) {
        let proven = fault.inject(&self.ports, &self.recorder).await;
        if !proven {
            let reverting = self.now();
            self.recorder.mark(|marks| marks.revert_started = Some(reverting));
            fault.revert(&self.ports, &self.recorder).await;
            return;
        }
        let injected = self.now();
        self.recorder.mark(|marks| marks.injected = Some(injected));
        self.recorder.enter(Phase::Chaos, injected);
        if let Some(body) = &self.ports.body {
            self.body = Some((injected, tokio::spawn(body.run())));
        }
        let held = self.plan.fault.held_for(self.plan.chaos);
        let (end, removal) = (injected + self.plan.chaos, injected + held);
        let witnessing = fault.witness_until(&self.ports, &self.recorder, removal);
        let cancelled = tokio::select! {
            () = witnessing => false,
            going_on = self.pass_time(Phase::Chaos, injected, self.plan.chaos) => !going_on,
        };
        let reverting = self.now();
        self.recorder.mark(|marks| marks.revert_started = Some(reverting));
        if held == self.plan.chaos {
            self.recorder.mark(|marks| marks.chaos_ended = Some(reverting));
        }
        fault.revert(&self.ports, &self.recorder).await;
        if held < self.plan.chaos && !cancelled {
            self.pass_time(Phase::Chaos, injected, end.saturating_sub(injected)).await;
        }
        let over = self.now();
        self.recorder.mark(|marks| marks.chaos_ended = Some(marks.chaos_ended.unwrap_or(over)));
    }

    /// Watches until every stream has recovered and stays well, or the watch is over.
    async fn watch_recovery(&mut self) {
        let started = self.now();
        self.recorder.enter(Phase::Recovery, started);
        let mut next_report = started;
        while self.now() < started + self.plan.watch && !*self.cancel.borrow() {
            self.wait(self.now() + TICK).await;
            if self.has_recovered() {
                return;
            }
            if self.now() >= next_report {
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

    async fn baseline_is_healthy(&self) -> bool {
        // Samples still on their way belong to the baseline too; a healthy service answers in a moment.
        let longest = self.ports.probes.iter().map(|spec| spec.timeout).max().unwrap_or_default();
        let asked = self.now();
        while self.recorder.settled_until(self.now()) < asked && self.now() < asked + longest {
            self.wait(self.now() + Duration::from_millis(2)).await;
        }
        let trace = self.recorder.so_far(asked);
        let scheduled = trace.streams.iter().filter(|stream| stream.kind.is_scheduled());
        let late = scheduled.clone().find_map(|stream| slo::starved(stream, &trace.marks, Phase::Baseline));
        let healthy = match late {
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

    /// Lets a phase last; false when the run was cancelled.
    async fn pass_time(&self, phase: Phase, started: Duration, length: Duration) -> bool {
        let end = started + length;
        loop {
            self.report(phase, started, length, None);
            let next = (self.now() + Duration::from_secs(1)).min(end);
            if !self.wait(next).await {
                return false;
            }
            if let Some(mishap) = (self.ports.mishap)() {
                self.recorder.event_once(self.now(), EventKind::Service, mishap);
            }
            if next >= end {
                return true;
            }
        }
    }

    /// Sleeps until then; false when the run was cancelled meanwhile.
    async fn wait(&self, until: Duration) -> bool {
        let mut cancel = self.cancel.clone();
        tokio::select! {
            () = self.ports.clock.sleep_until(until) => true,
            _ = cancel.wait_for(|cancelled| *cancelled) => false,
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
        let Some((started, mut task)) = self.body.take() else { return };
        let deadline = self.now() + self.plan.grace;
        let end = tokio::select! {
            ended = &mut task => ended.unwrap_or_else(|error| BodyEnd::Panicked(error.to_string())),
            () = self.ports.clock.sleep_until(deadline) => {
                task.abort();
                BodyEnd::TimedOut(self.now().saturating_sub(started))
            }
        };
        if let BodyEnd::TimedOut(after) = &end {
            let text = format!("the test body was stopped, {} after it started", show_duration(*after));
            self.recorder.event(self.now(), EventKind::Phase, text);
        }
        self.recorder.body_ended(end);
    }
}

/// The text of a panic.
fn describe(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a text".into())
}
