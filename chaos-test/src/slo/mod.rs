//! From what was observed to a verdict: total functions over a [`Trace`](crate::model::Trace).
//!
//! Purpose: [`judge`] turns samples, marks and the witness's readings into indicators, holds them against
//! the objectives, and says Pass, Inconclusive or Fail with the reason. Definitions are in
//! `docs/statistics.md`.
//!
//! Invariants: the same trace and objectives always give the same judgement, so a stored record can be
//! judged again. No proof of the fault never gives a Pass.
//! Not here: measuring, and how a judgement is printed.

mod absolute;
mod baseline;
mod breaking;
mod curve;
mod custom;
mod delivery;
mod early;
mod endpoint;
mod evaluate;
mod evidence;
mod figures;
mod indicator;
mod judge;
mod metastable;
mod noise;
mod outage;
mod recovery;
mod rules;
#[cfg(feature = "schema")]
mod schema;
mod severity;
mod sham;
mod starvation;
mod verdict;

pub(crate) use baseline::latencies;
pub use baseline::{Baseline, baseline};
pub use breaking::{Bracket, BreakingPoint};
pub use curve::{CurveStep, StepState};
pub use delivery::{Proof, median, proof, show_dose};
pub use early::{SoFar, so_far};
pub use evaluate::{Evaluation, Figure};
pub use evidence::{EvidencePoint, EvidenceTrail};
pub use figures::StreamFigures;
pub use indicator::Indicator;
pub use judge::{ALPHA, Judgement, judge, judge_by};
pub use metastable::NonRecovery;
pub(crate) use noise::host_noise;
#[cfg(feature = "reports")]
pub(crate) use noise::noisy_from;
#[cfg(feature = "runtime")]
pub(crate) use outage::STABLE_SAMPLES;
pub use outage::{Outage, outages};
pub use recovery::{RecoveryTime, has_settled};
pub use rules::Rules;
#[cfg(feature = "runtime")]
pub(crate) use sham::too_unwell;
pub(crate) use sham::{HarnessCost, door_cost, machinery_cost};
pub(crate) use starvation::too_late;
pub(crate) use verdict::show_load;
pub use verdict::{Finding, Reason, Verdict};
