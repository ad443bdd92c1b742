use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Endpoint;
use crate::units::{Percent, Rate, show_duration};

/// What breaking a bound comes to.
///
/// ```
/// use chaos_test::model::Severity;
/// use chaos_test::report::Report;
/// use chaos_test::slo::Verdict;
/// fn broken(report: &Report, severity: Severity) -> usize {
///     let evaluations = report.judgement.evaluations.iter();
///     evaluations.filter(|one| one.verdict == Verdict::Fail && one.severity == severity).count()
/// }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Severity {
    /// The test fails.
    #[default]
    Blocking,
    /// The test passes, and says so.
    Warning,
}

/// A set of bounds, one for each indicator that has any. An absent bound is not judged.
///
/// ```
/// use chaos_test::model::{Bounds, Catalogue};
/// use chaos_test::units::TimeUnits;
/// let staging = Catalogue::builtin().profile(Some("staging")).unwrap().objectives.bounds();
/// let own = Bounds { recovery_time: Some(20.seconds()), ..Bounds::default() };
/// assert_eq!(own.phrases(), ["recovery time ≤ 20 s"]);
/// let both = own.over(&staging);
/// assert_eq!((both.recovery_time, both.error_rate), (own.recovery_time, staging.error_rate));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Bounds {
    /// Longest time to recover from an outage (`mttr_seconds`).
    pub time_to_recover: Option<Duration>,
    /// Largest share of bad samples (`max_error_rate_percent`).
    pub error_rate: Option<Percent>,
    /// Smallest share of time outside an outage (`min_availability_percent`).
    pub availability: Option<Percent>,
    /// Largest rise of latency over the baseline's (`max_latency_degradation_ms`).
    pub latency_degradation: Option<Duration>,
    /// Longest time from the fault's removal to stable service (`max_recovery_time_seconds`).
    pub recovery_time: Option<Duration>,
    /// Largest latencies in the chaos phase.
    pub latency: LatencyBounds,
    /// Fewest good samples a second in the chaos phase (`min_throughput_per_second`).
    pub throughput: Option<Rate>,
    /// Bounds on the body's own requests to one endpoint each.
    pub endpoints: Vec<EndpointBounds>,
}

/// Bounds on the latency in the chaos phase, whatever the baseline's was.
///
/// ```
/// use chaos_test::model::LatencyBounds;
/// use chaos_test::units::TimeUnits;
/// let usual = LatencyBounds { p50: Some(50.ms()), p95: Some(400.ms()), p99: None };
/// let tighter = LatencyBounds { p95: Some(200.ms()), ..LatencyBounds::default() };
/// assert_eq!(tighter.over(&usual), LatencyBounds { p95: Some(200.ms()), ..usual });
/// assert_eq!(usual.count(), 2);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct LatencyBounds {
    /// Of the median (`max_latency_p50_ms`).
    pub p50: Option<Duration>,
    /// Of the 95th percentile (`max_latency_p95_ms`).
    pub p95: Option<Duration>,
    /// Of the 99th percentile (`max_latency_p99_ms`).
    pub p99: Option<Duration>,
}

/// Bounds on the body's own requests to one endpoint (an entry of `endpoints`).
///
/// ```
/// use chaos_test::model::{Bounds, EndpointBounds};
/// use chaos_test::units::{Percent, TimeUnits};
/// let mut orders = EndpointBounds::none("POST /orders".parse().unwrap());
/// orders.error_rate = Some(Percent::new(1.0).unwrap());
/// orders.latency.p95 = Some(300.ms());
/// let bounds = Bounds { endpoints: vec![orders], ..Bounds::default() };
/// assert_eq!(bounds.phrases(), ["POST /orders: error rate ≤ 1 %", "POST /orders: p95 latency ≤ 300 ms"]);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EndpointBounds {
    /// Which requests.
    pub endpoint: Endpoint,
    /// Largest share of bad ones in the chaos phase (`max_error_rate_percent`).
    #[serde(default)]
    pub error_rate: Option<Percent>,
    /// Largest latencies in the chaos phase.
    #[serde(default)]
    pub latency: LatencyBounds,
}

impl LatencyBounds {
    /// How many there are.
    pub fn count(&self) -> usize {
        [self.p50, self.p95, self.p99].iter().flatten().count()
    }

    /// These bounds, with `base` for what they leave out.
    #[must_use]
    pub fn over(&self, base: &Self) -> Self {
        Self { p50: self.p50.or(base.p50), p95: self.p95.or(base.p95), p99: self.p99.or(base.p99) }
    }

    fn phrases(&self) -> impl Iterator<Item = String> {
        [("p50", self.p50), ("p95", self.p95), ("p99", self.p99)]
            .into_iter()
            .filter_map(|(name, limit)| Some(format!("{name} latency ≤ {}", show_duration(limit?))))
    }
}

impl EndpointBounds {
    /// An endpoint without a bound.
    pub fn none(endpoint: Endpoint) -> Self {
        Self { endpoint, error_rate: None, latency: LatencyBounds::default() }
    }

    /// How many bounds there are.
    pub fn count(&self) -> usize {
        self.latency.count() + usize::from(self.error_rate.is_some())
    }
}

impl Bounds {
    /// These bounds, with `base` for what they leave out; endpoint by endpoint, too.
    #[must_use]
    pub fn over(&self, base: &Self) -> Self {
        let mut endpoints = base.endpoints.clone();
        for own in &self.endpoints {
            match endpoints.iter_mut().find(|known| known.endpoint == own.endpoint) {
                Some(known) => {
                    known.error_rate = own.error_rate.or(known.error_rate);
                    known.latency = own.latency.over(&known.latency);
                }
                None => endpoints.push(own.clone()),
            }
        }
        Self {
            time_to_recover: self.time_to_recover.or(base.time_to_recover),
            error_rate: self.error_rate.or(base.error_rate),
            availability: self.availability.or(base.availability),
            latency_degradation: self.latency_degradation.or(base.latency_degradation),
            recovery_time: self.recovery_time.or(base.recovery_time),
            latency: self.latency.over(&base.latency),
            throughput: self.throughput.or(base.throughput),
            endpoints,
        }
    }

    /// The bounds of one endpoint, to be set.
    pub fn of_endpoint(&mut self, endpoint: Endpoint) -> &mut EndpointBounds {
        let at = self.endpoints.iter().position(|known| known.endpoint == endpoint).unwrap_or_else(|| {
            self.endpoints.push(EndpointBounds::none(endpoint));
            self.endpoints.len() - 1
        });
        &mut self.endpoints[at]
    }

    /// Each bound in a few words: `error rate ≤ 5 %`.
    pub fn phrases(&self) -> Vec<String> {
        let span = |name: &str, limit: Option<Duration>| {
            limit.map(|limit| format!("{name} ≤ {}", show_duration(limit)))
        };
        let usual = [
            self.error_rate.map(|limit| format!("error rate ≤ {limit}")),
            self.availability.map(|limit| format!("availability ≥ {limit}")),
            span("worst time to recover", self.time_to_recover),
            span("recovery time", self.recovery_time),
            span("p95 degradation", self.latency_degradation),
        ];
        usual.into_iter().flatten().chain(self.further_phrases()).collect()
    }

    /// The same without those that every profile of the built-in catalogue has.
    pub fn further_phrases(&self) -> Vec<String> {
        let of_endpoint = |bounds: &EndpointBounds| {
            let errors = bounds.error_rate.map(|limit| format!("error rate ≤ {limit}"));
            let phrases = errors.into_iter().chain(bounds.latency.phrases());
            let endpoint = bounds.endpoint.clone();
            phrases.map(move |phrase| format!("{endpoint}: {phrase}")).collect::<Vec<_>>()
        };
        self.latency
            .phrases()
            .chain(self.throughput.map(|floor| format!("throughput ≥ {floor}")))
            .chain(self.endpoints.iter().flat_map(of_endpoint))
            .collect()
    }
}
