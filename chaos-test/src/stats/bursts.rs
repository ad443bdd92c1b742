use super::Proportion;

/// How unlikely so few bad samples are if their share is the limit and they come in bursts: the negative logarithm of a
/// bound on the probability (Chernoff).
///
/// Bursts begin independently of each other, and their lengths are geometric with that mean, so the bad samples are
/// compound Poisson. With single ones (a mean of 1) it is the bound for a Poisson count; without a bad sample it is the
/// number of bursts that should have begun.
pub(super) fn improbability(seen: Proportion, limit: f64, mean_length: f64) -> f64 {
    let (k, expected) = (seen.k as f64, seen.n as f64 * limit);
    if k >= expected {
        return 0.0;
    }
    let ends = 1.0 / mean_length.max(1.0);
    let goes_on = 1.0 - ends;
    // While a burst lasts no other begins.
    let bursts = expected * ends / (1.0 - limit * goes_on);
    if seen.k == 0 {
        return bursts;
    }
    // The best z of k ln z + bursts (1 − z) ÷ (1 − goes_on z) in (0, 1): there k (1 − goes_on z)² = bursts · ends · z.
    let middle = 2.0 * k * goes_on + bursts * ends;
    let z = 2.0 * k / (middle + (middle * middle - (2.0 * k * goes_on).powi(2)).max(0.0).sqrt());
    (k * z.ln() + bursts * (1.0 - z) / (1.0 - goes_on * z)).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_bad_sample_it_is_the_number_of_bursts_that_should_have_begun() {
        // 5 % of 1 000 in single ones: 50. In bursts of ten: five, and a little more, for they do not overlap.
        assert!((improbability(Proportion::new(0, 1000), 0.05, 1.0) - 50.0).abs() < 1e-9);
        let bursts = improbability(Proportion::new(0, 1000), 0.05, 10.0);
        assert!((bursts - 5.0 / 0.955).abs() < 1e-9, "{bursts}");
    }

    #[test]
    fn single_ones_are_the_textbook_bound_of_a_poisson_count() {
        // exp(−(k ln(k/μ) + μ − k)) for k of an expected μ.
        let (k, expected) = (10.0_f64, 50.0_f64);
        let textbook = k * (k / expected).ln() + expected - k;
        assert!((improbability(Proportion::new(10, 1000), 0.05, 1.0) - textbook).abs() < 1e-6);
    }

    proptest::proptest! {
        #[test]
        fn longer_bursts_and_more_bad_samples_make_it_less_improbable(
            k in 0_u64..100, n in 100_u64..5000, limit in 0.005_f64..0.2, length in 1.0_f64..20.0
        ) {
            let seen = |k| Proportion::new(k, n);
            let here = improbability(seen(k.min(n - 1)), limit, length);
            proptest::prop_assert!(improbability(seen(k.min(n - 1) + 1), limit, length) <= here + 1e-9);
            // Near the limit itself neither is anything to decide by, and bursts that do not overlap make a little more of it.
            let longer = improbability(seen(k.min(n - 1)), limit, length * 1.5);
            proptest::prop_assert!(longer <= here + 1e-9 || here < 2.0, "{longer} > {here}");
            proptest::prop_assert!(here.is_finite() && here >= 0.0);
        }
    }
}
