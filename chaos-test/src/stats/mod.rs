//! Exact binomial and order statistics: what a count or a sorted list of latencies can tell.
//!
//! Purpose: intervals for a proportion (Clopper & Pearson 1934) and for a quantile (order
//! statistics), and how many samples a decision still needs.
//!
//! Invariants: functions are total on their documented domain and depend on nothing but numbers. `tail`
//! is always the error allowed on one side.
//! Not here: which proportion is judged against which limit (that is [`crate::slo`]).

mod beta;
mod bursts;
mod mixture;
mod proportion;
mod quantile;
mod random;
mod sequential;
mod tally;

pub(crate) use proportion::samples_needed;
pub use proportion::{Decision, Proportion};
pub(crate) use quantile::estimate;
pub use quantile::{Quantile, quantile};
pub use random::SplitMix;
pub use sequential::{Evidence, MayDecide, Question, Sequential};
pub use tally::Tally;
