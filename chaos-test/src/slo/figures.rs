use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::baseline::latencies;
use super::curve::{CurveStep, curve};
use super::evaluate::Subject;
use super::recovery::recovery;
use super::{Baseline, Outage, RecoveryTime};
use crate::model::{Phase, StreamKind, Trace};
use crate::stats::estimate;

/// Figures of one judged stream that no objective needs but people do.
///
/// ```
/// use chaos_test::slo::StreamFigures;
///
/// // How many times slower than normal the 95th percentile was under the fault.
/// fn slowdown(stream: &StreamFigures) -> Option<f64> {
///     let (_, p95, _) = stream.chaos_latency?;
///     Some(p95.as_secs_f64() / stream.baseline?.p95.as_secs_f64())
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct StreamFigures {
    /// The stream.
    pub name: String,
    /// What one sample of it is.
    pub kind: StreamKind,
    /// What normal was.
    pub baseline: Option<Baseline>,
    /// Samples and bad ones in the chaos phase.
    pub chaos: (u64, u64),
    /// Samples and bad ones in the recovery phase.
    pub recovery: (u64, u64),
    /// Every outage.
    pub outages: Vec<Outage>,
    /// Mean time to recover over the outages, of one whose end was not seen the least that it can be; absent without one.
    pub mean_time_to_recover: Option<Duration>,
    /// Share of good samples in the chaos and recovery phases: availability as a client counts it.
    pub good_share: f64,
    /// Median, 95th and 99th percentile of latency in the chaos phase.
    pub chaos_latency: Option<(Duration, Duration, Duration)>,
    /// The first good sample after the fault was gone, from its removal.
    pub first_success: Option<Duration>,
    /// How long it took to be itself again.
    pub recovery_time: Option<RecoveryTime>,
    /// Whether it went down again after that.
    pub relapsed: bool,
    /// How it fared, step by step, from the start of the injection to the end of the watch; empty in older records.
    #[serde(default)]
    pub curve: Vec<CurveStep>,
}

pub(super) fn figures(
    subject: &Subject<'_>,
    normal: Baseline,
    outages: Vec<Outage>,
    trace: &Trace,
) -> StreamFigures {
    let stream = subject.stream;
    let marks = &trace.marks;
    let count = |phase: Phase| {
        let of = || stream.samples.iter().filter(move |s| marks.phase_of(s.at) == Some(phase));
        (of().count() as u64, of().filter(|s| !s.is_good()).count() as u64)
    };
    let (chaos, after) = (count(Phase::Chaos), count(Phase::Recovery));
    let total = outages
        .iter()
        .fold(Duration::ZERO, |sum, outage| sum.saturating_add(subject.down_for_at_least(outage)));
    let chaos_samples = stream.samples.iter().filter(|s| marks.phase_of(s.at) == Some(Phase::Chaos));
    let latencies = latencies(chaos_samples, stream.timeout);
    let at = |p| estimate(&latencies, p);
    let recovered = recovery(stream, &normal, marks, subject.objectives);
    StreamFigures {
        curve: curve(stream, &normal, marks, subject.objectives),
        name: stream.name.clone(),
        kind: stream.kind,
        baseline: Some(normal),
        chaos,
        recovery: after,
        mean_time_to_recover: (!outages.is_empty()).then(|| total / outages.len() as u32),
        good_share: 1.0 - (chaos.1 + after.1) as f64 / (chaos.0 + after.0).max(1) as f64,
        chaos_latency: at(0.5).zip(at(0.95)).zip(at(0.99)).map(|((p50, p95), p99)| (p50, p95, p99)),
        first_success: marks.removed.and_then(|removed| {
            stream.samples.iter().find(|s| s.at >= removed && s.is_good()).map(|s| s.at - removed)
        }),
        relapsed: matches!(recovered, Some(RecoveryTime::After(time)) if subject.relapse(&outages, time).is_some()),
        recovery_time: recovered,
        outages,
    }
}
