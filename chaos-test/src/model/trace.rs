use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    Abort, Carried, CountRule, CustomResult, Delivery, DoorCheck, NoiseWindow, ServiceResources, Sham, Stream,
};

/// A part of a run.
///
/// ```
/// use chaos_test::prelude::*;
///
/// async fn the_order_is_kept(chaos: Chaos) -> Result<(), reqwest::Error> {
///     chaos.until(Phase::Recovered).await;
///     chaos.client("app").get("/orders/1").send().await?.error_for_status()?;
///     Ok(())
/// }
/// assert!(Phase::Chaos < Phase::Recovery, "in the order in which they come");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Phase {
    /// Before the fault: what normal looks like.
    Baseline,
    /// The fault is in, or was in a moment ago.
    Chaos,
    /// The fault is gone; service is being watched on its way back.
    Recovery,
    /// The watch is over. The verdict tells whether service really came back.
    Recovered,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Baseline => "baseline",
            Self::Chaos => "chaos",
            Self::Recovery => "recovery",
            Self::Recovered => "recovered",
        })
    }
}

/// The instants that cut a run into phases, all counted from the start of the baseline.
/// An absent mark was not reached.
///
/// ```
/// use chaos_test::model::{Marks, Phase};
/// use chaos_test::units::TimeUnits;
///
/// let marks = Marks { inject_started: Some(10.seconds()), injected: Some(11.seconds()), ..Marks::default() };
/// assert_eq!(marks.phase_of(9.seconds()), Some(Phase::Baseline));
/// assert_eq!(marks.phase_of(10.seconds()), None, "the fault is on its way in");
/// assert_eq!(marks.phase_of(11.seconds()), Some(Phase::Chaos));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Marks {
    /// The baseline ended and the injection began: all was prepared, and the ledger written.
    pub inject_started: Option<Duration>,
    /// The fault was seen in place: the chaos phase begins.
    pub injected: Option<Duration>,
    /// The revert began.
    pub revert_started: Option<Duration>,
    /// The fault was seen gone: recovery time counts from here.
    pub removed: Option<Duration>,
    /// The chaos phase ended.
    pub chaos_ended: Option<Duration>,
    /// The last sample was scheduled before this.
    pub ended: Option<Duration>,
}

impl Marks {
    /// The phase a sample scheduled at `at` belongs to; `None` while the fault is on its way in.
    pub fn phase_of(&self, at: Duration) -> Option<Phase> {
        if self.inject_started.is_none_or(|mark| at < mark) {
            Some(Phase::Baseline)
        } else if self.injected.is_none_or(|mark| at < mark) {
            None
        } else if self.chaos_ended.is_none_or(|mark| at < mark) {
            Some(Phase::Chaos)
        } else {
            Some(Phase::Recovery)
        }
    }

    /// The span from the start of the injection to the end of the watch: where outages are looked for.
    pub fn exposed(&self) -> Option<(Duration, Duration)> {
        Some((self.inject_started?, self.ended?))
    }
}

/// Something that happened at an instant, for the timeline.
///
/// ```
/// use chaos_test::model::{Event, EventKind};
/// use chaos_test::units::TimeUnits;
///
/// fn told(event: &Event) -> String {
///     format!("{:.1} s: {}", event.at.as_secs_f64(), event.text)
/// }
/// let event = Event { at: 1500.ms(), kind: EventKind::Note, text: "the cache is cold".into() };
/// assert_eq!(told(&event), "1.5 s: the cache is cold");
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Event {
    /// When, from the start of the baseline.
    pub at: Duration,
    /// What sort of thing.
    pub kind: EventKind,
    /// What, for people.
    pub text: String,
}

/// What sort of thing an event is.
///
/// ```
/// use chaos_test::model::EventKind;
/// use chaos_test::report::Report;
///
/// fn notes(report: &Report) -> Vec<&str> {
///     let notes = report.trace.events.iter().filter(|event| event.kind == EventKind::Note);
///     notes.map(|event| event.text.as_str()).collect()
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EventKind {
    /// A phase began.
    Phase,
    /// Something was done to the fault.
    Fault,
    /// Something happened to a service without our doing.
    Service,
    /// A figure went past a threshold of the catalogue's `monitoring.alerts`.
    Alert,
    /// The test body said so: `chaos.note("…")`.
    Note,
}

/// How the test body ended.
///
/// ```
/// use chaos_test::model::BodyEnd;
///
/// fn complaint(end: &BodyEnd) -> Option<String> {
///     match end {
///         BodyEnd::Failed(why) | BodyEnd::Panicked(why) => Some(why.clone()),
///         BodyEnd::TimedOut(after) => Some(format!("still running after {after:?}")),
///         _ => None,
///     }
/// }
/// assert_eq!(complaint(&BodyEnd::Ok), None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BodyEnd {
    /// It returned without an error.
    Ok,
    /// It returned an error.
    Failed(String),
    /// It panicked.
    Panicked(String),
    /// It was still running when its time was up.
    TimedOut(Duration),
}

/// Everything that was observed in one run, before any judgement.
///
/// ```
/// use chaos_test::model::{Catalogue, Trace};
/// use chaos_test::slo::{Verdict, judge};
///
/// fn in_production(trace: &Trace) -> Verdict {
///     let production = Catalogue::builtin().profile(Some("production")).unwrap();
///     judge(trace, &production.objectives).verdict
/// }
/// assert_eq!(in_production(&Trace::default()), Verdict::Inconclusive, "nothing was measured");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Trace {
    /// The instants that cut the run into phases.
    pub marks: Marks,
    /// The samples, per source.
    pub streams: Vec<Stream>,
    /// What happened when.
    pub events: Vec<Event>,
    /// The witness's account of the fault; absent when nothing was prepared.
    pub delivery: Option<Delivery>,
    /// How a body that runs once ended; absent when it did not start, when it was stopped with the run, or there is none.
    pub body: Option<BodyEnd>,
    /// Why the fault could not be injected, observed or removed.
    pub trouble: Option<Trouble>,
    /// Why nothing was to be injected, if so: `dry run`, or what this host lacks.
    #[serde(default)]
    pub skipped: Option<String>,
    /// What stopped the run before its time.
    #[serde(default)]
    pub abort: Option<Abort>,
    /// What was found left behind when all should have been undone, one line each.
    #[serde(default)]
    pub residue: Vec<String>,
    /// When shares of samples are decided.
    #[serde(default)]
    pub count_rule: CountRule,
    /// What earlier tries of this test saw and could not decide.
    #[serde(default)]
    pub carried: Option<Carried>,
    /// Whether the chaos phase was made longer than planned, for at its planned end it could not be told what it came to.
    #[serde(default)]
    pub extended: bool,
    /// What the services used, of those that are processes of the environment.
    #[serde(default)]
    pub resources: Vec<ServiceResources>,
    /// What the test's own objectives found, where there were any and the run came to its end.
    #[serde(default)]
    pub custom: Vec<CustomResult>,
    /// How the host did, in order of time.
    #[serde(default)]
    pub noise: Vec<NoiseWindow>,
    /// Whether it was the fault itself that kept the host busy, with the service on it: then a late host is what the
    /// service is meant to cope with, for as long as the fault was there.
    #[serde(default)]
    pub noise_is_fault: bool,
    /// Streams of services that are not known to be on this host, where the fault keeps it busy: for them a late host is
    /// noise all the same.
    #[serde(default)]
    pub elsewhere: Vec<String>,
    /// The machinery of the fault at rest, in the baseline; absent where the run did not come so far.
    #[serde(default)]
    pub sham: Option<Sham>,
    /// Pairs of checks of the target, past its front door and through it, before anything else.
    #[serde(default)]
    pub door: Vec<DoorCheck>,
}

/// Why the experiment itself could not be carried out.
///
/// ```
/// use chaos_test::model::{Stage, Trouble};
///
/// fn told(trouble: &Trouble) -> String {
///     format!("{}: {}", trouble.stage, trouble.message)
/// }
/// let trouble = Trouble { stage: Stage::Setup, message: "app did not get ready".into() };
/// assert_eq!(told(&trouble), "setup: app did not get ready");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Trouble {
    /// Where.
    pub stage: Stage,
    /// What went wrong, for people.
    pub message: String,
}

/// Where an experiment failed to be carried out.
///
/// ```
/// use chaos_test::model::Stage;
/// use chaos_test::report::Report;
///
/// fn something_is_left(report: &Report) -> bool {
///     let trace = &report.trace;
///     let failed = trace.trouble.as_ref().is_some_and(|trouble| trouble.stage == Stage::Cleanup);
///     failed || !trace.residue.is_empty()
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Stage {
    /// Before the fault: environment, plan.
    Setup,
    /// While the fault was being put in place.
    Injection,
    /// While the fault was being removed.
    Cleanup,
    /// The test process was killed; another process wrote the record, and the message says the rest.
    Killed,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Setup => "setup",
            Self::Injection => "injection",
            Self::Cleanup => "cleanup",
            Self::Killed => "killed",
        })
    }
}
