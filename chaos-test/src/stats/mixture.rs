use super::Proportion;

/// Alternatives to a limit, each with its weight: what they make of the samples seen, divided by what the limit makes of
/// them, is the evidence against the limit (Robbins 1970).
///
/// If the limit holds, that reaches 1/α with a probability of at most α, however often one looks (Ville 1939). It is so for
/// independent samples.
#[derive(Debug, Clone)]
pub(super) struct Mixture {
    /// Logarithms of the weight, of p ÷ limit and of (1 − p) ÷ (1 − limit).
    points: Vec<(f64, f64, f64)>,
}

impl Mixture {
    /// Of shares below the limit.
    pub(super) fn below(limit: f64) -> Self {
        const OF_LIMIT: [f64; 9] = [0.0, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8];
        const WEIGHTS: [f64; 9] = [0.25, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.05];
        Self::of(limit, OF_LIMIT.iter().zip(WEIGHTS).map(|(part, weight)| (limit * part, weight)))
    }

    /// Of shares above the limit, each as likely.
    pub(super) fn above(limit: f64) -> Self {
        const OF_LIMIT: [f64; 7] = [1.25, 1.6, 2.2, 3.2, 5.0, 8.0, 13.0];
        const SHARES: [f64; 4] = [0.5, 0.7, 0.9, 0.999];
        let near = OF_LIMIT.iter().map(|times| limit * times);
        let shares: Vec<f64> = near.chain(SHARES).filter(|share| *share > limit && *share < 1.0).collect();
        let weight = 1.0 / shares.len().max(1) as f64;
        Self::of(limit, shares.into_iter().map(|share| (share, weight)))
    }

    fn of(limit: f64, points: impl Iterator<Item = (f64, f64)>) -> Self {
        let point = |(share, weight): (f64, f64)| {
            (weight.ln(), (share / limit).ln(), ((1.0 - share) / (1.0 - limit)).ln())
        };
        Self { points: points.map(point).collect() }
    }

    /// The logarithm of the evidence, `worth` samples being worth one independent one.
    pub(super) fn evidence(&self, seen: Proportion, worth: f64) -> f64 {
        let (bad, good) = (seen.k as f64, (seen.n - seen.k) as f64);
        // 0 · ln 0 is 0 here.
        let term = |(weight, of_bad, of_good): &(f64, f64, f64)| {
            weight + (if seen.k == 0 { 0.0 } else { bad * of_bad } + good * of_good) / worth
        };
        let most = self.points.iter().map(term).fold(f64::NEG_INFINITY, f64::max);
        if most == f64::NEG_INFINITY {
            return most;
        }
        most + self.points.iter().map(|point| (term(point) - most).exp()).sum::<f64>().ln()
    }
}
