use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::baseline::{latencies, latency_of};
use super::evidence::{Answer, EvidenceTrail};
use super::{Baseline, Outage, Reason, RecoveryTime, Verdict, outages, recovery};
use crate::model::{Carried, CountRule, Marks, Objectives, Phase, Sample, Stream, StreamKind};
use crate::stats::{Proportion, quantile};

/// What is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Indicator {
    /// Bad samples of all that were scheduled in the chaos phase.
    ErrorRate,
    /// Bad requests of all that the test body made in the chaos phase.
    RequestErrorRate,
    /// Share of the chaos and recovery phases outside an outage.
    Availability,
    /// The longest outage.
    WorstTimeToRecover,
    /// From the fault's removal to stable service.
    RecoveryTime,
    /// 95th percentile of latency in the chaos phase, less the baseline's.
    LatencyDegradation,
}

impl Indicator {
    /// As records name it: `error_rate`.
    pub fn key(self) -> String {
        serde_json::to_value(self).ok().and_then(|key| key.as_str().map(str::to_owned)).unwrap_or_default()
    }
}

impl fmt::Display for Indicator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ErrorRate => "error rate",
            Self::RequestErrorRate => "error rate of requests",
            Self::Availability => "availability",
            Self::WorstTimeToRecover => "worst time to recover",
            Self::RecoveryTime => "recovery time",
            Self::LatencyDegradation => "p95 degradation",
        })
    }
}

/// A number with its unit.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    /// From 0 to 1.
    Share(f64),
    /// May be negative (a degradation can be an improvement).
    Seconds(f64),
}

/// One objective held against one stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// What is judged.
    pub indicator: Indicator,
    /// The stream it was measured on.
    pub stream: String,
    /// What it may be.
    pub limit: Figure,
    /// What it was; absent when it cannot be known.
    pub measured: Option<Figure>,
    /// What it was at least and at most, with the confidence of the judgement.
    pub interval: Option<(Figure, Figure)>,
    /// How many samples were bad (or too slow) of how many, where the verdict rests on a count.
    pub counts: Option<(u64, u64)>,
    /// Pass, Inconclusive or Fail.
    pub verdict: Verdict,
    /// Why it is Inconclusive.
    pub reason: Option<Reason>,
    /// A word on a value that needs one: `no outage`, `≥`.
    pub note: Option<String>,
    /// What the samples came to as they came in, where they could decide on the way.
    #[serde(default)]
    pub evidence: Option<EvidenceTrail>,
}

/// What the evaluations of one stream rest on.
pub(super) struct Subject<'a> {
    pub(super) stream: &'a Stream,
    pub(super) marks: &'a Marks,
    pub(super) objectives: &'a Objectives,
    /// The error allowed on each side of a statistical decision.
    pub(super) tail: f64,
    /// When shares are decided.
    pub(super) rule: CountRule,
    /// What earlier tries have seen.
    pub(super) carried: Option<&'a Carried>,
}

impl Subject<'_> {
    fn in_phase(&self, phase: Phase) -> impl Iterator<Item = &Sample> {
        self.stream.samples.iter().filter(move |sample| self.marks.phase_of(sample.at) == Some(phase))
    }

    fn evaluation(&self, indicator: Indicator, limit: Figure) -> Evaluation {
        Evaluation {
            indicator,
            stream: self.stream.name.clone(),
            limit,
            measured: None,
            interval: None,
            counts: None,
            verdict: Verdict::Pass,
            reason: None,
            note: None,
            evidence: None,
        }
    }

    /// What rests on shares of samples.
    pub(super) fn shares(&self, baseline: &Baseline) -> Vec<Evaluation> {
        [self.error_rate(), self.latency(baseline)].into_iter().flatten().collect()
    }

    pub(super) fn error_rate(&self) -> Option<Evaluation> {
        let limit = self.objectives.error_rate?.ratio();
        let answers: Vec<Answer> =
            self.in_phase(Phase::Chaos).map(|sample| Answer::of(sample, !sample.is_good())).collect();
        let request = self.stream.kind == StreamKind::Request;
        if request && answers.is_empty() {
            return None;
        }
        let indicator = if request { Indicator::RequestErrorRate } else { Indicator::ErrorRate };
        let mut evaluation = self.evaluation(indicator, Figure::Share(limit));
        self.by_count(&mut evaluation, &answers, limit);
        let (bad, of) = evaluation.counts.unwrap_or_default();
        let seen = Proportion::new(bad, of);
        let (low, high) = seen.interval(self.tail);
        evaluation.measured = Some(Figure::Share(seen.estimate()));
        evaluation.interval = Some((Figure::Share(low), Figure::Share(high)));
        if request && evaluation.verdict == Verdict::Inconclusive {
            // A body makes as many requests as it likes. They can break the objective; a few of them that do not are
            // no reason to doubt what the probes have shown.
            evaluation.verdict = Verdict::Pass;
            evaluation.reason = None;
            evaluation.note = Some("too few to judge".into());
        }
        Some(evaluation)
    }

    pub(super) fn latency(&self, baseline: &Baseline) -> Option<Evaluation> {
        let allowed = self.objectives.latency_degradation?;
        let mut evaluation =
            self.evaluation(Indicator::LatencyDegradation, Figure::Seconds(allowed.as_secs_f64()));
        let list = latencies(self.in_phase(Phase::Chaos), self.stream.timeout);
        let over = |value: Duration| Figure::Seconds(value.as_secs_f64() - baseline.p95.as_secs_f64());
        if let Some(q) = quantile(&list, 0.95, self.tail) {
            evaluation.measured = Some(over(q.estimate));
            evaluation.interval =
                q.lower.map(|low| (over(low), over(q.upper.unwrap_or(*list.last().unwrap_or(&low)))));
        }
        // p95(chaos) ≤ b + L is the same as: at most 5 % of samples take longer than b + L.
        let bound = baseline.p95.saturating_add(allowed);
        let timeout = self.stream.timeout;
        let answers: Vec<Answer> = self
            .in_phase(Phase::Chaos)
            .filter_map(|sample| Some(Answer::of(sample, latency_of(sample, timeout)? > bound)))
            .collect();
        self.by_count(&mut evaluation, &answers, 0.05);
        if list.is_empty() {
            // Nothing answered at all. That is the error rate's business; there is no latency to judge.
            evaluation.note = Some("nothing answered".into());
        }
        Some(evaluation)
    }

    pub(super) fn outages(&self) -> Vec<Outage> {
        let Some((from, to)) = self.marks.exposed() else { return Vec::new() };
        let bad_share = self.objectives.error_rate.map_or(0.05, |limit| limit.ratio());
        outages(self.stream, from, to, self.objectives.recovery.stable_for(), bad_share)
    }

    pub(super) fn worst_time_to_recover(&self, outages: &[Outage]) -> Option<Evaluation> {
        let limit = self.objectives.time_to_recover?;
        let mut evaluation =
            self.evaluation(Indicator::WorstTimeToRecover, Figure::Seconds(limit.as_secs_f64()));
        let ended = self.marks.ended.unwrap_or_default();
        let Some(worst) = outages.iter().max_by_key(|outage| outage.length(ended)) else {
            evaluation.note = Some("no outage".into());
            return Some(evaluation);
        };
        if worst.end.is_none() {
            evaluation.note = Some("still down at the end".into());
        }
        self.by_time(&mut evaluation, worst.length(ended), limit, worst.end.is_none());
        Some(evaluation)
    }

    pub(super) fn availability(&self, outages: &[Outage]) -> Option<Evaluation> {
        let limit = self.objectives.availability?.ratio();
        let (from, to) = self.marks.exposed()?;
        let whole = to.saturating_sub(from).as_secs_f64();
        let mut evaluation = self.evaluation(Indicator::Availability, Figure::Share(limit));
        let down: f64 = outages.iter().map(|outage| outage.length(to).as_secs_f64()).sum();
        let share = |down: f64| if whole > 0.0 { (1.0 - down / whole).clamp(0.0, 1.0) } else { 0.0 };
        // Each outage is known to within one interval.
        let slack = self.stream.interval.as_secs_f64() * outages.len() as f64;
        let (low, high) = (share(down + slack), share(down - slack));
        evaluation.measured = Some(Figure::Share(share(down)));
        evaluation.interval = (!outages.is_empty()).then_some((Figure::Share(low), Figure::Share(high)));
        if low >= limit {
            evaluation.verdict = Verdict::Pass;
        } else if high < limit {
            evaluation.verdict = Verdict::Fail;
        } else {
            evaluation.verdict = Verdict::Inconclusive;
            evaluation.reason = Some(Reason::WithinResolution);
        }
        Some(evaluation)
    }

    /// An outage that began after recovery had been declared.
    pub(super) fn relapse<'o>(&self, outages: &'o [Outage], recovery: Duration) -> Option<&'o Outage> {
        let recovered = self.marks.removed?.saturating_add(recovery);
        outages.iter().find(|outage| outage.start > recovered)
    }

    pub(super) fn recovery_time(&self, baseline: &Baseline, outages: &[Outage]) -> Option<Evaluation> {
        let limit = self.objectives.recovery.time?;
        let mut evaluation = self.evaluation(Indicator::RecoveryTime, Figure::Seconds(limit.as_secs_f64()));
        match recovery(self.stream, baseline, self.marks, self.objectives)? {
            RecoveryTime::After(time) => {
                self.by_time(&mut evaluation, time, limit, false);
                if self.relapse(outages, time).is_some() {
                    evaluation.note = Some("and then down again".into());
                    evaluation.verdict = Verdict::Fail;
                    evaluation.reason = None;
                }
            }
            RecoveryTime::NotWithin(watched) => {
                evaluation.measured = Some(Figure::Seconds(watched.as_secs_f64()));
                evaluation.note = Some("not recovered when the watch ended".into());
                evaluation.verdict = Verdict::Fail;
            }
        }
        Some(evaluation)
    }

    /// A time is known to one interval either way; a censored one is at least what was seen.
    fn by_time(&self, evaluation: &mut Evaluation, time: Duration, limit: Duration, censored: bool) {
        let step = self.stream.interval;
        let high = if censored { Duration::MAX } else { time.saturating_add(step) };
        evaluation.measured = Some(Figure::Seconds(time.as_secs_f64()));
        if !censored {
            let low = time.saturating_sub(step).as_secs_f64();
            evaluation.interval = Some((Figure::Seconds(low), Figure::Seconds(high.as_secs_f64())));
        }
        if high <= limit {
            evaluation.verdict = Verdict::Pass;
        } else if time.saturating_sub(step) > limit {
            evaluation.verdict = Verdict::Fail;
        } else {
            evaluation.verdict = Verdict::Inconclusive;
            evaluation.reason = Some(if censored { Reason::StillDown } else { Reason::WithinResolution });
        }
    }
}
