use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::Sequential;
use super::window::{Window, figures};
use crate::model::{
    Abort, AbortCause, BodyEnd, CountRule, Delivery, DoorCheck, DoseReading, Event, EventKind, HostLoad,
    Marks, NoiseWindow, Outcome, Phase, ResourceSample, Sample, ServiceResources, Sham, Stage, Stream,
    StreamKind, Trace, Trouble,
};
use crate::port::ProbeSpec;

/// Where everything that is observed in a run comes together. Shared by the probers, the engine and the test body.
pub(crate) struct Recorder {
    inner: Mutex<Inner>,
    phase: watch::Sender<Phase>,
}

struct Inner {
    trace: Trace,
    streams: Vec<Open>,
}

/// A stream whose samples are still coming in; a slot is empty until its answer is there.
struct Open {
    stream: Stream,
    slots: Vec<(Duration, Option<Sample>)>,
    /// When the sample of each slot was really sent, if it was.
    sent: Vec<Option<Duration>>,
    /// All slots before this one are filled.
    settled: usize,
}

/// The samples of a stream by the time they were scheduled for, those under way without what came of them.
pub(super) type Slots = [(Duration, Option<Sample>)];

/// A stream of a recorder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StreamId(usize);

/// One scheduled sample of a stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slot {
    stream: StreamId,
    index: usize,
    at: Duration,
}

impl Recorder {
    pub(crate) fn new() -> Self {
        let inner = Inner { trace: Trace::default(), streams: Vec::new() };
        Self { inner: Mutex::new(inner), phase: watch::Sender::new(Phase::Baseline) }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add_stream(&self, spec: &ProbeSpec) -> StreamId {
        self.add(Stream {
            name: spec.name.clone(),
            kind: spec.kind,
            interval: spec.interval,
            timeout: spec.timeout,
            samples: Vec::new(),
        })
    }

    /// A stream for requests that a test body makes on its own account.
    pub(crate) fn add_requests(&self, name: &str, kind: StreamKind, timeout: Duration) -> StreamId {
        self.add(Stream { name: name.into(), kind, interval: Duration::ZERO, timeout, samples: Vec::new() })
    }

    fn add(&self, stream: Stream) -> StreamId {
        let mut inner = self.lock();
        inner.streams.push(Open { stream, slots: Vec::new(), sent: Vec::new(), settled: 0 });
        StreamId(inner.streams.len() - 1)
    }

    /// Makes room for the next sample of a stream.
    pub(crate) fn schedule(&self, stream: StreamId, at: Duration) -> Slot {
        let mut inner = self.lock();
        let Open { slots, sent, .. } = &mut inner.streams[stream.0];
        slots.push((at, None));
        sent.push(None);
        Slot { stream, index: slots.len() - 1, at }
    }

    /// Writes down that the sample of a slot is on its way.
    pub(crate) fn send(&self, slot: Slot, now: Duration) {
        self.lock().streams[slot.stream.0].sent[slot.index] = Some(now);
    }

    /// When the sample of a slot was sent, if it was.
    pub(crate) fn sent(&self, slot: Slot) -> Option<Duration> {
        self.lock().streams[slot.stream.0].sent[slot.index]
    }

    /// Puts in what came of a sample.
    pub(crate) fn fill(&self, slot: Slot, lag: Duration, latency: Duration, outcome: Outcome) {
        let mut inner = self.lock();
        let open = &mut inner.streams[slot.stream.0];
        open.slots[slot.index].1 = Some(Sample { at: slot.at, lag, latency, outcome }.at_resolution());
        while open.slots.get(open.settled).is_some_and(|(_, sample)| sample.is_some()) {
            open.settled += 1;
        }
    }

    pub(crate) fn mark(&self, set: impl FnOnce(&mut Marks)) {
        set(&mut self.lock().trace.marks);
    }

    /// Writes down when shares are decided.
    pub(super) fn counts_by(&self, sequential: Option<&Sequential>) {
        let Some(Sequential { carried, .. }) = sequential else { return };
        let mut inner = self.lock();
        inner.trace.count_rule = CountRule::Sequential;
        inner.trace.carried.clone_from(carried);
    }

    /// Writes down that the chaos phase goes on past its planned end.
    pub(super) fn extended(&self, at: Duration, text: String) {
        self.lock().trace.extended = true;
        self.event(at, EventKind::Phase, text);
    }

    pub(crate) fn marks(&self) -> Marks {
        self.lock().trace.marks
    }

    pub(crate) fn event(&self, at: Duration, kind: EventKind, text: String) {
        self.lock().trace.events.push(Event { at, kind, text });
    }

    /// An event that is told once, however often it is seen.
    pub(crate) fn event_once(&self, at: Duration, kind: EventKind, text: String) {
        let mut inner = self.lock();
        if !inner.trace.events.iter().any(|event| event.kind == kind && event.text == text) {
            inner.trace.events.push(Event { at, kind, text });
        }
    }

    pub(crate) fn enter(&self, phase: Phase, at: Duration) {
        self.event(at, EventKind::Phase, phase.to_string());
        self.phase.send_replace(phase);
    }

    pub(crate) fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    pub(crate) fn phases(&self) -> watch::Receiver<Phase> {
        self.phase.subscribe()
    }

    pub(crate) fn delivery(&self, delivery: Delivery) {
        self.lock().trace.delivery = Some(delivery);
    }

    pub(crate) fn reading(&self, reading: Result<DoseReading, String>) {
        let mut inner = self.lock();
        let Some(delivery) = &mut inner.trace.delivery else { return };
        match reading {
            Ok(reading) => delivery.readings.push(reading),
            Err(why) => {
                delivery.failed_readings += 1;
                delivery.last_failure = Some(why);
            }
        }
    }

    /// Writes down what a service used.
    pub(crate) fn used(&self, service: &str, sample: ResourceSample) {
        let mut inner = self.lock();
        let known = &mut inner.trace.resources;
        let at = known.iter().position(|resources| resources.service == service).unwrap_or_else(|| {
            known.push(ServiceResources::of(service));
            known.len() - 1
        });
        known[at].push(sample);
    }

    /// Writes down that it is the fault itself that keeps the host busy, and which services are not on it.
    pub(crate) fn noise_is_fault(&self, elsewhere: Vec<String>) {
        let mut inner = self.lock();
        (inner.trace.noise_is_fault, inner.trace.elsewhere) = (true, elsewhere);
    }

    /// Writes down how the host did in the window that has just ended.
    pub(crate) fn noise(&self, window: NoiseWindow) {
        self.lock().trace.noise.push(window.at_resolution());
    }

    /// Adds what the kernel says of the time since then to the windows that began in it.
    pub(crate) fn host_load(&self, since: Duration, load: HostLoad) {
        let mut inner = self.lock();
        let windows = inner.trace.noise.iter_mut().rev().take_while(|window| window.end() > since);
        windows.for_each(|window| *window = window.with(load).at_resolution());
    }

    pub(super) fn sham(&self, sham: Sham) {
        self.lock().trace.sham = Some(sham);
    }

    pub(crate) fn door(&self, check: DoorCheck) {
        self.lock().trace.door.push(check.at_resolution());
    }

    /// Name, samples, bad ones and p95 latency of each scheduled stream between two instants, as far as they are in.
    pub(crate) fn figures_between(&self, from: Duration, to: Duration) -> Vec<Window> {
        let inner = self.lock();
        let scheduled = inner.streams.iter().filter(|open| open.stream.kind.is_scheduled());
        let windows = scheduled.map(|open| {
            let begin = open.slots.partition_point(|(at, _)| *at < from);
            let within = open.slots[begin..].iter().take_while(|(at, _)| *at < to).filter_map(|(_, s)| *s);
            let (samples, bad, p95) = figures(&within.collect::<Vec<Sample>>());
            Window { stream: open.stream.name.clone(), samples, bad, p95 }
        });
        windows.collect()
    }

    /// Writes down what went wrong. The first trouble stays the trouble, and all are events; a fault that may have
    /// stayed behind is told in any case.
    pub(crate) fn trouble(&self, trouble: Trouble) {
        let mut inner = self.lock();
        let at = inner.trace.events.last().map_or(Duration::ZERO, |event| event.at);
        inner.trace.events.push(Event { at, kind: EventKind::Fault, text: trouble.message.clone() });
        if inner.trace.trouble.is_none() {
            inner.trace.trouble = Some(trouble);
        } else if trouble.stage == Stage::Cleanup {
            inner.trace.residue.push(trouble.message);
        }
    }

    /// Writes down that nothing was to be injected, and why. What was prepared was not delivered.
    pub(crate) fn skip(&self, why: &str) {
        let mut inner = self.lock();
        inner.trace.skipped = Some(why.to_owned());
        inner.trace.delivery = None;
    }

    /// Writes down what stopped the run. The first cause stays the cause.
    pub(super) fn abort(&self, at: Duration, cause: AbortCause) {
        let mut inner = self.lock();
        inner.trace.events.push(Event { at, kind: EventKind::Phase, text: format!("aborted: {cause}") });
        inner.trace.abort.get_or_insert(Abort { at, cause });
    }

    /// The first thing that the look finds in the scheduled streams, in their order: their samples, and when each was
    /// sent.
    pub(super) fn find_in_scheduled<T>(
        &self,
        mut look: impl FnMut(&Stream, &Slots, &[Option<Duration>]) -> Option<T>,
    ) -> Option<T> {
        let inner = self.lock();
        let mut scheduled = inner.streams.iter().filter(|open| open.stream.kind.is_scheduled());
        scheduled.find_map(|open| look(&open.stream, &open.slots, &open.sent))
    }

    /// Whether nothing has gone wrong or stopped the run so far.
    pub(super) fn is_untroubled(&self) -> bool {
        let inner = self.lock();
        inner.trace.trouble.is_none() && inner.trace.abort.is_none()
    }

    pub(crate) fn body_ended(&self, end: BodyEnd) {
        let mut inner = self.lock();
        // A test that gave the run up has taken its body with it.
        if inner.trace.abort.as_ref().is_none_or(|abort| abort.cause != AbortCause::Dropped) {
            inner.trace.body = Some(end);
        }
    }

    /// Everything scheduled before this instant has its answer, in every scheduled stream.
    pub(crate) fn settled_until(&self, now: Duration) -> Duration {
        let inner = self.lock();
        let scheduled = inner.streams.iter().filter(|open| open.stream.kind.is_scheduled());
        scheduled.filter_map(|open| Some(open.slots.get(open.settled)?.0)).min().unwrap_or(now)
    }

    /// What is known by now, of the samples whose predecessors are all in.
    pub(crate) fn so_far(&self, before: Duration) -> Trace {
        let inner = self.lock();
        let mut trace = inner.trace.clone();
        trace.streams = inner
            .streams
            .iter()
            .map(|open| Stream {
                samples: open.slots[..open.settled]
                    .iter()
                    .filter_map(|(at, sample)| if *at < before { *sample } else { None })
                    .collect(),
                ..open.stream.clone()
            })
            .collect();
        trace
    }

    /// What is known by now, as a trace of a run that ends here.
    pub(super) fn until_now(&self, now: Duration) -> Trace {
        let settled = self.settled_until(now);
        let mut trace = self.so_far(settled);
        trace.marks.ended = Some(settled);
        trace.streams.retain(|stream| stream.kind.is_scheduled() || !stream.samples.is_empty());
        trace.events.sort_by_key(|event| event.at);
        trace
    }

    /// Samples, bad ones and p95 latency of all scheduled streams since an instant.
    pub(crate) fn figures_since(&self, start: Duration) -> (u64, u64, Option<Duration>) {
        let inner = self.lock();
        let scheduled = inner.streams.iter().filter(|open| open.stream.kind.is_scheduled());
        let samples: Vec<Sample> = scheduled
            .flat_map(|open| {
                open.slots.iter().rev().take_while(|(at, _)| *at >= start).filter_map(|(_, s)| *s)
            })
            .collect();
        figures(&samples)
    }

    /// Everything observed until now. A sample whose answer never came counts as timed out: left out, it would make
    /// the rest look better than it was.
    pub(crate) fn finish(&self) -> Trace {
        let inner = self.lock();
        let ended = inner.trace.marks.ended.unwrap_or(Duration::MAX);
        let mut trace = inner.trace.clone();
        let closed = inner.streams.iter().map(|open| {
            let mut stream = open.stream.clone();
            let answer = |(at, sample): &(Duration, Option<Sample>)| {
                let latency = stream.timeout;
                let missing = Sample { at: *at, lag: Duration::ZERO, latency, outcome: Outcome::Timeout };
                sample.unwrap_or_else(|| missing.at_resolution())
            };
            let mut samples: Vec<Sample> = open.slots.iter().map(answer).filter(|s| s.at < ended).collect();
            samples.sort_by_key(|sample| sample.at);
            stream.samples = samples;
            stream
        });
        trace.streams =
            closed.filter(|stream| stream.kind.is_scheduled() || !stream.samples.is_empty()).collect();
        trace.events.sort_by_key(|event| event.at);
        trace
    }
}
