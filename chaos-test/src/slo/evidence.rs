use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::baseline::latency_of;
use super::evaluate::Subject;
use super::{Evaluation, Indicator, Reason, Verdict};
use crate::model::{Carried, CarriedShare, CountRule, Outcome, Phase, Sample, Severity};
use crate::stats::{Decision, MayDecide, Proportion, Question, Sequential, Tally, samples_needed};

/// So long a share may be anything before it can be said to be within its limit.
const SETTLES: Duration = Duration::from_secs(5);
/// So long before it can be said to be beyond: a hiccup at the very beginning is no state.
const SHOWS: Duration = Duration::from_secs(2);
/// Evidence is kept for at most so many instants.
const MOST_POINTS: usize = 600;

/// What the samples of a share came to, as they came in.
///
/// ```
/// use chaos_test::slo::EvidenceTrail;
///
/// /// How many samples came in after the share was decided.
/// fn to_spare(trail: &EvidenceTrail) -> Option<u64> {
///     Some(trail.seen.n.saturating_sub(trail.decided_after?))
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct EvidenceTrail {
    /// How often each of the two answers may be wrong, where samples are independent.
    pub error: f64,
    /// All that was seen, earlier tries with it.
    pub seen: Tally,
    /// After how many samples it was decided, if that was before the end.
    pub decided_after: Option<u64>,
    /// The evidence second by second.
    pub points: Vec<EvidencePoint>,
}

/// The evidence about a share at one instant: at 1 it decides.
///
/// ```
/// use chaos_test::slo::{EvidencePoint, EvidenceTrail};
///
/// /// The instant at which the share was nearest to being beyond its limit.
/// fn worst(trail: &EvidenceTrail) -> Option<&EvidencePoint> {
///     trail.points.iter().max_by(|a, b| a.beyond.total_cmp(&b.beyond))
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct EvidencePoint {
    /// When, from the start of the baseline.
    pub at: Duration,
    /// Samples so far.
    pub n: u64,
    /// Bad ones among them.
    pub k: u64,
    /// That the share is within its limit.
    pub within: f64,
    /// That it is beyond.
    pub beyond: f64,
}

/// One sample as an answer to a yes-or-no question.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answer {
    at: Duration,
    bad: bool,
    /// It got no answer in time, as all those will have that were sent while the same thing hung.
    hung: bool,
}

impl Answer {
    /// Whether a sample is bad.
    fn of(sample: &Sample, bad: bool) -> Self {
        Self { at: sample.at, bad, hung: matches!(sample.outcome, Outcome::Timeout | Outcome::Dropped) }
    }
}

impl Subject<'_> {
    /// The samples of the chaos phase, and which of them are bad.
    pub(super) fn bad_ones(&self) -> Vec<Answer> {
        self.in_phase(Phase::Chaos).map(|sample| Answer::of(sample, !sample.is_good())).collect()
    }

    /// Those that tell of a latency, and which of them took longer than that.
    pub(super) fn slower_than(&self, limit: Duration) -> Vec<Answer> {
        let timeout = self.stream.timeout;
        self.in_phase(Phase::Chaos)
            .filter_map(|sample| Some(Answer::of(sample, latency_of(sample, timeout)? > limit)))
            .collect()
    }

    /// Fills in a verdict that rests on a count: the bad ones of all answers, in the order of their schedule, against a
    /// share.
    pub(super) fn by_count(&self, evaluation: &mut Evaluation, answers: &[Answer], limit: f64) {
        let bad = answers.iter().filter(|answer| answer.bad).count() as u64;
        let seen = Proportion::new(bad, answers.len() as u64);
        evaluation.counts = Some((seen.k, seen.n));
        let in_order = self.trace.count_rule == CountRule::Sequential && self.stream.kind.is_scheduled();
        let (decision, more) = if in_order && limit > 0.0 && limit < 1.0 {
            self.in_order(evaluation, answers, limit)
        } else if seen.n == 0 {
            (Decision::Unclear, None)
        } else {
            let all = (!self.on_the_way).then(|| samples_needed(seen, limit, self.tail)).flatten();
            (seen.decide(limit, self.tail), all.map(|all| all.saturating_sub(seen.n).max(1)))
        };
        evaluation.verdict = match decision {
            Decision::Within => Verdict::Pass,
            Decision::Beyond => Verdict::Fail,
            Decision::Unclear => {
                let none = evaluation.counts.is_some_and(|(_, n)| n == 0);
                evaluation.reason =
                    Some(if none { Reason::NoSamples } else { Reason::NeedsMoreSamples { more } });
                Verdict::Inconclusive
            }
        };
    }

    fn in_order(
        &self,
        evaluation: &mut Evaluation,
        answers: &[Answer],
        limit: f64,
    ) -> (Decision, Option<u64>) {
        let began = self.marks().injected.unwrap_or_default();
        let question = Question { limit, error: self.tail, burst: Question::BURST, longest: Question::BURST };
        let mut evidence = self.continued(question, evaluation.indicator);
        let hang = self.stream.timeout.as_secs_f64() / self.stream.interval.as_secs_f64().max(1e-6);
        let mut points: Vec<EvidencePoint> = Vec::new();
        for answer in answers {
            let exposed = answer.at.saturating_sub(began);
            let may = match exposed {
                _ if exposed >= SETTLES => MayDecide::Either,
                _ if exposed >= SHOWS => MayDecide::Beyond,
                _ => MayDecide::Nothing,
            };
            if answer.bad && answer.hung {
                evidence.reckon_with(hang);
            }
            let second = exposed.as_secs() as usize;
            if second > points.len() && points.len() < MOST_POINTS {
                points.push(point(&evidence, began + Duration::from_secs(second as u64)));
            }
            evidence.push(answer.bad, second, may);
        }
        if let Some(last) = answers.last() {
            points.push(point(&evidence, last.at));
        }
        let seen = evidence.seen();
        let decision = if seen.n == 0 { Decision::Unclear } else { evidence.conclude() };
        let decided = evidence.decided();
        // What was seen before counts as well.
        evaluation.counts = Some((seen.k, seen.n));
        evaluation.evidence = Some(EvidenceTrail {
            error: self.tail,
            seen,
            decided_after: decided
                .filter(|(on_the_way, _)| *on_the_way == decision)
                .map(|(_, tally)| tally.n),
            points,
        });
        let wanted = decision == Decision::Unclear && !self.on_the_way;
        let more = if wanted { evidence.more_needed() } else { None };
        (decision, more)
    }

    /// Evidence that goes on from where earlier tries have left it. A warning begins anew: they decide nothing, and nothing
    /// of theirs is carried.
    fn continued(&self, question: Question, indicator: Indicator) -> Sequential {
        let mechanism = self.trace.delivery.as_ref().map(|delivery| &delivery.mechanism);
        // Where it is not noted (older records) it was not asked.
        let by_the_same =
            |carried: &&Carried| carried.mechanism.is_none() || carried.mechanism.as_ref() == mechanism;
        // In records of before two probes of one service have one name; they are told apart by their order.
        let alike = self.trace.streams.iter();
        let alike = alike.filter(|other| other.kind.is_scheduled() && other.name == self.stream.name);
        let nth = alike.take_while(|other| !std::ptr::eq(*other, self.stream)).count();
        let carried = self.trace.carried.as_ref().filter(|_| self.severity == Severity::Blocking);
        // Each try has been looked at, whatever it left.
        let looks = carried.map_or(0, Carried::all_looks).saturating_add(u32::from(self.trace.extended));
        let before = carried.filter(by_the_same).and_then(|carried| {
            let same = |share: &&CarriedShare| {
                share.stream == self.stream.name && share.indicator == indicator.key()
            };
            carried.shares.iter().filter(same).nth(nth)
        });
        let seen = before.map_or(Tally::default(), |share| {
            let CarriedShare { samples, bad, runs, .. } = *share;
            Tally { n: samples, k: bad, runs, last_was_bad: false }
        });
        Sequential::continuing(question, seen, looks)
    }
}

/// At three digits: what is judged is what is stored.
fn point(evidence: &Sequential, at: Duration) -> EvidencePoint {
    let (seen, now) = (evidence.seen(), evidence.evidence());
    let short = |value: f64| (value * 1e3).round() / 1e3;
    EvidencePoint { at, n: seen.n, k: seen.k, within: short(now.within), beyond: short(now.beyond) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Catalogue, Delivery, DoseReading, DoseUnit, Marks, Stream, StreamKind, Trace};
    use crate::slo::judge;

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn two_probes_of_one_service_each_go_on_from_their_own() {
        let sample =
            |n: u32| Sample { at: ms(20) * n, lag: Duration::ZERO, latency: ms(8), outcome: Outcome::Good };
        let stream = || Stream {
            name: "app".into(),
            kind: StreamKind::Probe,
            interval: ms(20),
            timeout: ms(1_000),
            samples: (0..600).map(sample).collect(),
        };
        let share = |bad| CarriedShare {
            stream: "app".into(),
            indicator: Indicator::ErrorRate.key(),
            samples: 700,
            bad,
            runs: bad,
        };
        let reading = |n: u32| DoseReading { at: ms(2_100) + ms(500) * n, asked: 1.0, measured: 1.0 };
        let trace = Trace {
            marks: Marks {
                inject_started: Some(ms(2_000)),
                injected: Some(ms(2_000)),
                revert_started: Some(ms(8_000)),
                removed: Some(ms(8_000)),
                chaos_ended: Some(ms(8_000)),
                ended: Some(ms(12_000)),
            },
            streams: vec![stream(), stream()],
            delivery: Some(Delivery {
                mechanism: "proxy".into(),
                detail: "a fault".into(),
                passed_over: Vec::new(),
                unit: DoseUnit::Down,
                readings: (0..5).map(reading).collect(),
                failed_readings: 0,
                last_failure: None,
            }),
            count_rule: CountRule::Sequential,
            carried: Some(Carried {
                tries: 1,
                looks: 1,
                mechanism: Some("proxy".into()),
                shares: vec![share(0), share(49)],
            }),
            ..Trace::default()
        };
        let staging = Catalogue::builtin().profile(Some("staging")).expect("it is built in").objectives;
        let rows = judge(&trace, &staging).evaluations;
        let rates = rows.iter().filter(|row| row.indicator == Indicator::ErrorRate);
        assert_eq!(rates.filter_map(|row| row.counts).collect::<Vec<_>>(), [(0, 1_000), (49, 1_000)]);
    }
}
