use quick_junit::Property;

use super::line;
use crate::model::Severity;
use crate::report::{Dose, Entry, Retried, Row, StreamMetrics, show};

/// The properties of a test: who it is, and every figure of it under a name of its own.
pub(super) fn properties(entry: &Entry, retried: Option<&Retried>) -> Vec<Property> {
    let mut all = Properties::default();
    all.text("scenario", &entry.scenario);
    all.text("type", &entry.fault);
    all.text("intensity", &entry.intensity);
    all.text("target", entry.target.as_deref().unwrap_or_default());
    all.text("slo", &entry.slo);
    all.text("verdict", &entry.label);
    all.text("headline", &entry.headline);
    all.text("reason", entry.reason.as_deref().unwrap_or_default());
    all.text("run", &entry.run_id);
    all.text("record", entry.record.as_deref().unwrap_or_default());
    all.text("rerun", &entry.rerun);
    if let Some(retried) = retried {
        let tries: Vec<String> = retried.verdicts.iter().map(ToString::to_string).collect();
        all.text("tries", &tries.join(", "));
    }
    entry.dose.iter().for_each(|dose| all.dose(dose));
    entry.objectives.iter().for_each(|row| all.objective(row));
    entry.streams.iter().for_each(|stream| all.stream(stream));
    all.0
}

#[derive(Default)]
struct Properties(Vec<Property>);

impl Properties {
    /// What is not known has no property.
    fn text(&mut self, name: &str, value: &str) {
        if !value.is_empty() {
            self.0.push(Property::new(line(&format!("chaos.{name}")), line(value)));
        }
    }

    fn number(&mut self, name: &str, value: Option<f64>) {
        if let Some(value) = value.filter(|value| value.is_finite()) {
            // Ten digits: what a sum of binary fractions has behind them is noise. And there is no minus zero.
            let value = format!("{value:.9e}").parse().unwrap_or(value) + 0.0;
            let plain = value == 0.0 || (1e-9..1e15).contains(&value.abs());
            self.text(name, &if plain { value.to_string() } else { format!("{value:e}") });
        }
    }

    fn dose(&mut self, dose: &Dose) {
        self.text("dose.mechanism", &dose.mechanism);
        self.text("dose.unit", &show::key(&dose.unit));
        self.number("dose.asked", dose.asked);
        self.number("dose.measured", dose.measured);
        self.text("dose.enough", &dose.enough.to_string());
        self.text("dose.checks", &dose.checks.to_string());
    }

    fn objective(&mut self, row: &Row) {
        let warning = if row.severity == Severity::Warning { ".warning" } else { "" };
        let name = |what: &str| format!("{}.{}{warning}.{what}", row.indicator, row.stream);
        self.text(&name("unit"), &show::key(&row.unit));
        self.number(&name("limit"), Some(row.limit));
        self.number(&name("measured"), row.measured);
        self.number(&name("low"), row.interval.map(|(low, _)| low));
        self.number(&name("high"), row.interval.map(|(_, high)| high));
        self.text(&name("verdict"), &row.verdict.to_string());
        self.text(&name("shown"), &row.shown.measured);
        self.text(&name("samples"), &row.shown.samples);
    }

    fn stream(&mut self, stream: &StreamMetrics) {
        let StreamMetrics { stream: name, .. } = stream;
        // Without a request in the chaos phase nothing is known of either.
        let seen = |value: f64| (stream.total_requests > 0).then_some(value);
        for (what, value) in [
            ("total_requests", Some(stream.total_requests as f64)),
            ("failed_requests", Some(stream.failed_requests as f64)),
            ("error_rate_percent", seen(stream.error_rate_percent)),
            ("availability_percent", seen(stream.availability_percent)),
            ("downtime_seconds", Some(stream.downtime_seconds)),
            ("mttr_seconds", stream.mttr_seconds),
            ("recovery_time_seconds", stream.recovery_time_seconds),
            ("first_success_seconds", stream.first_success_seconds),
            ("baseline_p95_ms", stream.baseline_p95_ms),
            ("chaos_p95_ms", stream.chaos_p95_ms),
            ("latency_degradation_ms", stream.latency_degradation_ms),
            ("recovery_p95_ms", stream.recovery_p95_ms),
            ("consecutive_successes", stream.consecutive_successes.map(|n| n as f64)),
        ] {
            self.number(&format!("stream.{name}.{what}"), value);
        }
    }
}
