//! Whether a share is within a limit, by evidence that one may look at as often as one likes.
//!
//! The evidence against "the share is the limit or more" is the mixture martingale of Robbins (1970): what alternatives
//! below the limit, weighed, make of the samples seen, divided by what the limit makes of them. By Ville's inequality it
//! reaches 1/α with a probability of at most α, however long one waits for that. The same with alternatives above the
//! limit is the evidence against "the limit or less".
//!
//! That is true of independent samples. Errors come in bursts, and a burst is one misfortune and not ten: evidence is
//! divided by how many samples one is worth, estimated from the runs seen so far and, until there are any, taken for
//! [`ALLOWED_BURST`]. What that is worth is measured: `tests/tests/calibration.rs`.

use serde::{Deserialize, Serialize};

use super::{Decision, Proportion};

/// The mean length of a burst of bad samples that is allowed for as long as none has been seen, and at most.
pub const ALLOWED_BURST: f64 = 10.0;

/// After how many samples the evidence is looked at again.
const LOOK_EVERY: u64 = 10;

/// Samples of a yes-or-no question, in their order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// How many there were.
    pub n: u64,
    /// How many of them were bad.
    pub k: u64,
    /// How many runs the bad ones came in: rows without a good one between.
    pub runs: u64,
    last_was_bad: bool,
}

impl Tally {
    /// One more sample.
    pub fn push(&mut self, bad: bool) {
        self.n += 1;
        self.k += u64::from(bad);
        self.runs += u64::from(bad && !self.last_was_bad);
        self.last_was_bad = bad;
    }

    /// How long a burst is taken to be: the mean of those seen, and one of [`ALLOWED_BURST`], which is also the most.
    fn burst(&self, allowed: f64) -> f64 {
        ((self.k as f64 + allowed) / (self.runs as f64 + 1.0)).clamp(1.0, allowed.max(1.0))
    }

    /// The count itself.
    pub fn proportion(&self) -> Proportion {
        Proportion::new(self.k, self.n)
    }
}

/// How many independent samples' worth of variance a burst has whose length is geometric with this mean, per sample.
fn inflation(burst: f64) -> f64 {
    2.0 * burst - 1.0
}

/// Alternatives to a limit, each with its weight.
#[derive(Debug, Clone)]
struct Mixture {
    /// Logarithms of the weight, of p ÷ limit and of (1 − p) ÷ (1 − limit).
    points: Vec<(f64, f64, f64)>,
}

impl Mixture {
    /// Of shares below the limit.
    fn below(limit: f64) -> Self {
        const OF_LIMIT: [f64; 9] = [0.0, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8];
        const WEIGHTS: [f64; 9] = [0.25, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.05];
        Self::of(limit, OF_LIMIT.iter().zip(WEIGHTS).map(|(part, weight)| (limit * part, weight)))
    }

    /// Of shares above the limit, each as likely.
    fn above(limit: f64) -> Self {
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

    /// The logarithm of the evidence, a sample being worth one `worth`-th of an independent one.
    fn evidence(&self, seen: Proportion, worth: f64) -> f64 {
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

/// What is asked of a share.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Question {
    /// What it may be at most; above 0 and below 1.
    pub limit: f64,
    /// How often it may be taken for within the limit when it is not.
    pub wrong_pass: f64,
    /// How often it may be taken for beyond the limit when it is not.
    pub wrong_fail: f64,
    /// How long a burst is allowed for, in samples: [`ALLOWED_BURST`].
    pub burst: f64,
}

/// The evidence about one share, as it comes in.
#[derive(Debug, Clone)]
pub struct Sequential {
    question: Question,
    within: Mixture,
    beyond: Mixture,
    seen: Tally,
    /// What the samples have come to once and for all.
    decided: Option<(Decision, Tally)>,
    /// Bad samples and all, of blocks of a second.
    blocks: Vec<(u64, u64)>,
}

impl Sequential {
    /// Without any samples.
    pub fn new(question: Question) -> Self {
        let (within, beyond) = (Mixture::below(question.limit), Mixture::above(question.limit));
        Self { question, within, beyond, seen: Tally::default(), decided: None, blocks: Vec::new() }
    }

    /// One more sample, in the block of that number (they do not go down). `may_pass`: whether it may now be said that the
    /// share is within its limit.
    pub fn push(&mut self, bad: bool, block: usize, may_pass: bool) {
        self.seen.push(bad);
        if self.blocks.len() <= block {
            self.blocks.resize(block + 1, (0, 0));
        }
        let (of_bad, of_all) = &mut self.blocks[block];
        *of_bad += u64::from(bad);
        *of_all += 1;
        if self.decided.is_none() && self.seen.n.is_multiple_of(LOOK_EVERY) {
            let decision = self.look(may_pass);
            self.decided = (decision != Decision::Unclear).then_some((decision, self.seen));
        }
    }

    fn look(&self, may_pass: bool) -> Decision {
        let seen = self.seen.proportion();
        let (against, with) = self.evidence();
        if with >= -self.question.wrong_fail.ln() {
            Decision::Beyond
        } else if may_pass && against >= -self.question.wrong_pass.ln() && self.is_even(seen) {
            Decision::Within
        } else {
            Decision::Unclear
        }
    }

    /// The logarithms of the evidence that the share is within its limit, and beyond it; each decides at −ln of the error
    /// allowed.
    pub fn evidence(&self) -> (f64, f64) {
        let seen = self.seen.proportion();
        let burst = self.seen.burst(self.question.burst);
        // Without a bad sample there is no burst to be had twice: what is not seen is a rare burst.
        let worth = if seen.k == 0 { burst } else { inflation(burst) };
        (self.within.evidence(seen, worth), self.beyond.evidence(seen, inflation(burst)))
    }

    /// Whether the bad samples are spread over the blocks as independent ones would be, at the 1 % level.
    fn is_even(&self, seen: Proportion) -> bool {
        self.dispersion(seen).is_none_or(|(times, allowed)| times <= allowed)
    }

    /// How much more the blocks differ than those of independent samples, and how much more chance makes of it at the 1 %
    /// level; `None` where there is nothing to tell.
    fn dispersion(&self, seen: Proportion) -> Option<(f64, f64)> {
        // The last block may have just begun.
        let whole = &self.blocks[..self.blocks.len().saturating_sub(1)];
        let share = seen.estimate();
        if whole.len() < 3 || seen.k == 0 || seen.k == seen.n {
            return None;
        }
        let differ: f64 = whole
            .iter()
            .filter(|(_, of)| *of > 0)
            .map(|(bad, of)| {
                (*bad as f64 - share * *of as f64).powi(2) / (*of as f64 * share * (1.0 - share))
            })
            .sum();
        let degrees = (whole.len() - 1) as f64;
        Some((differ / degrees, chi_square_99(degrees) / degrees))
    }

    /// What all of it has come to: what was decided on the way, else what exact limits make of all samples, a burst being
    /// worth one.
    pub fn conclude(&self) -> Decision {
        match self.decided {
            Some((decision, _)) => decision,
            None => self.at_the_end(),
        }
    }

    /// How many samples it took, where it was decided on the way.
    pub fn decided(&self) -> Option<(Decision, Tally)> {
        self.decided
    }

    /// All that was seen.
    pub fn seen(&self) -> Tally {
        self.seen
    }

    fn at_the_end(&self) -> Decision {
        let worth = self.worth();
        let all = self.seen.proportion();
        let Question { limit, wrong_pass, wrong_fail, .. } = self.question;
        // One more look: half of what may go wrong.
        let (low, _) = all.interval_of(worth, wrong_fail / 2.0);
        let (_, high) = all.interval_of(worth, wrong_pass / 2.0);
        if high <= limit {
            Decision::Within
        } else if low > limit {
            Decision::Beyond
        } else {
            Decision::Unclear
        }
    }

    /// How many samples one independent one is worth, by the runs or, where they differ too much, by the blocks.
    pub fn worth(&self) -> f64 {
        if self.seen.k == 0 {
            return 1.0;
        }
        let burst = (self.seen.k as f64 + self.question.burst) / (self.seen.runs as f64 + 1.0);
        let by_blocks = match self.dispersion(self.seen.proportion()) {
            Some((times, allowed)) if times > allowed => times,
            _ => 1.0,
        };
        inflation(burst.max(1.0)).max(by_blocks)
    }
}

/// The 99th percentile of χ² with that many degrees of freedom (Wilson & Hilferty 1931).
fn chi_square_99(degrees: f64) -> f64 {
    const Z: f64 = 2.326_347_874;
    let part = 2.0 / (9.0 * degrees);
    degrees * (1.0 - part + Z * part.sqrt()).powi(3)
}
