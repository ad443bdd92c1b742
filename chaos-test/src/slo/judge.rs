use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::custom::custom;
use super::endpoint::{endpoints, further_counts};
use super::evaluate::Subject;
use super::figures::{StreamFigures, figures};
use super::severity::warnings;
use super::{
    Baseline, Evaluation, Finding, Proof, Reason, RecoveryTime, Rules, Verdict, baseline, noise, proof,
    too_late,
};
use crate::model::{BodyEnd, Objectives, Phase, Severity, Stage, StreamKind, Trace};
use crate::units::show_duration;

/// The error allowed per scenario: how often a service that meets its objectives may be failed by chance.
/// It is shared evenly over the objectives that rest on counts.
///
/// ```
/// use chaos_test::slo::ALPHA;
/// use chaos_test::stats::{Decision, Proportion};
///
/// // Errors and slow answers of one stream: two objectives. So many flawless samples show 5 % or less.
/// let decide = |samples| Proportion::new(0, samples).decide(0.05, ALPHA / 2.0);
/// assert_eq!((decide(148), decide(149)), (Decision::Unclear, Decision::Within));
/// ```
pub const ALPHA: f64 = 0.001;

/// A verdict with everything it rests on.
///
/// ```
/// use chaos_test::slo::Judgement;
///
/// // `Fail: error rate of app, recovery time of app`
/// fn summary(judgement: &Judgement) -> String {
///     let broken = judgement.broken().into_iter().map(|one| format!("{} of {}", one.indicator, one.stream));
///     let broken: Vec<String> = broken.collect();
///     if broken.is_empty() { judgement.label() } else { format!("{}: {}", judgement.label(), broken.join(", ")) }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// Why it is not Pass, the weightiest first.
    pub reasons: Vec<Reason>,
    /// Every objective held against every judged stream.
    pub evaluations: Vec<Evaluation>,
    /// The confidence of the printed intervals, from 0 to 1.
    pub confidence: f64,
    /// What normal was and what went down, per judged stream.
    pub streams: Vec<StreamFigures>,
    /// Things worth telling that decide nothing.
    pub findings: Vec<Finding>,
    /// What the verdict would be if all had been cleaned up; absent where nothing was left behind.
    #[serde(default)]
    pub apart_from_cleanup: Option<Verdict>,
}

/// Judges a run.
///
/// The order of precedence: a run that could not be carried out, or left something behind, is `Error`; one that was
/// stopped is `Aborted`; an unhealthy baseline, a fault that is not proven, a starved prober make it `Inconclusive`
/// whatever the numbers say (a failing body still fails); a dry run that went well until there, or a test whose host lacks
/// something, is `Skipped`; else the worst of the evaluations and the body.
///
/// What was left behind takes nothing from what was measured before: the rest is judged as if it were not there.
///
/// ```
/// use chaos_test::model::{Catalogue, Trace};
/// use chaos_test::slo::{Judgement, judge};
///
/// // What a run would have come to by the objectives of production.
/// fn in_production(trace: &Trace) -> Judgement {
///     let production = Catalogue::builtin().profile(Some("production")).expect("it is built in");
///     judge(trace, &production.objectives)
/// }
/// assert_eq!(in_production(&Trace::default()).label(), "Inconclusive(no samples)");
/// ```
pub fn judge(trace: &Trace, objectives: &Objectives) -> Judgement {
    judge_by(trace, objectives, Rules::CURRENT)
}

/// The same by the rules of a time.
///
/// ```
/// use chaos_test::report::Report;
/// use chaos_test::slo::{Rules, judge_by};
///
/// // Whether the rules of today come to another verdict than those of the record's own time.
/// fn is_judged_otherwise_today(report: &Report) -> bool {
///     let by = |rules| judge_by(&report.trace, &report.slo.objectives, rules).verdict;
///     by(Rules::of_format(report.format_version)) != by(Rules::CURRENT)
/// }
/// ```
pub fn judge_by(trace: &Trace, objectives: &Objectives, rules: Rules) -> Judgement {
    let mut judgement = apart_from_cleanup(trace, objectives, rules);
    let failed = trace.trouble.iter().filter(|trouble| trouble.stage == Stage::Cleanup);
    let left: Vec<&str> =
        failed.map(|trouble| &trouble.message).chain(&trace.residue).map(String::as_str).collect();
    if !left.is_empty() {
        judgement.apart_from_cleanup = Some(judgement.verdict);
        judgement.verdict = Verdict::Error;
        judgement.reasons.insert(0, Reason::CouldNotRun(Stage::Cleanup, left.join("; ")));
    }
    judgement
}

fn apart_from_cleanup(trace: &Trace, objectives: &Objectives, rules: Rules) -> Judgement {
    let trouble = trace.trouble.as_ref().filter(|trouble| trouble.stage != Stage::Cleanup);
    // Such a run has not come to where the rest of it would mean anything.
    let cut_short = trouble.is_some() || trace.abort.is_some();
    let mut judgement = Judgement {
        verdict: Verdict::Pass,
        reasons: Vec::new(),
        evaluations: Vec::new(),
        confidence: 1.0 - ALPHA,
        streams: Vec::new(),
        findings: Vec::new(),
        apart_from_cleanup: None,
    };
    if let Some(trouble) = trouble {
        judgement.push(Verdict::Error, Reason::CouldNotRun(trouble.stage, trouble.message.clone()));
    }
    if let Some(abort) = &trace.abort {
        judgement.push(Verdict::Aborted, Reason::Aborted(abort.cause.clone()));
    }
    match &trace.body {
        Some(BodyEnd::Failed(why)) => judgement.push(Verdict::Fail, Reason::BodyFailed(why.clone())),
        Some(BodyEnd::Panicked(why)) => {
            judgement.push(Verdict::Fail, Reason::BodyFailed(format!("panicked at {why}")))
        }
        Some(BodyEnd::TimedOut(after)) => judgement.push(
            Verdict::Fail,
            Reason::BodyFailed(format!("still running {} after it started", show_duration(*after))),
        ),
        Some(BodyEnd::Ok) | None => {}
    }
    let scheduled = trace.streams.iter().filter(|stream| stream.kind.is_scheduled()).count();
    // What was skipped before it was started has no streams at all.
    let unstarted = trace.skipped.is_some() && trace.streams.is_empty();
    if scheduled == 0 && !cut_short && !unstarted {
        judgement.push(Verdict::Inconclusive, Reason::NoSamples);
        return judgement;
    }
    // Before anything is said about the baseline: samples that were late say nothing about the service.
    judgement.starvation(trace, objectives);
    let baselines = match baseline(trace, objectives) {
        Ok(baselines) => baselines,
        Err(why) => {
            if !cut_short {
                judgement.push(Verdict::Inconclusive, Reason::BaselineUnhealthy(why));
            }
            return judgement;
        }
    };
    if trace.marks.injected.is_none() && cut_short {
        return judgement;
    }
    if let Some(why) = &trace.skipped
        && trace.marks.injected.is_none()
    {
        judgement.skip(why);
        return judgement;
    }
    if trace.marks.injected.is_some() {
        judgement.evaluate(trace, objectives, &baselines, rules);
        noise::excuse(&mut judgement, trace, |again, trace| {
            again.evaluate(trace, objectives, &baselines, rules)
        });
    }
    match proof(trace.delivery.as_ref(), &trace.marks) {
        // Stopped in its first moments, a run has no three readings yet.
        Proof::Missing(_) if trace.abort.is_some() => {}
        Proof::Missing(why) => judgement.push(Verdict::Inconclusive, Reason::FaultNotDelivered(why)),
        Proof::Delivered { overdose } => {
            judgement.findings.extend(overdose.then_some(Finding::Overdose));
            if !cut_short {
                judgement.find();
                judgement.find_lasting(trace, objectives, &baselines, rules);
            }
        }
    }
    judgement.settle();
    judgement
}

impl Judgement {
    pub(super) fn push(&mut self, verdict: Verdict, reason: Reason) {
        self.verdict = self.verdict.max(verdict);
        self.reasons.push(reason);
    }

    /// A run that was meant to inject nothing. What went wrong until there outweighs it.
    fn skip(&mut self, why: &str) {
        if self.verdict == Verdict::Pass {
            self.verdict = Verdict::Skipped;
        }
        self.reasons.push(Reason::Skipped(why.to_owned()));
    }

    pub(super) fn evaluate(
        &mut self,
        trace: &Trace,
        objectives: &Objectives,
        baselines: &[Baseline],
        rules: Rules,
    ) {
        let repeated = is_repeated(trace);
        let tail = tails(trace, objectives, baselines.len());
        self.confidence = 1.0 - 2.0 * tail;
        let (bounds, severity) = (&objectives.bounds(), Severity::Blocking);
        let subject =
            |stream| Subject { stream, trace, objectives, bounds, severity, tail, on_the_way: false, rules };
        let mut normals = baselines.iter();
        for stream in &trace.streams {
            let subject = subject(stream);
            if !stream.kind.is_scheduled() {
                // A repeated body's requests are inside its transactions, which are judged already.
                if stream.kind == StreamKind::Request && !repeated {
                    self.evaluations.extend(subject.error_rate());
                }
                continue;
            }
            let Some(normal) = normals.next() else { continue };
            let outages = subject.outages();
            self.evaluations.extend(subject.all(normal, &outages));
            self.streams.push(figures(&subject, *normal, outages, trace));
        }
        self.evaluations.extend(endpoints(trace, objectives, (&bounds.endpoints, severity), tail));
        self.evaluations.extend(custom(trace));
        self.evaluations.extend(warnings(trace, objectives, baselines, (tail, rules)));
    }

    fn find(&mut self) {
        let moved = self.streams.iter().any(|stream| {
            let slow = match (&stream.baseline, stream.chaos_latency) {
                // More than a tenth and a millisecond beyond; a damaged record may hold any time.
                (Some(normal), Some((_, p95, _))) => {
                    p95.saturating_sub(Duration::from_millis(1)) > normal.p99.saturating_add(normal.p99 / 10)
                }
                _ => true,
            };
            let back = matches!(stream.recovery_time, None | Some(RecoveryTime::After(_)));
            slow || !back || !stream.outages.is_empty() || stream.chaos.1 > 0
        });
        // The body's own requests are in no stream that has a baseline.
        let requests = |e: &Evaluation| e.indicator.is_of_requests() && e.verdict == Verdict::Fail;
        if !moved && !self.evaluations.iter().any(requests) {
            self.findings.push(Finding::NoVisibleEffect);
        }
    }

    fn starvation(&mut self, trace: &Trace, objectives: &Objectives) {
        for reason in too_late(trace, objectives) {
            self.push(Verdict::Inconclusive, reason);
        }
    }

    /// Whether the evaluations decide nothing: the fault is not proven, the samples say more about this host, or the
    /// experiment was not carried out to its end. (A clean-up that failed came after them.)
    pub fn is_void(&self) -> bool {
        self.reasons.iter().any(|reason| match reason {
            Reason::FaultNotDelivered(_) | Reason::ProberStarved { .. } | Reason::Aborted(_) => true,
            Reason::NoisyHost { phase, .. } => *phase == Phase::Baseline,
            Reason::CouldNotRun(stage, _) => *stage != Stage::Cleanup,
            _ => false,
        })
    }

    /// Adds what the evaluations come to, unless something has already taken the ground from under them.
    fn settle(&mut self) {
        if self.is_void() {
            return;
        }
        let deciding = || self.evaluations.iter().filter(|evaluation| evaluation.decides());
        let worst = deciding().map(|evaluation| evaluation.verdict).max().unwrap_or(Verdict::Pass);
        match worst {
            Verdict::Fail => {
                self.verdict = self.verdict.max(Verdict::Fail);
                self.reasons.insert(0, Reason::ObjectiveBroken);
            }
            Verdict::Inconclusive => {
                let why = deciding().find_map(|evaluation| evaluation.reason.clone());
                self.push(Verdict::Inconclusive, why.unwrap_or(Reason::WithinResolution));
            }
            _ => {}
        }
    }

    /// The broken objectives, causes before effects. None when the evaluations [are void](Self::is_void).
    pub fn broken(&self) -> Vec<&Evaluation> {
        self.past_bounds(Severity::Blocking)
    }

    /// The verdict with its reason, as in `Inconclusive(fault not delivered)`.
    pub fn label(&self) -> String {
        let reason = match self.verdict {
            Verdict::Skipped | Verdict::Inconclusive | Verdict::Error | Verdict::Aborted => self.weightiest(),
            Verdict::Fail => self.lasting().first().copied(),
            Verdict::Pass => None,
        };
        match reason {
            Some(reason) => format!("{}({})", self.verdict, reason.label()),
            None => self.verdict.to_string(),
        }
    }

    /// The reason that decided the verdict.
    pub fn weightiest(&self) -> Option<&Reason> {
        let could_not = |reason: &&Reason| matches!(reason, Reason::CouldNotRun(..));
        let aborted = |reason: &&Reason| matches!(reason, Reason::Aborted(_));
        let found = self.reasons.iter().find(could_not).or_else(|| self.reasons.iter().find(aborted));
        found.or_else(|| self.reasons.first())
    }

    /// The same judgement as if all had been cleaned up, where something was left behind.
    pub fn without_cleanup(&self) -> Option<Self> {
        let verdict = self.apart_from_cleanup?;
        let mut rest = Self { verdict, apart_from_cleanup: None, ..self.clone() };
        rest.reasons.retain(|reason| !matches!(reason, Reason::CouldNotRun(Stage::Cleanup, _)));
        Some(rest)
    }
}

fn is_repeated(trace: &Trace) -> bool {
    trace.streams.iter().any(|stream| stream.kind == StreamKind::Transaction)
}

/// The error allowed on each side of a decision about a share, where so many streams have a baseline.
pub(super) fn tails(trace: &Trace, objectives: &Objectives, baselines: usize) -> f64 {
    let asked_requests =
        trace.streams.iter().filter(|s| s.kind == StreamKind::Request && !s.samples.is_empty()).count();
    let counts = 2 * baselines + if is_repeated(trace) { 0 } else { asked_requests };
    let counts = counts + further_counts(trace, objectives);
    ALPHA / counts.max(1) as f64
}
