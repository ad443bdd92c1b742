use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{AllowedTarget, FaultKind};
use crate::units::Percent;

/// What a catalogue asks of every run, for safety.
///
/// ```
/// use chaos_test::model::{Catalogue, Safety};
/// use chaos_test::units::TimeUnits;
///
/// let yaml = b"safety: {cooldown_seconds: 20, allowed_targets: ['*.staging.example']}\n";
/// let catalogue = Catalogue::read("chaos.yml", yaml).unwrap();
/// let safety: &Safety = catalogue.safety();
/// assert_eq!(safety.cooldown, 20.seconds());
/// assert_eq!(safety.allowed_targets[0].to_string(), "*.staging.example");
/// assert_eq!(safety.max_total_duration, 1800.seconds(), "what the file leaves out is the built-in catalogue's");
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Safety {
    /// When to stop a run that does more harm than meant.
    pub abort_conditions: AbortConditions,
    /// How long to leave the target alone between two scenarios, at least.
    pub cooldown: Duration,
    /// How long a whole run may take.
    pub max_total_duration: Duration,
    /// Faults that need a confirmation against a target this run did not start itself.
    pub require_confirmation: Vec<FaultKind>,
    /// Targets that faults may be aimed at, beside what a run started itself and this host's loopback.
    pub allowed_targets: Vec<AllowedTarget>,
}

/// When to stop a run that does more harm than meant. An absent condition never trips.
///
/// ```
/// use chaos_test::prelude::*;
///
/// // Stopped by twenty bad samples in a row, and by no other condition.
/// fn patient() -> Result<Experiment, Error> {
///     let conditions = AbortConditions { consecutive_failures: Some(20), ..AbortConditions::default() };
///     Ok(Experiment::scenario("Database Brief Outage")?.abort_conditions(conditions))
/// }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AbortConditions {
    /// More bad samples than this share.
    pub error_rate: Option<Percent>,
    /// That many bad samples in a row.
    pub consecutive_failures: Option<u32>,
    /// An answer that takes longer than this.
    pub response_time: Option<Duration>,
}

impl Default for Safety {
    fn default() -> Self {
        Self {
            abort_conditions: AbortConditions::default(),
            cooldown: Duration::from_secs(5),
            max_total_duration: Duration::from_secs(1800),
            require_confirmation: vec![FaultKind::ContainerCrash, FaultKind::DatabaseDown],
            allowed_targets: Vec::new(),
        }
    }
}

/// What is watched on each service during a run.
///
/// ```
/// use chaos_test::model::{Catalogue, Metric, Monitoring};
/// use chaos_test::units::TimeUnits;
///
/// let yaml = b"monitoring: {metrics: [cpu_usage, disk_io], sampling_interval: 1}\n";
/// let catalogue = Catalogue::read("chaos.yml", yaml).unwrap();
/// let monitoring: &Monitoring = catalogue.monitoring();
/// assert_eq!(monitoring.metrics, [Metric::CpuUsage, Metric::DiskIo]);
/// assert_eq!(monitoring.sampling_interval, 1.seconds());
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Monitoring {
    /// Which figures are sampled: one of processor, memory and disk is enough for all three, the others always are.
    pub metrics: Vec<Metric>,
    /// How often: from 100 ms to 1 s, and what is longer counts as 1 s.
    pub sampling_interval: Duration,
    /// The health check used where a target brings none of its own.
    pub health_check: HealthCheck,
    /// Thresholds past which a figure becomes an event on the timeline.
    pub alerts: Alerts,
}

/// A figure sampled per service.
///
/// ```
/// use chaos_test::model::{Catalogue, Metric};
///
/// let sampled = &Catalogue::builtin().monitoring().metrics;
/// assert!(Metric::ALL.iter().all(|(_, metric)| sampled.contains(metric)));
/// assert_eq!(Metric::ALL[2], ("disk_io", Metric::DiskIo));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Metric {
    /// `cpu_usage`
    CpuUsage,
    /// `memory_usage`
    MemoryUsage,
    /// `disk_io`
    DiskIo,
    /// `network_latency`
    NetworkLatency,
    /// `error_rate`
    ErrorRate,
    /// `response_time`
    ResponseTime,
}

impl Metric {
    /// Every figure, by the name a catalogue gives it.
    pub const ALL: [(&'static str, Self); 6] = [
        ("cpu_usage", Self::CpuUsage),
        ("memory_usage", Self::MemoryUsage),
        ("disk_io", Self::DiskIo),
        ("network_latency", Self::NetworkLatency),
        ("error_rate", Self::ErrorRate),
        ("response_time", Self::ResponseTime),
    ];
}

/// The health check used where a target brings none of its own.
///
/// ```
/// use chaos_test::model::{Catalogue, HealthCheck};
/// use chaos_test::units::TimeUnits;
///
/// let yaml = b"monitoring: {health_check: {endpoint: '/ready', timeout: 1}}\n";
/// let catalogue = Catalogue::read("chaos.yml", yaml).unwrap();
/// let expected = HealthCheck { endpoint: "/ready".into(), timeout: 1.seconds(), interval: 2.seconds() };
/// assert_eq!(catalogue.monitoring().health_check, expected);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HealthCheck {
    /// The path asked for: `/api/health`.
    pub endpoint: String,
    /// How long an answer may take, 1 s at most.
    pub timeout: Duration,
    /// The step in which abort conditions and alerts look back; the check itself is asked every 20 ms.
    pub interval: Duration,
}

/// Thresholds past which a figure becomes an event on the timeline. An absent one never does.
///
/// ```
/// use chaos_test::model::{Alerts, Catalogue};
/// use chaos_test::units::Percent;
///
/// let catalogue = Catalogue::read("chaos.yml", b"monitoring: {alerts: {cpu_threshold: 70}}\n").unwrap();
/// let builtin = Catalogue::builtin().monitoring().alerts.clone();
/// let expected = Alerts { cpu: Some(Percent::new(70.0).unwrap()), ..builtin };
/// assert_eq!(catalogue.monitoring().alerts, expected);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Alerts {
    /// Share of the processor.
    pub cpu: Option<Percent>,
    /// Share of the memory.
    pub memory: Option<Percent>,
    /// Share of bad samples.
    pub error_rate: Option<Percent>,
    /// Time to answer.
    pub response_time: Option<Duration>,
}

impl Default for Monitoring {
    fn default() -> Self {
        Self {
            metrics: Metric::ALL.iter().map(|(_, metric)| *metric).collect(),
            sampling_interval: Duration::from_secs(5),
            health_check: HealthCheck {
                endpoint: "/api/health".into(),
                timeout: Duration::from_secs(5),
                interval: Duration::from_secs(2),
            },
            alerts: Alerts::default(),
        }
    }
}
