use serde::{Deserialize, Serialize};

use super::bounds;
use super::fields::{Fields, Keys};
use super::node::{Node, Spanned};
use super::reporter::Reporter;
use crate::model::Bounds;

/// The keys of the section.
pub(super) const KEYS: &[&str] = &["blocking", "warning"];
/// The keys of each of them.
pub(super) const BOUND_KEYS: &[&str] = &[
    "mttr_seconds",
    "max_error_rate_percent",
    "min_availability_percent",
    "max_latency_degradation_ms",
    "max_recovery_time_seconds",
    "max_latency_p50_ms",
    "max_latency_p95_ms",
    "max_latency_p99_ms",
    "min_throughput_per_second",
    "endpoints",
];

/// Two sets of bounds, by what breaking one comes to (`slo_severity`).
///
/// ```
/// use chaos_test::model::Catalogue;
/// let yaml = b"slo_severity: {blocking: {max_error_rate_percent: 10}, warning: {max_error_rate_percent: 5}}\n";
/// let catalogue = Catalogue::read("chaos.yml", yaml).unwrap();
/// let severity = catalogue.severity().unwrap();
/// assert_eq!(severity.warning.phrases(), ["error rate ≤ 5 %"]);
/// // Every profile has them.
/// let staging = catalogue.profile(Some("staging")).unwrap().objectives;
/// assert_eq!((staging.error_rate, &staging.warnings), (severity.blocking.error_rate, &severity.warning));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SeverityBounds {
    /// Past one of these, the test fails. Each replaces the bound of the SLO profile, whichever that is.
    pub blocking: Bounds,
    /// Past one of these, the report says so and the test passes.
    pub warning: Bounds,
}

impl SeverityBounds {
    pub(super) fn read(node: &Spanned<Node>, out: &mut Reporter<'_>) -> Option<Self> {
        let fields = Fields::keyed(node, "`slo_severity`", Keys::new(KEYS), out)?;
        let mut bounds = |key: &'static str| {
            let field = fields.get(key)?;
            read(field.node, &format!("slo_severity.{key}"), out)
        };
        Some(Self {
            blocking: bounds("blocking").unwrap_or_default(),
            warning: bounds("warning").unwrap_or_default(),
        })
    }

    pub(super) fn over(&self, base: &Self) -> Self {
        Self { blocking: self.blocking.over(&base.blocking), warning: self.warning.over(&base.warning) }
    }
}

fn read(node: &Spanned<Node>, place: &str, out: &mut Reporter<'_>) -> Option<Bounds> {
    let fields = Fields::keyed(node, format!("`{place}`"), Keys::new(BOUND_KEYS), out)?;
    let bounds = bounds::read(&fields, place, out);
    let recovery_time = fields.get("max_recovery_time_seconds").and_then(|field| field.some_seconds(out));
    Some(Bounds { recovery_time, ..bounds })
}
