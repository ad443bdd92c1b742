use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Planned;
use crate::model::{AbortConditions, Objectives, PassedOver, StreamKind};

/// What a run is to do, told before it is done: every step, by which mechanism, what it touches, and what undoes it.
///
/// Made from what was asked for and what the injector answered; nothing in it has been done yet.
///
/// ```no_run
/// use chaos_test::prelude::*;
/// use chaos_test::report::{RunPlan, render};
/// async fn told_before(experiment: Experiment) -> Result<(), Error> {
///     let plan: Option<RunPlan> = experiment.dry_run(true).run().await?.plan;
///     println!("{}", plan.as_ref().map(render::plan).unwrap_or_default());
///     Ok(())
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RunPlan {
    /// Whether it stops before anything is injected.
    pub dry_run: bool,
    /// The scenario.
    pub scenario: String,
    /// The fault and its dose: `network_delay 200 ms`.
    pub fault: String,
    /// The service it is aimed at.
    pub target: String,
    /// The SLO profile it is judged by.
    pub slo: String,
    /// What that allows.
    pub objectives: Objectives,
    /// The services of the environment.
    pub services: Vec<PlannedService>,
    /// What is measured, and how often.
    pub streams: Vec<PlannedStream>,
    /// Whether the test body is a story that runs once under the fault. One that is repeated is a stream.
    pub body_once: bool,
    /// How long the phases are.
    pub phases: Planned,
    /// How long the fault is held in the chaos phase.
    pub held: Duration,
    /// The longest that the chaos phase may be where it ends as soon as the evidence suffices; absent where its length is
    /// fixed.
    #[serde(default)]
    pub at_most: Option<Duration>,
    /// What injecting comes to.
    pub injection: PlannedInjection,
    /// The blast radius: all that this run may touch, whatever the fault.
    pub may_touch: Vec<String>,
    /// When the run is stopped because it does more harm than meant.
    pub abort: AbortConditions,
}

/// A service as a plan shows it.
///
/// ```
/// use chaos_test::report::{PlannedService, RunPlan};
/// fn not_ours(plan: &RunPlan) -> Vec<&PlannedService> {
///     plan.services.iter().filter(|service| !service.started_here).collect()
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PlannedService {
    /// Its name.
    pub name: String,
    /// What sort of thing it is: `process`, `url`.
    pub kind: String,
    /// Its front door.
    pub address: String,
    /// Whether this run started it, and so ends it.
    pub started_here: bool,
}

/// A source of samples.
///
/// ```
/// use chaos_test::model::StreamKind;
/// use chaos_test::report::PlannedStream;
/// use chaos_test::units::TimeUnits;
/// let (name, kind) = (String::from("app"), StreamKind::Probe);
/// let stream = PlannedStream { name, kind, interval: 50.ms(), timeout: 1.seconds() };
/// // So many samples are sent in a chaos phase of 45 s.
/// assert_eq!(45.seconds().as_millis() / stream.interval.as_millis(), 900);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PlannedStream {
    /// Its name: a service's, or `body`.
    pub name: String,
    /// What one sample is.
    pub kind: StreamKind,
    /// Time from one sample to the next.
    pub interval: Duration,
    /// How long one may take.
    pub timeout: Duration,
}

/// What the injector answered when it was asked what it would do.
///
/// ```
/// use chaos_test::report::PlannedInjection;
/// fn told(injection: &PlannedInjection) -> String {
///     match injection {
///         PlannedInjection::Possible { mechanism, steps, .. } => format!("{} steps by {mechanism}", steps.len()),
///         PlannedInjection::Impossible(why) => format!("not possible here: {why}"),
///         _ => "not asked".into(),
///     }
/// }
/// assert_eq!(told(&PlannedInjection::Impossible("no disk".into())), "not possible here: no disk");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PlannedInjection {
    /// It was not asked: the run ended before.
    NotAsked,
    /// It cannot be done here, for this reason.
    Impossible(String),
    /// It can be done.
    Possible {
        /// The rung of the ladder: `proxy`, `workers`, `sigkill`.
        mechanism: String,
        /// The fault and how it is made, in a phrase.
        detail: String,
        /// The better rungs of the ladder that cannot be used, and why.
        #[serde(default)]
        passed_over: Vec<PassedOver>,
        /// What is done, in order.
        steps: Vec<PlannedAction>,
        /// What another process does if this one dies with the fault in place. Empty if the fault ends with this process.
        if_this_process_dies: Vec<String>,
    },
}

/// One thing that putting a fault in place does.
///
/// ```
/// use chaos_test::report::PlannedAction;
/// fn what_undoes_it(steps: &[PlannedAction]) -> Vec<String> {
///     steps.iter().map(|step| format!("{}: {}", step.touches, step.undo)).collect()
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PlannedAction {
    /// What is done.
    pub action: String,
    /// What is touched.
    pub touches: String,
    /// What undoes it, and what does if this process cannot.
    pub undo: String,
}
