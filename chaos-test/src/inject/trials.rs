#[cfg(test)]
use crate::model::DoseReading;
use crate::stats::Proportion;

/// How many trials tell a share from half of it, and what a reading of them proves.
///
/// A reading is a number of trials, of which a share is hit. Its dose is what that share **proves**: the lower exact
/// limit (Clopper & Pearson), wrong once in twenty readings, and not the share itself. So half of a dose is taken for
/// enough of it in one reading of twenty at most, and a host on which a few trials are late by chance shows no
/// fault. The price is a figure that is some tenths below the truth.
///
/// The number of trials is such that 70 hits are expected. By exact binomial sums (the tests of this file do them), for
/// shares from 2 % to 100 % a reading of the whole dose is enough in at least 97 of 100 cases, at least four
/// of five are in 99 of 100, and a reading of half of the dose is in at most 5 of 100.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Trials {
    /// What is asked for, from 0 to 1.
    pub(super) share: f64,
    /// How many independent chances to be hit there are in one trial.
    pub(super) chances: u32,
}

/// The chance of a dose that is not there to be believed.
const TAIL: f64 = 0.05;
/// Hits that are expected.
const HITS: f64 = 70.0;
const FEWEST: f64 = 100.0;
/// A reading of so many takes about a second.
const MOST: f64 = 2500.0;

impl Trials {
    /// How many to make for one reading.
    pub(super) fn count(self) -> u32 {
        let hit = 1.0 - (1.0 - self.share).powf(f64::from(self.chances));
        (HITS / hit).ceil().clamp(FEWEST, MOST) as u32
    }

    /// The dose that is proven when `hit` of `count` were.
    pub(super) fn dose(self, hit: u32, count: u32) -> f64 {
        let (at_least, _) = Proportion::new(hit.into(), count.into()).interval(TAIL);
        1.0 - (1.0 - at_least).powf(1.0 / f64::from(self.chances))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The probability that a reading shows enough of the dose asked for, when `real` is there.
    fn convinces(trials: Trials, real: f64) -> f64 {
        let n = trials.count();
        let hit = 1.0 - (1.0 - real).powf(f64::from(trials.chances));
        if hit >= 1.0 {
            return f64::from(u8::from(trials.dose(n, n) > trials.share * DoseReading::ENOUGH));
        }
        // (1 − hit)ⁿ, then each term from the one before.
        let mut term = (f64::from(n) * (1.0 - hit).ln()).exp();
        let mut sum = 0.0;
        let all: Vec<u32> = (0..=n).collect();
        let enough = all.partition_point(|&k| trials.dose(k, n) <= trials.share * DoseReading::ENOUGH) as u32;
        for k in 0..=n {
            if k >= enough {
                sum += term;
            }
            term *= f64::from(n - k) / f64::from(k + 1) * hit / (1.0 - hit);
        }
        sum
    }

    #[test]
    fn the_whole_dose_is_told_from_half_of_it() {
        for chances in [1, 4] {
            for percent in [2.0, 3.0, 5.0, 10.0, 15.0, 20.0, 30.0, 50.0, 75.0, 100.0] {
                let trials = Trials { share: percent / 100.0, chances };
                let (whole, half) = (convinces(trials, trials.share), convinces(trials, trials.share / 2.0));
                let four_of_five = whole.powi(5) + 5.0 * whole.powi(4) * (1.0 - whole);
                println!(
                    "{percent:>4} %, {chances} chances: {:>4} trials, whole {whole:.4} (4 of 5: {four_of_five:.4}), half {half:.4}",
                    trials.count()
                );
                assert!(whole >= 0.97, "{percent} %: {whole}");
                assert!(four_of_five >= 0.99, "{percent} %: {four_of_five}");
                assert!(half <= TAIL, "{percent} %: {half}");
            }
        }
    }

    #[test]
    fn few_hits_prove_nothing() {
        let trials = Trials { share: 0.05, chances: 4 };
        assert!(trials.dose(0, trials.count()).abs() < 1e-9);
        assert!(
            trials.dose(3, trials.count()) < 0.005,
            "three late ones are no more than a tenth of the dose"
        );
        assert!(trials.dose(trials.count(), trials.count()) > 0.5);
    }
}
