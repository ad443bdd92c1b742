use super::beta::inverse_incomplete_beta;

/// `k` out of `n`, with its exact confidence limits.
///
/// ```
/// use chaos_test::stats::Proportion;
///
/// let seen = Proportion::new(10, 100);
/// assert_eq!(seen.estimate(), 0.1);
/// // 4.9 % to 17.6 %, with 95 % confidence.
/// let (low, high) = seen.interval(0.025);
/// assert!((0.048..0.050).contains(&low) && (0.175..0.177).contains(&high));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proportion {
    /// How many had the property; at most `n`.
    pub k: u64,
    /// How many there were.
    pub n: u64,
}

/// What a proportion says about a limit.
///
/// ```
/// use chaos_test::stats::{Decision, Proportion};
///
/// // Against 5 %; each answer is wrong with a probability of 0.5 % at most.
/// let decide = |bad, of| Proportion::new(bad, of).decide(0.05, 0.005);
/// assert_eq!(decide(0, 104), Decision::Within);
/// assert_eq!(decide(0, 103), Decision::Unclear);
/// assert_eq!(decide(30, 100), Decision::Beyond);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Not above the limit, with the confidence asked for.
    Within,
    /// Above the limit, with the confidence asked for.
    Beyond,
    /// Too few to tell.
    Unclear,
}

impl Proportion {
    /// `k` out of `n`; `k` is held at `n` at most.
    pub fn new(k: u64, n: u64) -> Self {
        Self { k: k.min(n), n }
    }

    /// The share itself; 0 when there was nothing.
    pub fn estimate(self) -> f64 {
        if self.n == 0 { 0.0 } else { self.k as f64 / self.n as f64 }
    }

    /// Clopper–Pearson limits, each wrong with probability at most `tail` (0 < tail < 0.5).
    ///
    /// Lower: the p at which k or more successes have probability `tail`; upper: the p at which k or fewer do.
    ///
    /// ```
    /// use chaos_test::stats::Proportion;
    /// // No error in 528 tries: below 1 % with 99.5 % confidence.
    /// let (_, upper) = Proportion::new(0, 528).interval(0.005);
    /// assert!(upper <= 0.01);
    /// ```
    pub fn interval(self, tail: f64) -> (f64, f64) {
        self.interval_of(1.0, tail)
    }

    /// The same for samples of which `worth` are as good as one independent one (at least 1; Kish's effective sample size).
    pub fn interval_of(self, worth: f64, tail: f64) -> (f64, f64) {
        let (k, n) = (self.k as f64 / worth, self.n as f64 / worth);
        if self.n == 0 {
            return (0.0, 1.0);
        }
        let lower = if self.k == 0 { 0.0 } else { inverse_incomplete_beta(tail, k, n - k + 1.0) };
        let upper = if self.k == self.n { 1.0 } else { inverse_incomplete_beta(1.0 - tail, k + 1.0, n - k) };
        (lower, upper)
    }

    /// Whether the true proportion is at most `limit`, each wrong answer with probability at most `tail`.
    pub fn decide(self, limit: f64, tail: f64) -> Decision {
        if limit >= 1.0 {
            return Decision::Within;
        }
        let (lower, upper) = self.interval(tail);
        if upper <= limit {
            Decision::Within
        } else if lower > limit {
            Decision::Beyond
        } else {
            Decision::Unclear
        }
    }
}

/// About how many samples in all decide against `limit` if the share stays as seen; `None` when a million would not.
pub(crate) fn samples_needed(seen: Proportion, limit: f64, tail: f64) -> Option<u64> {
    const MOST: u64 = 1 << 20;
    let decided = |n: u64| {
        let k = (seen.estimate() * n as f64).round() as u64;
        Proportion::new(k, n).decide(limit, tail) != Decision::Unclear
    };
    let mut high = seen.n.max(16);
    while !decided(high) {
        high *= 2;
        if high > MOST {
            return None;
        }
    }
    let mut low = (high / 2).max(seen.n);
    while low + 1 < high {
        let middle = low.midpoint(high);
        if decided(middle) { high = middle } else { low = middle }
    }
    Some(high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_errors_justify_a_pass_only_from_the_textbook_number_on() {
        // n ≥ ln α / ln(1 − p₀) at α = 0.5 %: 528 for 1 %, 104 for 5 %.
        for (limit, n) in [(0.01, 528), (0.05, 104)] {
            assert_eq!(Proportion::new(0, n).decide(limit, 0.005), Decision::Within);
            assert_eq!(Proportion::new(0, n - 1).decide(limit, 0.005), Decision::Unclear);
            assert_eq!(samples_needed(Proportion::new(0, 20), limit, 0.005), Some(n));
        }
    }

    #[test]
    fn published_intervals_are_reproduced() {
        // 10 of 100, 95 %: 4.9 % to 17.62 % (Newcombe 1998, table I, method 5, for 10/100 rounded).
        let (lower, upper) = Proportion::new(10, 100).interval(0.025);
        assert!((lower - 0.0490).abs() < 5e-5, "{lower}");
        assert!((upper - 0.1762).abs() < 5e-5, "{upper}");
        assert_eq!(Proportion::new(0, 0).interval(0.01), (0.0, 1.0));
    }

    proptest::proptest! {
        #[test]
        fn more_bad_samples_never_make_a_better_verdict(n in 1_u64..2000, k in 0_u64..2000, limit in 0.001_f64..0.5) {
            let rank = |d| match d { Decision::Within => 0, Decision::Unclear => 1, Decision::Beyond => 2 };
            let k = k.min(n - 1);
            let (less, more) = (Proportion::new(k, n), Proportion::new(k + 1, n));
            proptest::prop_assert!(rank(less.decide(limit, 0.0005)) <= rank(more.decide(limit, 0.0005)));
        }

        #[test]
        fn the_interval_holds_the_estimate(n in 1_u64..5000, share in 0.0_f64..1.0, tail in 0.0001_f64..0.2) {
            let seen = Proportion::new((share * n as f64) as u64, n);
            let (lower, upper) = seen.interval(tail);
            proptest::prop_assert!(lower <= seen.estimate() + 1e-12 && seen.estimate() <= upper + 1e-12);
        }
    }
}
