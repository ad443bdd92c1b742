use super::beta::binomial_cdf;

/// A quantile of a list with its distribution-free interval.
///
/// ```
/// use chaos_test::stats::quantile;
///
/// // A hundred samples set no upper limit to the 99th percentile: the true one may be beyond all of them.
/// let sorted: Vec<u32> = (1..=100).collect();
/// let p99 = quantile(&sorted, 0.99, 0.025).expect("it is not empty");
/// assert_eq!((p99.estimate, p99.upper), (99, None));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Quantile<T> {
    /// The sample quantile (nearest rank).
    pub estimate: T,
    /// The order statistic the true quantile is not below, or `None` when there are too few samples.
    pub lower: Option<T>,
    /// The order statistic the true quantile is not above, or `None` when there are too few samples.
    pub upper: Option<T>,
}

/// The `p`-quantile of a sorted list; each side of the interval is wrong with probability at most `tail`.
///
/// The rank R of the true quantile among n independent samples is binomial(n, p), so the limits are the
/// order statistics at its quantiles. `None` for an empty list.
///
/// ```
/// let sorted: Vec<u32> = (1..=1000).collect();
/// let q = chaos_test::stats::quantile(&sorted, 0.95, 0.025).unwrap();
/// assert_eq!(q.estimate, 950);
/// assert_eq!((q.lower, q.upper), (Some(936), Some(964)));
/// ```
pub fn quantile<T: Copy>(sorted: &[T], p: f64, tail: f64) -> Option<Quantile<T>> {
    let n = sorted.len() as u64;
    let estimate = estimate(sorted, p)?;
    // Lower: the largest l with P(X < l) ≤ tail. Upper: the smallest u with P(X ≥ u) ≤ tail.
    let below = |l: u64| if l == 0 { 0.0 } else { binomial_cdf(l - 1, n, p) };
    let last = |wanted: &dyn Fn(u64) -> bool| {
        let (mut low, mut high) = (0, n + 1);
        while low + 1 < high {
            let middle = low.midpoint(high);
            if wanted(middle) { low = middle } else { high = middle }
        }
        low
    };
    let lower = last(&|l| below(l) <= tail);
    let upper = last(&|u| below(u) < 1.0 - tail) + 1;
    let at = |rank: u64| (1..=n).contains(&rank).then(|| sorted[rank as usize - 1]);
    Some(Quantile { estimate, lower: at(lower), upper: at(upper) })
}

/// What half, or another share `p`, of a sorted list is at most.
pub(crate) fn estimate<T: Copy>(sorted: &[T], p: f64) -> Option<T> {
    let rank = ((p * sorted.len() as f64).ceil() as usize).clamp(1, sorted.len().max(1));
    sorted.get(rank - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_few_samples_have_no_upper_limit() {
        let q = quantile(&[1, 2, 3], 0.95, 0.005).unwrap();
        assert_eq!(q.estimate, 3);
        assert_eq!(q.upper, None);
        assert!(quantile::<u8>(&[], 0.5, 0.1).is_none());
    }

    proptest::proptest! {
        #[test]
        fn the_limits_enclose_the_estimate(mut list in proptest::collection::vec(0_u32..10_000, 1..400), p in 0.01_f64..0.99) {
            list.sort_unstable();
            let q = quantile(&list, p, 0.01).unwrap();
            proptest::prop_assert!(q.lower.is_none_or(|l| l <= q.estimate));
            proptest::prop_assert!(q.upper.is_none_or(|u| u >= q.estimate));
        }
    }
}
