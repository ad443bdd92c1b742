use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::NonRecovery;
use crate::model::{AbortCause, Phase, Stage};
use crate::units::show_duration;

/// What a run comes to. Ordered: a suite's verdict is its worst.
///
/// ```
/// use chaos_test::slo::Verdict;
///
/// let suite = [Verdict::Pass, Verdict::Inconclusive, Verdict::Skipped];
/// assert_eq!(suite.into_iter().max(), Some(Verdict::Inconclusive));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    /// Nothing was injected, because that was asked for: a dry run. It says nothing about resilience, so a suite with any
    /// other verdict has that one.
    Skipped,
    /// The fault was there and every objective held.
    Pass,
    /// The run cannot tell; a reason says why.
    Inconclusive,
    /// An objective was broken, or the test body failed.
    Fail,
    /// A guard stopped the run.
    Aborted,
    /// The experiment could not be carried out.
    Error,
}

impl Verdict {
    /// As records name it: `inconclusive`.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Skipped => "skipped",
            Self::Pass => "pass",
            Self::Inconclusive => "inconclusive",
            Self::Fail => "fail",
            Self::Aborted => "aborted",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Skipped => "Skipped",
            Self::Pass => "Pass",
            Self::Inconclusive => "Inconclusive",
            Self::Fail => "Fail",
            Self::Aborted => "Aborted",
            Self::Error => "Error",
        })
    }
}

/// Why a verdict is not Pass.
///
/// ```
/// use chaos_test::report::Report;
/// use chaos_test::slo::Reason;
///
/// // Whether the same test with more samples could tell.
/// fn wants_more_samples(report: &Report) -> bool {
///     report.judgement.reasons.iter().any(|reason| matches!(reason, Reason::NeedsMoreSamples { more: Some(_) }))
/// }
/// assert_eq!(Reason::NeedsMoreSamples { more: Some(60) }.to_string(), "needs about 60 more probes");
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// Nothing was to be injected; why, in a few words: `dry run`. More may follow after a colon.
    Skipped(String),
    /// The service broke its objectives before any fault; nothing was injected.
    BaselineUnhealthy(String),
    /// The witness saw no fault, or less than half of the dose asked for.
    FaultNotDelivered(String),
    /// The samples cannot decide an objective.
    NeedsMoreSamples {
        /// About how many more would, at the share seen so far; `None` if it sits on the limit.
        more: Option<u64>,
    },
    /// A measured time is within its resolution of the limit.
    WithinResolution,
    /// The samples were not sent on time, so they say more about this host than about the service.
    ProberStarved {
        /// The stream concerned.
        stream: String,
        /// The phase concerned.
        phase: Phase,
        /// The lag behind the schedule: its 99th percentile in the chaos phase, its 95th in the others.
        lag: Duration,
        /// What it may be at most: the interval of the stream.
        interval: Duration,
    },
    /// The host, and not the service, was late: in the baseline for so much of it that nobody can say what is normal, or
    /// later, and without what it took from the samples the objective would not be broken.
    NoisyHost {
        /// The stream concerned.
        stream: String,
        /// The baseline; or the chaos phase, which stands for all that came after it.
        phase: Phase,
        /// How late the host was at most.
        lag: Duration,
        /// In how many windows of a quarter of a second it was too late.
        windows: u64,
        /// Of how many.
        of: u64,
        /// The mean share of time in which somebody waited for a processor, from 0 to 1; absent where that is not known.
        pressure: Option<f64>,
        /// The mean share of processor time that other machines on the same iron took.
        steal: Option<f64>,
    },
    /// A service was not back when the watch ended, and not yet away for as long as it may be.
    StillDown,
    /// Nothing was measured: no probe and no repeated body.
    NoSamples,
    /// An endpoint with bounds of its own saw no request, or answered none; which, in a sentence.
    NoRequests(String),
    /// An objective was broken; the evaluations tell which.
    ObjectiveBroken,
    /// The fault was seen gone, and the service was out of its baseline when the watch ended. The watch was long enough to
    /// say so.
    Metastable {
        /// The stream concerned.
        stream: String,
        /// How it stays away.
        kind: NonRecovery,
        /// From the fault's removal to the end of the watch.
        lasting: Duration,
        /// The 95th percentile of latency in the last stable window of the watch; absent where nothing answered.
        p95: Option<Duration>,
        /// The baseline's.
        normal_p95: Duration,
        /// Bad samples in that window.
        bad: u64,
        /// Of how many.
        of: u64,
    },
    /// A service went down again after it had recovered.
    Relapse {
        /// The stream concerned.
        stream: String,
        /// How long it had been back.
        after: Duration,
        /// How long it was down then.
        lasting: Duration,
        /// Whether that was over when the watch ended.
        over: bool,
    },
    /// The test body returned an error, panicked or did not end.
    BodyFailed(String),
    /// The run was stopped before its time.
    Aborted(AbortCause),
    /// The experiment could not be carried out, or not be cleaned up after.
    CouldNotRun(Stage, String),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Skipped(why) => write!(f, "{why}: nothing was injected"),
            Self::BaselineUnhealthy(why) => write!(f, "baseline unhealthy: {why}"),
            Self::FaultNotDelivered(why) => write!(f, "fault not delivered: {why}"),
            Self::NeedsMoreSamples { more: Some(more) } => write!(f, "needs about {more} more probes"),
            Self::NeedsMoreSamples { more: None } => {
                f.write_str("needs far more probes: the share seen is too close to the limit")
            }
            Self::WithinResolution => {
                f.write_str("too close to call: within one probe interval of the limit")
            }
            Self::ProberStarved { stream, phase, lag, interval } => write!(
                f,
                "prober starved: {stream} ran {} behind its schedule at {} of the {phase} phase, more than its \
                 interval of {}",
                show_duration(*lag),
                if *phase == Phase::Chaos { "p99" } else { "p95" },
                show_duration(*interval)
            ),
            Self::NoisyHost { stream, phase: Phase::Baseline, lag, windows, of, pressure, steal } => write!(
                f,
                "noisy host: the host was late by up to {} in the baseline, too late in {windows} of {of} quarter seconds{}, so \
                 what is normal for {stream} cannot be told",
                show_duration(*lag),
                show_load(*pressure, *steal)
            ),
            Self::NoisyHost { stream, lag, windows, of, pressure, steal, .. } => write!(
                f,
                "noisy host: without what the host took from the samples of {stream} this would not be broken; it was \
                 late by up to {}, in {windows} of {of} quarter seconds{}",
                show_duration(*lag),
                show_load(*pressure, *steal)
            ),
            Self::StillDown => f.write_str(
                "not back when the watch ended, which was too soon to say that it takes longer than allowed",
            ),
            Self::NoSamples => {
                f.write_str("nothing was measured: add a probe to the environment or `repeat` to the test")
            }
            Self::NoRequests(why) => write!(f, "no samples: {why}"),
            Self::ObjectiveBroken => f.write_str("an objective was broken"),
            Self::Metastable { stream, kind, lasting, p95, normal_p95, bad, of } => {
                let lasting = show_duration(*lasting);
                write!(f, "metastable: {stream} still {kind} {lasting} after the fault was gone (")?;
                match (kind, p95) {
                    (NonRecovery::Slow, Some(p95)) => {
                        write!(f, "p95 {}, baseline {})", show_duration(*p95), show_duration(*normal_p95))
                    }
                    _ => write!(f, "{bad} of its last {of} samples bad)"),
                }
            }
            Self::Relapse { stream, after, lasting, over } => {
                let end = if *over { "" } else { ", not seen to be over when the watch ended" };
                let (after, lasting) = (show_duration(*after), show_duration(*lasting));
                write!(
                    f,
                    "relapse: {stream} went down again {after} after it had recovered, for {lasting}{end}"
                )
            }
            Self::BodyFailed(why) => write!(f, "the test body failed: {why}"),
            Self::Aborted(cause) => cause.fmt(f),
            Self::CouldNotRun(stage, why) if why.is_empty() => stage.fmt(f),
            Self::CouldNotRun(Stage::Killed, why) => f.write_str(why),
            Self::CouldNotRun(stage, why) => write!(f, "{stage}: {why}"),
        }
    }
}

impl Reason {
    /// The few words that stand in `Inconclusive(…)`. Of a process that was killed there is no more to tell than the
    /// message, so it stands there whole.
    pub fn label(&self) -> String {
        match self {
            Self::Skipped(why) => why.split(": ").next().unwrap_or_default().into(),
            Self::BaselineUnhealthy(_) => "baseline unhealthy".into(),
            Self::FaultNotDelivered(_) => "fault not delivered".into(),
            Self::ProberStarved { .. } => "prober starved".into(),
            Self::NoisyHost { .. } => "noisy host".into(),
            Self::NoSamples | Self::NoRequests(_) => "no samples".into(),
            Self::StillDown => "still down at the end".into(),
            Self::ObjectiveBroken => "objective broken".into(),
            Self::Metastable { .. } => "metastable".into(),
            Self::Relapse { .. } => "relapse".into(),
            Self::BodyFailed(_) => "body failed".into(),
            Self::Aborted(cause) => cause.label().into(),
            Self::CouldNotRun(Stage::Killed, why) if !why.is_empty() => why.clone(),
            Self::CouldNotRun(stage, _) => stage.to_string(),
            Self::NeedsMoreSamples { more: None } => "needs far more probes".into(),
            Self::WithinResolution => "too close to call".into(),
            Self::NeedsMoreSamples { more: Some(_) } => self.to_string(),
        }
    }
}

/// `, CPU pressure 71 %, 3 % of its time stolen`, as far as it is known; what is nothing is not told.
pub(crate) fn show_load(pressure: Option<f64>, steal: Option<f64>) -> String {
    let percent = |share: Option<f64>| share.filter(|share| *share >= 0.005).map(|share| share * 100.0);
    let pressure = percent(pressure).map(|share| format!(", CPU pressure {share:.0} %"));
    let steal = percent(steal).map(|share| format!(", {share:.0} % of its time stolen"));
    pressure.unwrap_or_default() + &steal.unwrap_or_default()
}

/// Something worth telling. It decides nothing: where a finding fails a run, there is a reason that says so.
///
/// ```
/// use chaos_test::report::Report;
/// use chaos_test::slo::Finding;
///
/// // A pass that shows little: perhaps the fault is not on the path that is measured.
/// fn shows_little(report: &Report) -> bool {
///     report.passed() && report.judgement.findings.contains(&Finding::NoVisibleEffect)
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Finding {
    /// The fault was proven, and neither errors nor latency moved.
    NoVisibleEffect,
    /// A service went down again after it had recovered.
    Relapse,
    /// The fault is proven gone and the service was still out of its baseline when the watch ended. The reason has the
    /// figures.
    Metastable {
        /// The stream concerned.
        stream: String,
        /// How it stays away.
        kind: NonRecovery,
    },
    /// The fault is proven gone and recovery was not seen, but the watch was too short to say more, or service had just
    /// come back; of records of format 1 also what is metastable now.
    StillBad,
    /// Much more of the fault was measured than asked for.
    Overdose,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Metastable { stream, kind } => {
                return write!(f, "metastable: the fault is gone and {stream} is still {kind}");
            }
            Self::NoVisibleEffect => "the fault had no visible effect",
            Self::Relapse => "a service went down again after it had recovered",
            Self::StillBad => "the fault is gone and the service has not come back to its baseline",
            Self::Overdose => "the fault measured is more than 1.5 times the fault asked for",
        })
    }
}
