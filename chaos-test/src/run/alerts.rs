use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::engine::Window;
use crate::model::{Alerts, ResourceSample};
use crate::units::show_duration;

/// Which figures are past their thresholds now, so that each crossing is told once.
pub(super) struct Watch {
    thresholds: Alerts,
    /// What the host has.
    host: Allowed,
    /// What services with limits of their own may use of it.
    own: BTreeMap<String, Allowed>,
    past: BTreeSet<String>,
}

/// What a service may use.
#[derive(Debug, Clone, Copy)]
struct Allowed {
    processors: f64,
    /// In bytes, if that is known.
    memory: Option<f64>,
}

impl Watch {
    pub(super) fn new(thresholds: Alerts, processors: usize, memory: Option<u64>) -> Self {
        let memory = memory.filter(|bytes| *bytes > 0).map(|bytes| bytes as f64);
        let host = Allowed { processors: processors.max(1) as f64, memory };
        Self { thresholds, host, own: BTreeMap::new(), past: BTreeSet::new() }
    }

    /// A service has limits of its own, in processors and bytes. More than the host has is none.
    pub(super) fn limit(&mut self, service: &str, processors: Option<f64>, memory: Option<u64>) {
        let host = self.host;
        let least =
            |one: Option<f64>, other: Option<f64>| [one, other].into_iter().flatten().reduce(f64::min);
        let allowed = Allowed {
            processors: processors.map_or(host.processors, |own| own.min(host.processors)),
            memory: least(host.memory, memory.map(|bytes| bytes as f64)),
        };
        self.own.insert(service.to_owned(), allowed);
    }

    /// What a service used has gone past a threshold.
    pub(super) fn used(&mut self, service: &str, sample: &ResourceSample) -> Vec<String> {
        let Allowed { processors, memory } = self.own.get(service).copied().unwrap_or(self.host);
        let cpu = self.thresholds.cpu.and_then(|limit| {
            let percent = sample.cpu / processors * 100.0;
            let text = format!(
                "{service} uses {percent:.0} % of the {processors} processors it may use, threshold {limit}"
            );
            self.crossed(format!("cpu of {service}"), percent > limit.value(), text)
        });
        let memory = self.thresholds.memory.zip(memory).and_then(|(limit, memory)| {
            let percent = sample.resident as f64 / memory * 100.0;
            let text = format!("{service} uses {percent:.0} % of the memory it may use, threshold {limit}");
            self.crossed(format!("memory of {service}"), percent > limit.value(), text)
        });
        cpu.into_iter().chain(memory).collect()
    }

    /// What a stream saw in an interval has gone past a threshold.
    pub(super) fn seen(&mut self, window: &Window, over: Duration) -> Vec<String> {
        let (name, over) = (&window.stream, show_duration(over));
        if window.samples == 0 {
            return Vec::new();
        }
        let errors = self.thresholds.error_rate.and_then(|limit| {
            let percent = window.bad as f64 / window.samples as f64 * 100.0;
            let text = format!("{name}: {percent:.0} % bad in {over}, threshold {limit}");
            self.crossed(format!("errors of {name}"), percent > limit.value(), text)
        });
        let slow = self.thresholds.response_time.zip(window.p95).and_then(|(limit, p95)| {
            let text =
                format!("{name}: p95 {} in {over}, threshold {}", show_duration(p95), show_duration(limit));
            self.crossed(format!("latency of {name}"), p95 > limit, text)
        });
        errors.into_iter().chain(slow).collect()
    }

    fn crossed(&mut self, figure: String, past: bool, text: String) -> Option<String> {
        if past {
            self.past.insert(figure).then_some(text)
        } else {
            self.past.remove(&figure);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Percent;

    fn watch() -> Watch {
        let percent = |value| Some(Percent::new(value).unwrap());
        let thresholds = Alerts {
            cpu: percent(90.0),
            memory: percent(50.0),
            error_rate: percent(10.0),
            response_time: Some(Duration::from_millis(100)),
        };
        Watch::new(thresholds, 2, Some(1000))
    }

    fn sample(cpu: f64, resident: u64) -> ResourceSample {
        let second = Duration::from_secs(1);
        ResourceSample { at: second, over: second, cpu, resident, read: 0, written: 0, processes: 1 }
    }

    #[test]
    fn each_crossing_is_told_once() {
        let mut watch = watch();
        assert!(watch.used("app", &sample(1.8, 500)).is_empty(), "at a threshold is not past it");
        assert_eq!(
            watch.used("app", &sample(1.9, 501)),
            [
                "app uses 95 % of the 2 processors it may use, threshold 90 %",
                "app uses 50 % of the memory it may use, threshold 50 %"
            ]
        );
        assert!(watch.used("app", &sample(2.0, 600)).is_empty(), "still past it");
        assert_eq!(watch.used("other", &sample(2.0, 0)).len(), 1, "each service for itself");
        assert!(watch.used("app", &sample(0.0, 0)).is_empty());
        assert_eq!(watch.used("app", &sample(2.0, 600)).len(), 2, "and once more");
    }

    #[test]
    fn a_service_with_limits_of_its_own_is_held_to_those() {
        let mut watch = watch();
        watch.limit("app", Some(0.5), Some(400));
        assert_eq!(
            watch.used("app", &sample(0.5, 300)),
            [
                "app uses 100 % of the 0.5 processors it may use, threshold 90 %",
                "app uses 75 % of the memory it may use, threshold 50 %"
            ]
        );
        assert!(watch.used("other", &sample(0.5, 300)).is_empty(), "one without is held to the host");
        // More than the host has, and none at all.
        watch.limit("large", Some(8.0), Some(5000));
        watch.limit("free", None, None);
        for service in ["large", "free"] {
            assert!(watch.used(service, &sample(1.8, 500)).is_empty(), "{service}");
            assert_eq!(watch.used(service, &sample(1.9, 501)).len(), 2, "{service}");
        }
    }

    #[test]
    fn what_clients_see_is_told_as_well() {
        let (mut watch, two) = (watch(), Duration::from_secs(2));
        let window = |samples, bad, millis: u64| Window {
            stream: "app".into(),
            samples,
            bad,
            p95: Some(Duration::from_millis(millis)),
        };
        assert!(watch.seen(&window(0, 0, 500), two).is_empty(), "nothing was asked");
        assert!(watch.seen(&window(40, 4, 100), two).is_empty());
        assert_eq!(
            watch.seen(&window(40, 20, 250), two),
            ["app: 50 % bad in 2 s, threshold 10 %", "app: p95 250 ms in 2 s, threshold 100 ms"]
        );
        assert!(watch.seen(&window(40, 20, 250), two).is_empty());
    }
}
