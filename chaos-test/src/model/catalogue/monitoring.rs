use std::time::Duration;

use super::fields::{Fields, Keys};
use super::node::{Node, Spanned};
use super::reporter::Reporter;
use super::value::{Field, broken_name};
use crate::model::{Alerts, HealthCheck, Metric, Monitoring};
use crate::units::Percent;

pub(super) const HEALTH_KEYS: &[&str] = &["endpoint", "timeout", "interval"];
pub(super) const ALERT_KEYS: &[&str] =
    &["cpu_threshold", "memory_threshold", "error_rate_threshold", "response_time_threshold"];
pub(super) const KEYS: Keys = Keys {
    known: &["metrics", "sampling_interval", "health_check", "alerts"],
    deeper: &[("health_check", HEALTH_KEYS), ("alerts", ALERT_KEYS)],
};

/// `monitoring` as one file has it; what it leaves out is inherited.
#[derive(Debug, Default)]
pub(super) struct RawMonitoring {
    metrics: Option<Vec<Metric>>,
    sampling_interval: Option<Duration>,
    health: RawHealth,
    alerts: RawAlerts,
}

#[derive(Debug, Default)]
struct RawHealth {
    endpoint: Option<String>,
    timeout: Option<Duration>,
    interval: Option<Duration>,
}

#[derive(Debug, Default)]
struct RawAlerts {
    cpu: Option<Percent>,
    memory: Option<Percent>,
    error_rate: Option<Percent>,
    response_time: Option<Duration>,
}

impl RawMonitoring {
    pub(super) fn read(node: &Spanned<Node>, out: &mut Reporter<'_>) -> Option<Self> {
        let fields = Fields::keyed(node, "`monitoring`", KEYS, out)?;
        Some(Self {
            metrics: fields.get("metrics").and_then(|field| metrics(field, out)),
            sampling_interval: fields.get("sampling_interval").and_then(|field| field.some_seconds(out)),
            health: fields
                .get("health_check")
                .and_then(|field| RawHealth::read(field.node, out))
                .unwrap_or_default(),
            alerts: fields
                .get("alerts")
                .and_then(|field| RawAlerts::read(field.node, out))
                .unwrap_or_default(),
        })
    }

    pub(super) fn over(self, base: &Monitoring) -> Monitoring {
        let (health, alerts) = (&base.health_check, &base.alerts);
        Monitoring {
            metrics: self.metrics.unwrap_or_else(|| base.metrics.clone()),
            sampling_interval: self.sampling_interval.unwrap_or(base.sampling_interval),
            health_check: HealthCheck {
                endpoint: self.health.endpoint.unwrap_or_else(|| health.endpoint.clone()),
                timeout: self.health.timeout.unwrap_or(health.timeout),
                interval: self.health.interval.unwrap_or(health.interval),
            },
            alerts: Alerts {
                cpu: self.alerts.cpu.or(alerts.cpu),
                memory: self.alerts.memory.or(alerts.memory),
                error_rate: self.alerts.error_rate.or(alerts.error_rate),
                response_time: self.alerts.response_time.or(alerts.response_time),
            },
        }
    }
}

impl RawHealth {
    fn read(node: &Spanned<Node>, out: &mut Reporter<'_>) -> Option<Self> {
        let fields = Fields::keyed(node, "`monitoring.health_check`", Keys::new(HEALTH_KEYS), out)?;
        Some(Self {
            endpoint: fields.get("endpoint").and_then(|field| path(field, out)),
            timeout: fields.get("timeout").and_then(|field| field.some_seconds(out)),
            interval: fields.get("interval").and_then(|field| field.some_seconds(out)),
        })
    }
}

impl RawAlerts {
    fn read(node: &Spanned<Node>, out: &mut Reporter<'_>) -> Option<Self> {
        let fields = Fields::keyed(node, "`monitoring.alerts`", Keys::new(ALERT_KEYS), out)?;
        Some(Self {
            cpu: fields.get("cpu_threshold").and_then(|field| field.percent(out)),
            memory: fields.get("memory_threshold").and_then(|field| field.percent(out)),
            error_rate: fields.get("error_rate_threshold").and_then(|field| field.percent(out)),
            response_time: fields.get("response_time_threshold").and_then(|field| field.some_millis(out)),
        })
    }
}

fn metrics(field: Field<'_>, out: &mut Reporter<'_>) -> Option<Vec<Metric>> {
    let entries = field.entries("metrics", out)?;
    Some(entries.iter().filter_map(|entry| entry.choice("a metric", &Metric::ALL, out)).collect())
}

/// Whether a text is a path that can be asked of whatever address the target has.
pub(crate) fn is_path(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('/') else { return false };
    // What begins with two of them names a host.
    broken_name(text).is_none() && !rest.starts_with(['/', '\\']) && !text.contains(char::is_whitespace)
}

fn path(field: Field<'_>, out: &mut Reporter<'_>) -> Option<String> {
    let path = field.name(out)?;
    if is_path(&path) {
        return Some(path);
    }
    let message = format!("`endpoint` in {}: expected a path, found {}", field.place, field.node.value);
    out.report(
        field.node.span,
        message,
        "write the path only, such as \"/api/health\": the target brings its address".to_owned(),
    );
    None
}
