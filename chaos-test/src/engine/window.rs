use std::time::Duration;

use crate::model::Sample;
use crate::stats::estimate;

/// What a stream came to in a span of time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Window {
    pub(crate) stream: String,
    pub(crate) samples: u64,
    pub(crate) bad: u64,
    pub(crate) p95: Option<Duration>,
}

/// How many samples there are, how many of them are bad, and the p95 latency of the others.
pub(super) fn figures(samples: &[Sample]) -> (u64, u64, Option<Duration>) {
    let mut latencies: Vec<Duration> = samples.iter().filter(|s| s.is_good()).map(|s| s.latency).collect();
    latencies.sort_unstable();
    let bad = samples.len() - latencies.len();
    (samples.len() as u64, bad as u64, estimate(&latencies, 0.95))
}
