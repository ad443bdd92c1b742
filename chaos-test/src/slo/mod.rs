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
mod severity;
mod sham;
mod starvation;
mod verdict;

pub use baseline::{Baseline, baseline};
pub use curve::{CurveStep, StepState, curve};
pub use delivery::{Proof, median, proof, show_dose};
pub use early::{SoFar, so_far};
pub use evaluate::{Evaluation, Figure};
pub use evidence::{EvidencePoint, EvidenceTrail};
pub use figures::StreamFigures;
pub use indicator::Indicator;
pub use judge::{ALPHA, Judgement, judge, judge_by};
pub use metastable::{NonRecovery, metastable};
pub use noise::{HostNoise, host_noise, noisy_baseline, noisy_from};
pub use outage::{Outage, outages};
pub use recovery::{RecoveryTime, has_settled, recovery};
pub use rules::Rules;
pub use sham::{HarnessCost, door_cost, machinery_cost, too_unwell};
pub use starvation::{starved, too_late};
pub(crate) use verdict::show_load;
pub use verdict::{Finding, Reason, Verdict};
