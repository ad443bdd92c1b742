use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    Abort, Carried, CountRule, CustomResult, DoorCheck, NoiseWindow, ServiceResources, Sham, Stream,
};

/// A part of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When, from the start of the baseline.
    pub at: Duration,
    /// What sort of thing.
    pub kind: EventKind,
    /// What, for people.
    pub text: String,
}

/// What sort of thing an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
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

/// How much of the fault was there, by a measurement that is independent of the injection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// The rung of the ladder that was used: `proxy`, `workers`, `sigkill`.
    pub mechanism: String,
    /// The fault and how it was made, in a phrase: `by proxy (stream) on app`.
    pub detail: String,
    /// The better rungs of the ladder that could not be used, and why.
    #[serde(default)]
    pub passed_over: Vec<PassedOver>,
    /// What a dose is counted in.
    pub unit: DoseUnit,
    /// Every reading of the witness while the fault was meant to be in force; the last look, if it never saw the fault.
    pub readings: Vec<DoseReading>,
    /// Readings that failed, with the reason of the last one.
    pub failed_readings: u32,
    /// Why the last failed reading failed.
    pub last_failure: Option<String>,
}

/// A rung of the ladder that was not used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassedOver {
    /// Its mechanism.
    pub mechanism: String,
    /// Why it was not used.
    pub reason: String,
}

/// What a dose is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DoseUnit {
    /// Seconds.
    Seconds,
    /// Processor cores' worth of demand.
    Cores,
    /// 1 while the target is down, 0 while it is not.
    Down,
    /// Bytes.
    Bytes,
    /// A share, from 0 to 1.
    Share,
    /// Workers at work.
    Workers,
}

/// One reading of the witness.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DoseReading {
    /// When, from the start of the baseline.
    pub at: Duration,
    /// What was asked for, in the unit of the delivery.
    #[serde(deserialize_with = "number")]
    pub asked: f64,
    /// What was measured.
    #[serde(deserialize_with = "number")]
    pub measured: f64,
}

impl DoseReading {
    /// A fault counts as there from more than this share of its dose on: half of it, and a tenth of that for the error of
    /// the witness, so that exactly half of a dose never counts.
    pub const ENOUGH: f64 = 0.55;

    /// Fewer readings than this prove nothing.
    pub const FEWEST: usize = 3;

    /// Whether enough of the dose asked for was measured. What is not a number saw nothing.
    pub fn is_enough(&self) -> bool {
        self.measured > self.asked * Self::ENOUGH
    }
}

/// JSON has no word for what is not a number: it is written as `null`.
pub(super) fn number<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

/// How the test body ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
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
    /// The machinery of the fault at rest, in the baseline; absent where the run did not come so far.
    #[serde(default)]
    pub sham: Option<Sham>,
    /// Pairs of checks of the target, past its front door and through it, before anything else.
    #[serde(default)]
    pub door: Vec<DoorCheck>,
}

/// Why the experiment itself could not be carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// Where.
    pub stage: Stage,
    /// What went wrong, for people.
    pub message: String,
}

/// Where an experiment failed to be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
