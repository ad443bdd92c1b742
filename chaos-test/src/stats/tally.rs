use serde::{Deserialize, Serialize};

use super::Proportion;

/// Samples of a yes-or-no question, and in how many runs the bad ones came.
///
/// ```
/// use chaos_test::stats::Tally;
///
/// let mut seen = Tally::default();
/// for bad in [false, true, true, false, true] {
///     seen.push(bad);
/// }
/// assert_eq!((seen.n, seen.k, seen.runs), (5, 3, 2));
/// assert_eq!(seen.proportion().estimate(), 0.6);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Tally {
    /// How many there were.
    pub n: u64,
    /// How many of them were bad.
    pub k: u64,
    /// How many runs the bad ones came in: rows without a good one between.
    pub runs: u64,
    /// Whether the last one was bad.
    #[serde(default)]
    pub last_was_bad: bool,
}

impl Tally {
    /// One more sample.
    pub fn push(&mut self, bad: bool) {
        // A damaged record may go on from any number.
        self.n = self.n.saturating_add(1);
        self.k = self.k.saturating_add(u64::from(bad));
        self.runs = self.runs.saturating_add(u64::from(bad && !self.last_was_bad));
        self.last_was_bad = bad;
    }

    /// The count itself.
    pub fn proportion(self) -> Proportion {
        Proportion::new(self.k, self.n)
    }

    /// The mean length of a run, as far as those seen tell: `prior` runs of `length` are added to them; 1 if there are
    /// none.
    pub(super) fn run_length(self, prior: f64, length: f64) -> f64 {
        if self.runs == 0 && prior == 0.0 {
            return 1.0;
        }
        ((self.k as f64 + prior * length) / (self.runs as f64 + prior)).max(1.0)
    }

    /// As many times as much of the same, in whole samples.
    pub(super) fn times(self, times: f64) -> Self {
        let whole = |count: u64| (count as f64 * times).round() as u64;
        Self { n: whole(self.n), k: whole(self.k), runs: whole(self.runs), last_was_bad: self.last_was_bad }
    }
}
