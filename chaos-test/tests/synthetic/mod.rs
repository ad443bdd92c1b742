//! Reports made without a run: a synthetic trace, judged by the real judge.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::time::Duration;

use chaos_test::model::{
    BodyEnd, Catalogue, Delivery, DoseReading, DoseUnit, Event, EventKind, Marks, Outcome, Phase, Sample,
    Scenario, SloProfile, Stage, Stream, StreamKind, Trace, Trouble,
};
use chaos_test::report::{
    FORMAT_VERSION, Host, Planned, PlannedAction, PlannedInjection, PlannedService, PlannedStream, Report,
    RunPlan, ServiceRecord,
};
use chaos_test::slo::judge;

pub(crate) const BASELINE: Duration = Duration::from_secs(10);
pub(crate) const CHAOS: Duration = Duration::from_secs(20);
const MILLISECOND: Duration = Duration::from_millis(1);

pub(crate) fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// One probe of `app` every 20 ms for 10 s of baseline, 20 s of chaos, 13 s of watch; 8 ms to answer.
#[derive(Clone)]
pub(crate) struct Story {
    pub(crate) test: String,
    pub(crate) run_id: String,
    pub(crate) started_at: f64,
    pub(crate) scenario: Scenario,
    pub(crate) slo: SloProfile,
    pub(crate) trace: Trace,
    pub(crate) log: Vec<String>,
    pub(crate) inconclusive_passes: bool,
    pub(crate) plan: Option<RunPlan>,
}

impl Story {
    pub(crate) fn new(test: &str) -> Self {
        let catalogue = Catalogue::builtin();
        let mut scenario = catalogue.scenario("Medium Network Delay").unwrap().clone();
        scenario.duration = CHAOS;
        let injected = BASELINE + ms(10);
        let chaos_ended = injected + CHAOS;
        let marks = Marks {
            inject_started: Some(BASELINE),
            injected: Some(injected),
            revert_started: Some(chaos_ended),
            chaos_ended: Some(chaos_ended),
            removed: Some(chaos_ended + ms(4)),
            ended: Some(chaos_ended + Duration::from_secs(13)),
        };
        let detail = format!("{} on app by proxy (stream)", scenario.fault);
        let trace = Trace {
            marks,
            streams: vec![stream("app", StreamKind::Probe, ms(20), &marks)],
            events: Vec::new(),
            delivery: Some(delivery(detail, DoseUnit::Seconds, 0.2, 0.2004, injected)),
            body: None,
            trouble: None,
            skipped: None,
            abort: None,
            residue: Vec::new(),
            ..Trace::default()
        };
        Self {
            test: test.into(),
            run_id: "run-1".into(),
            started_at: 1_750_000_000.0,
            scenario,
            slo: catalogue.profile(Some("staging")).unwrap(),
            trace,
            log: Vec::new(),
            inconclusive_passes: false,
            plan: None,
        }
    }

    /// What became of each sample of the chaos phase.
    pub(crate) fn chaos(mut self, change: impl Fn(usize, &mut Sample)) -> Self {
        self.change(Phase::Chaos, change);
        self
    }

    pub(crate) fn baseline(mut self, change: impl Fn(usize, &mut Sample)) -> Self {
        self.change(Phase::Baseline, change);
        self
    }

    pub(crate) fn recovery(mut self, change: impl Fn(usize, &mut Sample)) -> Self {
        self.change(Phase::Recovery, change);
        self
    }

    fn change(&mut self, phase: Phase, change: impl Fn(usize, &mut Sample)) {
        let marks = self.trace.marks;
        for stream in &mut self.trace.streams {
            let of_phase =
                stream.samples.iter_mut().filter(|sample| marks.phase_of(sample.at) == Some(phase));
            of_phase.enumerate().for_each(|(n, sample)| change(n, sample));
        }
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// The run ends with the baseline.
    pub(crate) fn never_injected(mut self) -> Self {
        self.trace.marks = Marks { ended: self.trace.marks.inject_started, ..Marks::default() };
        let ended = self.trace.marks.ended.unwrap();
        self.trace.streams.iter_mut().for_each(|stream| stream.samples.retain(|sample| sample.at < ended));
        self.trace.delivery = None;
        self
    }

    /// A dry run: as far as the end of the baseline, and all is well.
    pub(crate) fn dry(mut self) -> Self {
        let asked = self.trace.marks.inject_started;
        self = self.never_injected();
        self.trace.marks.inject_started = asked;
        self.trace.skipped = Some("dry run".into());
        self.plan = Some(plan());
        self
    }

    /// An experiment that could not be carried out.
    pub(crate) fn trouble(mut self, stage: Stage, message: &str) -> Self {
        self.trace = Trace {
            marks: Marks { ended: Some(Duration::ZERO), ..Marks::default() },
            trouble: Some(Trouble { stage, message: message.into() }),
            ..Trace::default()
        };
        self
    }

    pub(crate) fn body(mut self, end: BodyEnd) -> Self {
        self.trace.body = Some(end);
        self
    }

    pub(crate) fn note(mut self, text: &str) -> Self {
        self.trace.events.push(Event { at: BASELINE, kind: EventKind::Note, text: text.into() });
        self
    }

    pub(crate) fn report(self) -> Report {
        let judgement = judge(&self.trace, &self.slo.objectives);
        Report {
            format_version: FORMAT_VERSION,
            rerun: format!("cargo nextest run -E 'binary_id(=shop::checkout) & test(={})'", self.test),
            path: Some(format!("target/chaos-test/{}/shop__checkout__{}.json", self.run_id, self.test)),
            test: self.test,
            binary: "shop::checkout".into(),
            run_id: self.run_id,
            started_at: self.started_at,
            took: Duration::from_secs(44),
            scenario: self.scenario,
            slo: self.slo,
            catalogue: None,
            planned: Planned { baseline: BASELINE, chaos: CHAOS, watch: Duration::from_secs(13) },
            plan: self.plan,
            housekeeping: Vec::new(),
            services: vec![ServiceRecord {
                name: "app".into(),
                kind: "process".into(),
                address: "127.0.0.1:4000".into(),
                log_tail: self.log,
                log_file: None,
            }],
            host: Host { system: "linux x86_64".into(), processors: 4 },
            trace: self.trace,
            judgement,
            inconclusive_passes: self.inconclusive_passes,
        }
    }
}

/// The plan of a dry run of the story.
fn plan() -> RunPlan {
    let catalogue = Catalogue::builtin();
    RunPlan {
        dry_run: true,
        scenario: "Medium Network Delay".into(),
        fault: "network_delay 200 ms".into(),
        target: "app".into(),
        slo: "staging".into(),
        objectives: catalogue.profile(Some("staging")).unwrap().objectives,
        services: vec![PlannedService {
            name: "app".into(),
            kind: "process".into(),
            address: "127.0.0.1:4000".into(),
            started_here: true,
        }],
        streams: vec![PlannedStream {
            name: "app".into(),
            kind: StreamKind::Probe,
            interval: ms(20),
            timeout: Duration::from_secs(1),
        }],
        body_once: true,
        phases: Planned { baseline: BASELINE, chaos: CHAOS, watch: Duration::from_secs(13) },
        held: CHAOS,
        at_most: None,
        injection: PlannedInjection::Possible {
            passed_over: Vec::new(),
            mechanism: "proxy".into(),
            detail: "network_delay 200 ms on app by proxy (stream)".into(),
            steps: vec![PlannedAction {
                action: "network_delay 200 ms, in the proxy that is the front door of app".into(),
                touches: "traffic to app through its front door".into(),
                undo: "the proxy passes everything on at once again; it ends with this process".into(),
            }],
            if_this_process_dies: Vec::new(),
        },
        may_touch: vec!["app: its process and what that starts".into()],
        abort: catalogue.safety().abort_conditions.clone(),
    }
}

pub(crate) fn stream(name: &str, kind: StreamKind, interval: Duration, marks: &Marks) -> Stream {
    let mut samples = Vec::new();
    let mut at = Duration::ZERO;
    while at < marks.ended.unwrap() {
        let latency = MILLISECOND * (6 + samples.len() as u32 % 5);
        samples.push(Sample { at, lag: Duration::from_micros(80), latency, outcome: Outcome::Good });
        at += interval;
    }
    Stream { name: name.into(), kind, interval, timeout: Duration::from_secs(1), samples }
}

pub(crate) fn delivery(
    detail: String,
    unit: DoseUnit,
    asked: f64,
    measured: f64,
    from: Duration,
) -> Delivery {
    let reading = |n: u32| DoseReading { at: from + n * Duration::from_secs(1), asked, measured };
    Delivery {
        passed_over: Vec::new(),
        mechanism: "proxy".into(),
        detail,
        unit,
        readings: (0..20).map(reading).collect(),
        failed_readings: 0,
        last_failure: None,
    }
}

/// The delay of the scenario, once.
pub(crate) fn delayed(_: usize, sample: &mut Sample) {
    sample.latency += ms(200);
}
