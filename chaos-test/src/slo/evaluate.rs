use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::baseline::latencies;
use super::curve::bad_share;
use super::endpoint::{error_rate_of, has_throughput};
use super::evidence::EvidenceTrail;
use super::outage::may_have_ended;
use super::recovery::{recovery, recovery_at_least};
use super::{Baseline, Indicator, Outage, Reason, RecoveryTime, Rules, Verdict, outages};
use crate::model::{Bounds, Marks, Objectives, Phase, Sample, Severity, Stream, StreamKind, Trace};
use crate::stats::{Proportion, Quantile, quantile};

/// A number with its unit.
///
/// ```
/// use chaos_test::slo::Figure;
///
/// let show = |figure: Figure| match figure {
///     Figure::Share(share) => format!("{:.1} %", share * 100.0),
///     Figure::Seconds(seconds) => format!("{seconds:.3} s"),
///     Figure::PerSecond(rate) => format!("{rate:.1}/s"),
///     other => format!("{other:?}"),
/// };
/// assert_eq!(show(Figure::Share(0.025)), "2.5 %");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Figure {
    /// From 0 to 1.
    Share(f64),
    /// May be negative (a degradation can be an improvement).
    Seconds(f64),
    /// How often a second.
    PerSecond(f64),
    /// Whether an objective of the test's own holds.
    Holds(bool),
}

/// One objective held against one stream.
///
/// ```
/// use chaos_test::slo::Evaluation;
///
/// // `p95 latency of app: Fail, 31 of 400 samples`
/// fn line(one: &Evaluation) -> String {
///     let counts = one.counts.map(|(bad, of)| format!(", {bad} of {of} samples")).unwrap_or_default();
///     let warns = if one.decides() { "" } else { " (a warning)" };
///     format!("{} of {}: {}{counts}{warns}", one.indicator, one.stream, one.verdict)
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Evaluation {
    /// What is judged.
    pub indicator: Indicator,
    /// The stream it was measured on; of an objective of the test's own, its name.
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
    /// Whether it decides. A warning that is broken has the verdict Fail, and the run need not.
    #[serde(default)]
    pub severity: Severity,
    /// What the samples came to as they came in, where they could decide on the way.
    #[serde(default)]
    pub evidence: Option<EvidenceTrail>,
}

impl Evaluation {
    /// One that passes, of which nothing is known yet.
    pub(super) fn new(indicator: Indicator, stream: &str, limit: Figure, severity: Severity) -> Self {
        Self {
            indicator,
            stream: stream.to_owned(),
            limit,
            measured: None,
            interval: None,
            counts: None,
            verdict: Verdict::Pass,
            reason: None,
            note: None,
            severity,
            evidence: None,
        }
    }

    /// Whether the verdict of the run rests on it.
    pub fn decides(&self) -> bool {
        self.severity == Severity::Blocking
    }
}

/// What the evaluations of one stream rest on.
pub(super) struct Subject<'a> {
    pub(super) stream: &'a Stream,
    pub(super) trace: &'a Trace,
    /// What an outage is and what normal is.
    pub(super) objectives: &'a Objectives,
    /// What is judged by.
    pub(super) bounds: &'a Bounds,
    pub(super) severity: Severity,
    /// The error allowed on each side of a statistical decision.
    pub(super) tail: f64,
    /// Whether this is asked several times a second, only to know what is decided: then no figures for people are worked out,
    /// which take a hundred times as long.
    pub(super) on_the_way: bool,
    pub(super) rules: Rules,
}

impl Subject<'_> {
    pub(super) fn marks(&self) -> &Marks {
        &self.trace.marks
    }

    pub(super) fn in_phase(&self, phase: Phase) -> impl Iterator<Item = &Sample> {
        self.stream.samples.iter().filter(move |sample| self.marks().phase_of(sample.at) == Some(phase))
    }

    /// The interval of a share, for people.
    pub(super) fn interval(&self, seen: Proportion) -> Option<(f64, f64)> {
        (!self.on_the_way).then(|| seen.interval(self.tail))
    }

    /// A quantile of these, with its interval, for people.
    pub(super) fn quantile(&self, sorted: &[Duration], share: f64) -> Option<Quantile<Duration>> {
        if self.on_the_way { None } else { quantile(sorted, share, self.tail) }
    }

    pub(super) fn evaluation(&self, indicator: Indicator, limit: Figure) -> Evaluation {
        Evaluation::new(indicator, &self.stream.name, limit, self.severity)
    }

    /// How many samples of the chaos phase there are.
    pub(super) fn chaos_samples(&self) -> usize {
        self.in_phase(Phase::Chaos).count()
    }

    /// Every bound against a stream that has a schedule.
    pub(super) fn all(&self, normal: &Baseline, outages: &[Outage]) -> Vec<Evaluation> {
        let usual = [
            self.error_rate(),
            self.availability(outages),
            self.worst_time_to_recover(outages),
            self.recovery_time(normal, outages),
            self.latency(normal),
        ];
        usual.into_iter().flatten().chain(self.further_shares()).collect()
    }

    /// What rests on shares of samples.
    pub(super) fn shares(&self, normal: &Baseline) -> Vec<Evaluation> {
        let usual = [self.error_rate(), self.latency(normal)];
        usual.into_iter().flatten().chain(self.further_shares()).collect()
    }

    fn further_shares(&self) -> Vec<Evaluation> {
        let carried = has_throughput(self.stream, self.trace).then(|| self.throughput()).flatten();
        self.absolute_latency().into_iter().chain(carried).collect()
    }

    pub(super) fn error_rate(&self) -> Option<Evaluation> {
        let limit = self.bounds.error_rate?.ratio();
        let answers = self.bad_ones();
        let request = self.stream.kind == StreamKind::Request;
        if request && answers.is_empty() {
            return None;
        }
        let mut evaluation = self.evaluation(error_rate_of(self.stream.kind), Figure::Share(limit));
        self.by_count(&mut evaluation, &answers, limit);
        let (bad, of) = evaluation.counts.unwrap_or_default();
        let seen = Proportion::new(bad, of);
        evaluation.measured = Some(Figure::Share(seen.estimate()));
        evaluation.interval =
            self.interval(seen).map(|(low, high)| (Figure::Share(low), Figure::Share(high)));
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
        let allowed = self.bounds.latency_degradation?;
        let mut evaluation =
            self.evaluation(Indicator::LatencyDegradation, Figure::Seconds(allowed.as_secs_f64()));
        let list = latencies(self.in_phase(Phase::Chaos), self.stream.timeout);
        let over = |value: Duration| Figure::Seconds(value.as_secs_f64() - baseline.p95.as_secs_f64());
        if let Some(q) = self.quantile(&list, 0.95) {
            evaluation.measured = Some(over(q.estimate));
            evaluation.interval =
                q.lower.map(|low| (over(low), over(q.upper.unwrap_or(*list.last().unwrap_or(&low)))));
        }
        // p95(chaos) ≤ b + L is the same as: at most 5 % of samples take longer than b + L.
        let bound = baseline.p95.saturating_add(allowed);
        self.by_count(&mut evaluation, &self.slower_than(bound), 0.05);
        if list.is_empty() {
            // Nothing answered at all. That is the error rate's business; there is no latency to judge.
            evaluation.note = Some("nothing answered".into());
        }
        Some(evaluation)
    }

    pub(super) fn outages(&self) -> Vec<Outage> {
        let Some((from, to)) = self.marks().exposed() else { return Vec::new() };
        outages(self.stream, from, to, self.objectives.recovery.stable_for(), bad_share(self.objectives))
    }

    pub(super) fn worst_time_to_recover(&self, outages: &[Outage]) -> Option<Evaluation> {
        let limit = self.bounds.time_to_recover?;
        let mut evaluation =
            self.evaluation(Indicator::WorstTimeToRecover, Figure::Seconds(limit.as_secs_f64()));
        let Some(worst) = outages.iter().map(|outage| self.down_for_at_least(outage)).max() else {
            evaluation.note = Some("no outage".into());
            return Some(evaluation);
        };
        // Beside one that may last, the worst of those that ended is the least that the worst can be.
        let lasting = outages.iter().any(|outage| {
            outage.end.is_none() && (self.rules != Rules::First || self.down_for_at_least(outage) == worst)
        });
        if lasting {
            evaluation.note = Some("still down at the end".into());
        }
        self.by_time(&mut evaluation, worst, limit, lasting);
        Some(evaluation)
    }

    /// How long an outage lasted; the least that it can have if its end was not seen.
    pub(super) fn down_for_at_least(&self, outage: &Outage) -> Duration {
        let ended = self.marks().ended.unwrap_or_default();
        if outage.end.is_some() || self.rules == Rules::First {
            return outage.length(ended);
        }
        let stable_for = self.objectives.recovery.stable_for();
        may_have_ended(outage, self.stream, ended, stable_for, bad_share(self.objectives))
            .saturating_sub(outage.start)
    }

    pub(super) fn availability(&self, outages: &[Outage]) -> Option<Evaluation> {
        let limit = self.bounds.availability?.ratio();
        let (from, to) = self.marks().exposed()?;
        let whole = to.saturating_sub(from).as_secs_f64();
        let mut evaluation = self.evaluation(Indicator::Availability, Figure::Share(limit));
        // An outage whose end was not seen: at most to the end of the watch, at least to what may have been its end.
        let most: f64 = outages.iter().map(|outage| outage.length(to).as_secs_f64()).sum();
        let least: f64 = outages.iter().map(|outage| self.down_for_at_least(outage).as_secs_f64()).sum();
        let share = |down: f64| if whole > 0.0 { (1.0 - down / whole).clamp(0.0, 1.0) } else { 0.0 };
        // Each outage is known to within one interval.
        let slack = self.stream.interval.as_secs_f64() * outages.len() as f64;
        let (low, high) = (share(most + slack), share(least - slack));
        evaluation.measured = Some(Figure::Share(share(most)));
        evaluation.interval = (!outages.is_empty()).then_some((Figure::Share(low), Figure::Share(high)));
        if low >= limit {
            evaluation.verdict = Verdict::Pass;
        } else if high < limit {
            evaluation.verdict = Verdict::Fail;
        } else {
            evaluation.verdict = Verdict::Inconclusive;
            let until_seen = share(most - slack) < limit;
            evaluation.reason = Some(if until_seen { Reason::StillDown } else { Reason::WithinResolution });
        }
        Some(evaluation)
    }

    /// An outage that began after recovery had been declared.
    pub(super) fn relapse<'o>(&self, outages: &'o [Outage], recovery: Duration) -> Option<&'o Outage> {
        let recovered = self.marks().removed?.saturating_add(recovery);
        outages.iter().find(|outage| outage.start > recovered)
    }

    pub(super) fn recovery_time(&self, baseline: &Baseline, outages: &[Outage]) -> Option<Evaluation> {
        let limit = self.bounds.recovery_time?;
        let mut evaluation = self.evaluation(Indicator::RecoveryTime, Figure::Seconds(limit.as_secs_f64()));
        match recovery(self.stream, baseline, self.marks(), self.objectives)? {
            RecoveryTime::After(time) => {
                self.by_time(&mut evaluation, time, limit, false);
                if self.relapse(outages, time).is_some() {
                    evaluation.note = Some("and then down again".into());
                    evaluation.verdict = Verdict::Fail;
                    evaluation.reason = None;
                }
            }
            RecoveryTime::NotWithin(watched) => {
                evaluation.note = Some("not recovered when the watch ended".into());
                if self.rules == Rules::First {
                    evaluation.measured = Some(Figure::Seconds(watched.as_secs_f64()));
                    evaluation.verdict = Verdict::Fail;
                } else {
                    // A watch that was shorter than the limit has not seen it broken.
                    let seen = recovery_at_least(self.stream, baseline, self.marks(), self.objectives);
                    self.by_time(&mut evaluation, seen.unwrap_or(watched), limit, true);
                }
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
        if !censored && high <= limit {
            evaluation.verdict = Verdict::Pass;
        } else if time.saturating_sub(step) > limit {
            evaluation.verdict = Verdict::Fail;
        } else {
            evaluation.verdict = Verdict::Inconclusive;
            evaluation.reason = Some(if censored { Reason::StillDown } else { Reason::WithinResolution });
        }
    }
}
