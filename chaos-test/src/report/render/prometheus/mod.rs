//! A summary as Prometheus reads it: text exposition format 0.0.4.
//!
//! Invariants: no series is emitted twice, and none for what is not known: what is absent is not 0. There are no
//! timestamps, which a Pushgateway refuses.
//! Not here: where it is sent. What every metric means is in `docs/metrics.md`, which a test holds against [`METRICS`].

mod exposition;
mod metrics;
mod series;

use super::super::Summary;
use exposition::Exposition;
pub use metrics::{METRICS, Metric};

/// `chaos_metrics.prom`: what a summary comes to, as gauges.
///
/// Of two tests with the same labels, the one that began later counts: one test in several runs, for one.
///
/// ```
/// use chaos_test::report::Summary;
/// use chaos_test::report::render::prometheus;
///
/// let text = prometheus(&Summary::of(Vec::new()));
/// assert!(text.contains("# TYPE chaos_records_unreadable gauge\nchaos_records_unreadable 0\n"));
/// ```
pub fn prometheus(summary: &Summary) -> String {
    let tests = series::one_of_each(summary);
    let mut out = Exposition::default();
    for metric in METRICS {
        out.family(metric, metric.series(&tests, summary));
    }
    out.text()
}
