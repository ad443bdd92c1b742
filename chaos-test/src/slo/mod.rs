//! From what was observed to a verdict: total functions over a [`Trace`](crate::model::Trace).
//!
//! Purpose: [`judge`] turns samples, marks and the witness's readings into indicators, holds them against
//! the objectives, and says Pass, Inconclusive or Fail with the reason. Definitions are in
//! `docs/statistics.md`.
//!
//! Invariants: the same trace and objectives always give the same judgement, so a stored record can be
//! judged again. No proof of the fault never gives a Pass.
//! Not here: measuring, and how a judgement is printed.

mod baseline;
mod curve;
mod delivery;
mod evaluate;
mod figures;
mod judge;
mod metastable;
mod outage;
mod recovery;
mod rules;
mod starvation;
mod verdict;

pub use baseline::{Baseline, baseline};
pub use curve::{CurveStep, StepState, curve};
pub use delivery::{Proof, median, proof, show_dose};
pub use evaluate::{Evaluation, Figure, Indicator};
pub use figures::StreamFigures;
pub use judge::{ALPHA, Judgement, judge, judge_by};
pub use metastable::{NonRecovery, metastable};
pub use outage::{Outage, outages};
pub use recovery::{RecoveryTime, has_settled, recovery};
pub use rules::Rules;
pub use starvation::starved;
pub use verdict::{Finding, Reason, Verdict};
