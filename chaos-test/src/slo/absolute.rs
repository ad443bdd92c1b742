//! Bounds that no baseline is needed for: latency as it is, and throughput.

use std::time::Duration;

use super::baseline::latencies;
use super::evaluate::Subject;
use super::{Evaluation, Figure, Indicator};
use crate::model::{Phase, StreamKind};
use crate::stats::Proportion;

impl Subject<'_> {
    /// Latency in the chaos phase against the bounds on its percentiles.
    pub(super) fn absolute_latency(&self) -> Vec<Evaluation> {
        let bounds = &self.bounds.latency;
        let (p50, p95, p99) = if self.stream.kind == StreamKind::Endpoint {
            (Indicator::EndpointLatencyP50, Indicator::EndpointLatencyP95, Indicator::EndpointLatencyP99)
        } else {
            (Indicator::LatencyP50, Indicator::LatencyP95, Indicator::LatencyP99)
        };
        [(p50, 0.5, bounds.p50), (p95, 0.95, bounds.p95), (p99, 0.99, bounds.p99)]
            .into_iter()
            .filter_map(|(indicator, share, limit)| Some(self.percentile(indicator, share, limit?)))
            .collect()
    }

    /// "The p-quantile is at most L" is the same as: at most a share of 1 − p takes longer than L.
    fn percentile(&self, indicator: Indicator, share: f64, limit: Duration) -> Evaluation {
        let mut evaluation = self.evaluation(indicator, Figure::Seconds(limit.as_secs_f64()));
        let list = latencies(self.in_phase(Phase::Chaos), self.stream.timeout);
        let figure = |value: Duration| Figure::Seconds(value.as_secs_f64());
        if let Some(q) = self.quantile(&list, share) {
            let longest = *list.last().unwrap_or(&q.estimate);
            evaluation.measured = Some(figure(q.estimate));
            evaluation.interval = q.lower.map(|low| (figure(low), figure(q.upper.unwrap_or(longest))));
        }
        self.by_count(&mut evaluation, &self.slower_than(limit), 1.0 - share);
        if list.is_empty() {
            evaluation.note = Some("nothing answered".into());
        }
        evaluation
    }

    /// Good samples a second. The schedule is open, so r samples a second are sent whatever comes of them, and "at least f
    /// a second are good" is the same as: at most a share of 1 − f/r is bad. That is judged as an error rate is.
    pub(super) fn throughput(&self) -> Option<Evaluation> {
        let floor = f64::from(self.bounds.throughput?);
        let interval = self.stream.interval.as_secs_f64();
        if interval <= 0.0 {
            return None;
        }
        let offered = 1.0 / interval;
        let mut evaluation = self.evaluation(Indicator::Throughput, Figure::PerSecond(floor));
        self.by_count(&mut evaluation, &self.bad_ones(), (1.0 - floor / offered).clamp(0.0, 1.0));
        let (bad, of) = evaluation.counts.unwrap_or_default();
        let seen = Proportion::new(bad, of);
        let good = |bad: f64| Figure::PerSecond(offered * (1.0 - bad));
        evaluation.measured = Some(good(seen.estimate()));
        evaluation.interval = self.interval(seen).map(|(low, high)| (good(high), good(low)));
        Some(evaluation)
    }
}
