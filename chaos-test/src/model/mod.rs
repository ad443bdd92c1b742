//! What users describe and what a run observes, as plain data.
//!
//! Purpose: the vocabulary of the crate. A [`Catalogue`] holds [`Scenario`]s, groups and
//! [`SloProfile`]s; a run leaves a [`Trace`] of [`Sample`]s, [`Marks`] and [`Event`]s.
//!
//! Invariants: types whose names do not start with `Raw` cannot hold nonsense. Nothing here reads a
//! file, a clock or the environment; texts come in as `&str`.
//! Not here: judgement (see [`crate::slo`]) and everything that acts.

mod abort;
mod blast_radius;
mod bounds;
mod catalogue;
mod custom;
mod delivery;
mod endpoint;
mod evidence;
mod fault;
mod fault_kind;
#[cfg(feature = "runtime")]
mod floor;
mod noise;
mod objective;
mod pin;
mod resources;
mod safety;
mod sample;
mod samples;
mod scenario;
#[cfg(feature = "schema")]
mod schema;
mod sham;
mod stream_names;
mod trace;

pub use abort::{Abort, AbortCause};
pub use blast_radius::{AllowedTarget, NotATarget};
#[cfg(feature = "runtime")]
pub(crate) use blast_radius::{BlastRadius, Destination};
pub use bounds::{Bounds, EndpointBounds, LatencyBounds, Severity};
pub use catalogue::*;
pub use custom::CustomResult;
pub use delivery::{Delivery, DoseReading, DoseUnit, PassedOver};
pub use endpoint::{Endpoint, NotAnEndpoint};
pub use evidence::{Carried, CarriedShare, CountRule};
pub use fault::{ConnectionFault, Fault, OutageMode, SyncFault};
pub use fault_kind::FaultKind;
#[cfg(feature = "runtime")]
pub(crate) use floor::{Floor, Room};
pub use noise::{HostLoad, NoiseWindow};
pub use objective::{Objectives, Recovery, SloProfile};
pub use pin::{Fidelity, Pin};
pub use resources::{ResourceSample, ServiceResources, Used};
pub use safety::{AbortConditions, Alerts, HealthCheck, Metric, Monitoring, Safety};
pub use sample::{Outcome, Sample, Stream, StreamKind};
pub use samples::{Samples, StreamSamples};
pub use scenario::{Intensity, Scenario, slug};
pub use sham::{DoorCheck, Sham};
#[cfg(feature = "runtime")]
pub(crate) use stream_names::{BODY, StreamNames};
pub(crate) use stream_names::{REQUESTS, is_of, nth};
pub use trace::{BodyEnd, Event, EventKind, Marks, Phase, Stage, Trace, Trouble};
