use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Report;
use crate::model::{DoseUnit, Phase, Sample, Stream, nth};
use crate::slo::{RecoveryTime, latencies, median};
use crate::stats::estimate;

/// The figures of one judged stream, in the units that pipelines know.
///
/// ```
/// use chaos_test::report::StreamMetrics;
/// fn line(of: &StreamMetrics) -> String {
///     let slower = of.latency_degradation_ms.map_or_else(|| "unknown".to_owned(), |ms| format!("{ms:.0} ms"));
///     format!("{}: {} of {} bad, p95 slower by {slower}", of.stream, of.failed_requests, of.total_requests)
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct StreamMetrics {
    /// The stream.
    pub stream: String,
    /// Mean time to recover over its outages; absent without one.
    pub mttr_seconds: Option<f64>,
    /// From the fault's removal to stable service; absent if it did not come back.
    pub recovery_time_seconds: Option<f64>,
    /// From the fault's removal to the first good answer.
    pub first_success_seconds: Option<f64>,
    /// Samples scheduled in the chaos phase.
    pub total_requests: u64,
    /// Bad ones among them.
    pub failed_requests: u64,
    /// Their share.
    pub error_rate_percent: f64,
    /// The length of all outages.
    pub downtime_seconds: f64,
    /// Share of the time from the injection to the end of the watch outside an outage.
    pub availability_percent: f64,
    /// 95th percentile of latency before the fault.
    pub baseline_p95_ms: Option<f64>,
    /// 95th percentile of latency under the fault.
    pub chaos_p95_ms: Option<f64>,
    /// The difference of the two.
    pub latency_degradation_ms: Option<f64>,
    /// 95th percentile of latency in the recovery phase; absent in summaries of an earlier version.
    #[serde(default)]
    pub recovery_p95_ms: Option<f64>,
    /// Good samples one after the other up to the end of the watch; absent in summaries of an earlier version.
    #[serde(default)]
    pub consecutive_successes: Option<u64>,
}

/// The fault that was asked for and the fault that was measured.
///
/// ```
/// use chaos_test::report::Dose;
/// // `proxy: 95 % of what was asked for, enough of it in 20 of 20 checks`
/// fn told(dose: &Dose) -> Option<String> {
///     let share = dose.measured? / dose.asked? * 100.0;
///     let Dose { mechanism, enough, checks, .. } = dose;
///     Some(format!("{mechanism}: {share:.0} % of what was asked for, enough of it in {enough} of {checks} checks"))
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Dose {
    /// The rung of the ladder that was used.
    pub mechanism: String,
    /// What the dose is counted in.
    pub unit: DoseUnit,
    /// What was asked for; absent where the witness has read nothing.
    pub asked: Option<f64>,
    /// The median of what was measured.
    pub measured: Option<f64>,
    /// In how many checks enough of it was measured.
    pub enough: u64,
    /// Of how many checks.
    pub checks: u64,
}

impl Dose {
    pub(super) fn of(report: &Report) -> Option<Self> {
        let delivery = report.trace.delivery.as_ref()?;
        let readings = &delivery.readings;
        Some(Self {
            mechanism: delivery.mechanism.clone(),
            unit: delivery.unit,
            asked: readings.first().map(|first| first.asked),
            measured: (!readings.is_empty()).then(|| median(readings)),
            enough: readings.iter().filter(|reading| reading.is_enough()).count() as u64,
            checks: readings.len() as u64 + u64::from(delivery.failed_readings),
        })
    }
}

/// Those of every judged stream of a report.
pub(super) fn streams(report: &Report) -> Vec<StreamMetrics> {
    let (from, to) = report.trace.marks.exposed().unwrap_or_default();
    let whole = to.saturating_sub(from).as_secs_f64();
    let ms = |span: Duration| span.as_secs_f64() * 1e3;
    let mut known: BTreeMap<&str, u32> = BTreeMap::new();
    let of = report.judgement.streams.iter().zip(afterwards(report)).map(|(stream, after)| {
        // Records of before have one name for two probes of one service.
        let n = known.entry(&stream.name).and_modify(|n| *n += 1).or_insert(1);
        let down: f64 = stream.outages.iter().map(|outage| outage.length(to).as_secs_f64()).sum();
        let (total, failed) = stream.chaos;
        let baseline = stream.baseline.map(|normal| ms(normal.p95));
        let chaos = stream.chaos_latency.map(|(_, p95, _)| ms(p95));
        StreamMetrics {
            stream: nth(&stream.name, *n),
            mttr_seconds: stream.mean_time_to_recover.map(|time| time.as_secs_f64()),
            recovery_time_seconds: stream.recovery_time.and_then(|time| match time {
                RecoveryTime::After(time) => Some(time.as_secs_f64()),
                RecoveryTime::NotWithin(_) => None,
            }),
            first_success_seconds: stream.first_success.map(|time| time.as_secs_f64()),
            total_requests: total,
            failed_requests: failed,
            error_rate_percent: failed as f64 / total.max(1) as f64 * 100.0,
            downtime_seconds: down,
            availability_percent: if whole > 0.0 { (1.0 - down / whole) * 100.0 } else { 0.0 },
            baseline_p95_ms: baseline,
            chaos_p95_ms: chaos,
            latency_degradation_ms: chaos.zip(baseline).map(|(chaos, normal)| chaos - normal),
            recovery_p95_ms: after.as_ref().and_then(|after| after.p95).map(ms),
            consecutive_successes: after.map(|after| after.successes),
        }
    });
    of.collect()
}

/// How a stream fared after the fault.
pub(super) struct Afterwards {
    /// 95th percentile of latency in the recovery phase.
    pub(super) p95: Option<Duration>,
    /// Good samples one after the other up to the end of the watch.
    pub(super) successes: u64,
}

/// How each judged stream fared after the fault. They are the scheduled ones in the order of the trace.
pub(super) fn afterwards(report: &Report) -> Vec<Option<Afterwards>> {
    let marks = &report.trace.marks;
    let ended = marks.ended.unwrap_or(Duration::MAX);
    let of = |stream: &Stream| {
        // It is the last stretch of them.
        let before = |s: &Sample| marks.phase_of(s.at).is_none_or(|phase| phase < Phase::Recovery);
        let recovery = stream.samples[stream.samples.partition_point(before)..].iter();
        let watched = stream.samples.iter().rev().skip_while(|sample| sample.at >= ended);
        Afterwards {
            p95: estimate(&latencies(recovery, stream.timeout), 0.95),
            successes: watched.take_while(|sample| sample.is_good()).count() as u64,
        }
    };
    let mut scheduled = report.trace.streams.iter().filter(|stream| stream.kind.is_scheduled());
    let judged = report.judgement.streams.iter();
    judged.map(|judged| scheduled.next().filter(|stream| stream.name == judged.name).map(of)).collect()
}
