//! Whether a share is within a limit, by evidence that one may look at as often as one likes.
//!
//! The evidence for either answer is a mixture martingale (`mixture.rs`): true of independent samples, however often one
//! looks. Errors come in bursts, though, and a burst is one misfortune and not ten. So evidence for "beyond" is divided by
//! what a burst is worth, and to say "within" before the end takes more: so few bad samples must be improbable under bursts
//! too (`bursts.rs`), as long as those seen, and before any were seen of [`Question::burst`]; and they must not be piled up
//! in some seconds. What was not decided on the way is decided by the whole, with exact limits, and bursts as long as those
//! that were seen.
//!
//! How often that errs is measured: `tests/tests/calibration.rs`.

use super::bursts::improbability;
use super::mixture::Mixture;
use super::{Decision, Tally};

/// What is asked of a share.
///
/// ```
/// use chaos_test::stats::{Question, Sequential};
///
/// // Whether at most 5 % are bad: so many flawless samples answer that.
/// let question = Question { limit: 0.05, error: 0.0005, burst: Question::BURST, longest: Question::BURST };
/// assert_eq!(Sequential::new(question).more_needed(), Some(162));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Question {
    /// What it may be at most; above 0 and below 1.
    pub limit: f64,
    /// How often either answer may be wrong where samples are independent: one half of it on the way, the other at the end.
    pub error: f64,
    /// The mean length of a burst that is reckoned with before any has been seen, in samples: [`Question::BURST`].
    pub burst: f64,
    /// The longest bursts that a decision takes for bursts, in samples: what is bad for longer is a state and not a
    /// misfortune. At least `burst`.
    pub longest: f64,
}

impl Question {
    /// The mean length of a burst that verdicts reckon with before any has been seen, in samples.
    pub const BURST: f64 = 10.0;
    /// How many bursts of that length those that were seen are averaged with.
    const PRIOR: f64 = 4.0;
    /// How much of the error is spent on the way; the rest is for the last look.
    const ON_THE_WAY: f64 = 0.5;
    /// How often "within" may be wrong where errors come in such bursts.
    pub const ERROR_IN_BURSTS: f64 = 0.004;

    fn needed(&self) -> f64 {
        -(self.error * Self::ON_THE_WAY).ln()
    }

    fn needed_in_bursts() -> f64 {
        -Self::ERROR_IN_BURSTS.ln()
    }
}

/// How much evidence there is, as a share of what decides: at 1 it does.
///
/// ```
/// use chaos_test::stats::{MayDecide, Question, Sequential};
///
/// let question = Question { limit: 0.05, error: 0.0005, burst: Question::BURST, longest: Question::BURST };
/// let mut share = Sequential::new(question);
/// // Ten seconds without a bad sample, fifty samples each: nearly half of what "within" takes.
/// (0..500).for_each(|n| share.push(false, n / 50, MayDecide::Either));
/// assert!((0.4..0.5).contains(&share.evidence().within));
/// assert_eq!(share.evidence().beyond, 0.0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Evidence {
    /// That the share is within its limit.
    pub within: f64,
    /// That it is beyond.
    pub beyond: f64,
}

/// What may be decided by now, before the end.
///
/// ```
/// use chaos_test::stats::{Decision, MayDecide, Question, Sequential};
///
/// let question = Question { limit: 0.05, error: 0.0005, burst: Question::BURST, longest: Question::BURST };
/// let mut share = Sequential::new(question);
/// // All samples are bad, fifty a second, and of the first two seconds nothing is said.
/// let may = |second: usize| if second < 2 { MayDecide::Nothing } else { MayDecide::Beyond };
/// (0..500).for_each(|n| share.push(true, n / 50, may(n / 50)));
/// assert!(share.decided().is_some_and(|(decision, seen)| decision == Decision::Beyond && seen.n > 100));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MayDecide {
    /// Nothing: the share is still settling.
    Nothing,
    /// That it is beyond its limit.
    Beyond,
    /// Whatever it is.
    Either,
}

/// The evidence about one share, as it comes in.
///
/// ```
/// use chaos_test::stats::{Decision, MayDecide, Question, Sequential};
///
/// let question = Question { limit: 0.05, error: 0.0005, burst: Question::BURST, longest: Question::BURST };
/// let mut share = Sequential::new(question);
/// // A service without an error, asked fifty times a second: that is enough after 21 seconds.
/// (0..2000).for_each(|n| share.push(false, n / 50, MayDecide::Either));
/// let (decision, seen) = share.decided().expect("it was more than enough");
/// assert_eq!((decision, seen.n), (Decision::Within, 1055));
/// ```
#[derive(Debug, Clone)]
pub struct Sequential {
    question: Question,
    within: Mixture,
    beyond: Mixture,
    seen: Tally,
    /// After how many earlier conclusions that could not tell this goes on.
    earlier: u32,
    /// What the samples have come to once and for all.
    decided: Option<(Decision, Tally)>,
    /// Bad samples and all, of blocks of a second.
    blocks: Vec<(u64, u64)>,
}

/// A day of blocks: what comes later, which is only in a damaged record, counts to the last of them.
const MOST_BLOCKS: usize = 24 * 60 * 60;

/// After how many samples the evidence is looked at again.
const LOOK_EVERY: u64 = 5;

impl Sequential {
    /// Bad samples in runs no longer than this on average come one by one.
    const SINGLE: f64 = 1.5;

    /// Without any samples.
    pub fn new(question: Question) -> Self {
        Self::continuing(question, Tally::default(), 0)
    }

    /// With what was seen before, of which that many conclusions could not tell.
    pub fn continuing(question: Question, seen: Tally, earlier: u32) -> Self {
        let (within, beyond) = (Mixture::below(question.limit), Mixture::above(question.limit));
        let seen = Tally { last_was_bad: false, ..seen };
        Self { question, within, beyond, seen, earlier, decided: None, blocks: Vec::new() }
    }

    /// From now on bursts may be that long, if they may not already.
    pub fn reckon_with(&mut self, longest: f64) {
        self.question.longest = self.question.longest.max(longest);
    }

    /// One more sample, in the block of that number (they do not go down), and what it may decide.
    pub fn push(&mut self, bad: bool, block: usize, may: MayDecide) {
        self.seen.push(bad);
        let block = block.min(MOST_BLOCKS - 1);
        if self.blocks.len() <= block {
            self.blocks.resize(block + 1, (0, 0));
        }
        let (of_bad, of_all) = &mut self.blocks[block];
        *of_bad += u64::from(bad);
        *of_all += 1;
        if !self.seen.n.is_multiple_of(LOOK_EVERY) {
            return;
        }
        // "Beyond" is the last word. "Within" is not: a phase that goes on for another share's sake may still refute it.
        let decision = match self.decided {
            Some((Decision::Beyond, _)) => return,
            Some(_) if !self.is_over(self.seen) => return,
            _ => self.look(may),
        };
        if decision != Decision::Unclear {
            self.decided = Some((decision, self.seen));
        }
    }

    /// On each side of the limit only one answer can have evidence.
    fn look(&self, may: MayDecide) -> Decision {
        let seen = self.seen;
        if self.is_over(seen) {
            let is_beyond = may != MayDecide::Nothing && self.beyond(seen) >= 1.0;
            return if is_beyond { Decision::Beyond } else { Decision::Unclear };
        }
        // The cheapest first.
        let is_within = may == MayDecide::Either
            && self.in_bursts(seen) >= 1.0
            && self.independent(seen) >= 1.0
            && self.piled_up().is_none();
        if is_within { Decision::Within } else { Decision::Unclear }
    }

    fn is_over(&self, seen: Tally) -> bool {
        seen.proportion().estimate() > self.question.limit
    }

    /// How much evidence there is by now.
    pub fn evidence(&self) -> Evidence {
        let seen = self.seen;
        Evidence { within: self.independent(seen).min(self.in_bursts(seen)), beyond: self.beyond(seen) }
    }

    fn independent(&self, seen: Tally) -> f64 {
        (self.within.evidence(seen.proportion(), 1.0) / self.question.needed()).max(0.0)
    }

    fn in_bursts(&self, seen: Tally) -> f64 {
        let length = seen.run_length(Question::PRIOR, self.question.burst);
        improbability(seen.proportion(), self.question.limit, length) / Question::needed_in_bursts()
    }

    fn beyond(&self, seen: Tally) -> f64 {
        (self.beyond.evidence(seen.proportion(), self.worth_of(seen)) / self.question.needed()).max(0.0)
    }

    /// How many samples are worth one independent one where "beyond" is concerned: the variance of bursts of a geometric
    /// length, per sample.
    fn worth_of(&self, seen: Tally) -> f64 {
        let Question { burst, longest, .. } = self.question;
        2.0 * seen.run_length(1.0, burst).min(longest.max(burst)) - 1.0
    }

    /// What all of it has come to: what was decided on the way, else what exact limits make of all samples, a burst being
    /// worth one. What is over the limit as a whole is not within it, however well it began.
    pub fn conclude(&self) -> Decision {
        match self.decided {
            Some((Decision::Within, _)) if self.is_over(self.seen) => self.at_the_end(self.seen),
            Some((decision, _)) => decision,
            None => self.at_the_end(self.seen),
        }
    }

    /// What was decided on the way, and by how many samples.
    pub fn decided(&self) -> Option<(Decision, Tally)> {
        self.decided
    }

    /// All that was seen.
    pub fn seen(&self) -> Tally {
        self.seen
    }

    /// The error left for the last look, which is one more than those on the way: half of what is allowed, and half of that
    /// again where it goes on after an earlier one.
    fn last_share(&self) -> f64 {
        0.5_f64.powi(self.earlier.saturating_add(1).min(60) as i32)
    }

    fn at_the_end(&self, seen: Tally) -> Decision {
        let Question { limit, error, .. } = self.question;
        let all = seen.proportion();
        let tail = error * self.last_share();
        let piled = self.piled_up().unwrap_or(1.0);
        // As long as those that were seen: whoever looks at the whole does not reckon with bursts where none came up in it.
        // Where some did, the few there were may have been short by chance.
        let as_seen = seen.run_length(0.0, 0.0);
        let length = if as_seen > Self::SINGLE { seen.run_length(1.0, self.question.burst) } else { as_seen };
        let length = length.max(piled);
        let (_, high) = all.interval(tail);
        let rare = -(Question::ERROR_IN_BURSTS * self.last_share()).ln();
        if high <= limit && improbability(all, limit, length) >= rare {
            return Decision::Within;
        }
        let (low, _) = all.interval_of(self.worth_of(seen).max(piled), tail);
        if low > limit { Decision::Beyond } else { Decision::Unclear }
    }

    /// About how many more samples would decide if they were as those seen; `None` when a million would not.
    pub fn more_needed(&self) -> Option<u64> {
        const MOST: u64 = 1 << 20;
        let seen = self.seen;
        // Without any, what a flawless share takes.
        let unit = if seen.n == 0 { Tally { n: 1, ..Tally::default() } } else { seen };
        let decides = |times: f64| self.at_the_end(unit.times(times)) != Decision::Unclear;
        let mut high = 1.0;
        while !decides(high) {
            high *= 2.0;
            if unit.n as f64 * high > MOST as f64 {
                return None;
            }
        }
        let mut low = high / 2.0;
        for _ in 0..20 {
            let middle = f64::midpoint(low, high);
            if decides(middle) { high = middle } else { low = middle }
        }
        Some(((unit.n as f64 * high).ceil() as u64).saturating_sub(seen.n).max(1))
    }

    /// How much more the blocks differ than those of independent samples do, where that is more than chance makes of it at
    /// the 1 % level (χ² test of homogeneity).
    fn piled_up(&self) -> Option<f64> {
        let seen = self.seen.proportion();
        // The last block may have just begun.
        let whole = &self.blocks[..self.blocks.len().saturating_sub(1)];
        let share = seen.estimate();
        if whole.len() < 3 || seen.k == 0 || seen.k == seen.n {
            return None;
        }
        let of_block = |(bad, of): &(u64, u64)| {
            (*bad as f64 - share * *of as f64).powi(2) / (*of as f64 * share * (1.0 - share))
        };
        let differ: f64 = whole.iter().filter(|(_, of)| *of > 0).map(of_block).sum();
        let degrees = (whole.len() - 1) as f64;
        (differ > chi_square_99(degrees)).then_some(differ / degrees)
    }
}

/// The 99th percentile of χ² with that many degrees of freedom (Wilson & Hilferty 1931).
fn chi_square_99(degrees: f64) -> f64 {
    const Z: f64 = 2.326_347_874;
    let part = 2.0 / (9.0 * degrees);
    degrees * (1.0 - part + Z * part.sqrt()).powi(3)
}

#[cfg(test)]
mod tests;
