use std::sync::{Arc, Weak};
use std::time::Duration;

use super::alerts::Watch;
use crate::engine::Recorder;
use crate::environment::Service;
use crate::model::{EventKind, Metric, Monitoring, Phase, ResourceSample};
use crate::port::{Clock, Meter, Usage};
use crate::sys::runtime::harness;
use crate::sys::used::Meters;
use crate::sys::{containers, env, headroom};

/// A run of a minute is to have more than a dozen samples, whatever a catalogue for long runs says.
const LONGEST: Duration = Duration::from_secs(1);
/// One reading of the process table takes some milliseconds.
const SHORTEST: Duration = Duration::from_millis(100);

/// Samples what services use through a run, and tells what goes past a threshold, until the run is over.
pub(super) struct Monitor {
    services: Vec<String>,
    /// Those in containers, with what their engine calls them.
    contained: Vec<(String, String)>,
    meter: Box<dyn Meter>,
    interval: Duration,
    /// How often what clients see is held against the thresholds.
    look: Duration,
    watch: Watch,
    clock: Arc<dyn Clock>,
    recorder: Weak<Recorder>,
}

/// Begins it, on the harness's threads.
pub(super) fn begin(
    monitoring: &Monitoring,
    services: &[Service],
    clock: &Arc<dyn Clock>,
    recorder: &Arc<Recorder>,
) {
    let figures = [Metric::CpuUsage, Metric::MemoryUsage, Metric::DiskIo];
    let wanted = figures.iter().any(|figure| monitoring.metrics.contains(figure));
    let of = |has: fn(&Service) -> bool| services.iter().filter(move |service| wanted && has(service));
    let processes = || of(|service| service.process().is_some());
    let containers = || of(|service| service.container().is_some());
    let id = |service: &Service| Some((service.name().to_owned(), service.container()?.id()));
    let monitor = Monitor {
        contained: containers().filter_map(id).collect(),
        services: processes().chain(containers()).map(|service| service.name().to_owned()).collect(),
        meter: Box::new(Meters::of(
            processes().filter_map(Service::process),
            containers().filter_map(Service::container).collect(),
        )),
        interval: monitoring.sampling_interval.clamp(SHORTEST, LONGEST),
        look: monitoring.health_check.interval.max(SHORTEST),
        watch: Watch::new(
            monitoring.alerts.clone(),
            env::processors(),
            headroom::memory().ok().map(|room| room.total.bytes()),
        ),
        clock: Arc::clone(clock),
        // A run that ended in an unforeseen way is not watched for ever.
        recorder: Arc::downgrade(recorder),
    };
    harness().spawn(monitor.run());
}

impl Monitor {
    async fn run(mut self) {
        let Some(mut phases) = self.recorder.upgrade().map(|recorder| recorder.phases()) else { return };
        // They may have limits of their own, and what they use is a share of those.
        for (service, id) in std::mem::take(&mut self.contained) {
            let limits = containers::limits(&id).await;
            self.watch.limit(&service, limits.processors, limits.memory);
        }
        let began = self.clock.now();
        let mut last: Option<(Vec<Usage>, Duration)> = None;
        let mut looked = began;
        let mut next = began;
        loop {
            tokio::select! {
                biased;
                over = phases.wait_for(|phase| *phase == Phase::Recovered) => {
                    drop(over);
                    return;
                }
                () = self.clock.sleep_until(next) => {}
            }
            let mut meter = self.meter;
            let reading = tokio::task::spawn_blocking(move || (meter.read(), meter)).await;
            let Ok((usages, meter)) = reading else { return };
            self.meter = meter;
            let now = self.clock.now();
            let Some(recorder) = self.recorder.upgrade() else { return };
            if let Ok(usages) = usages {
                if let Some((before, at)) = last.take() {
                    self.sample(&recorder, &before, &usages, at, now);
                }
                last = Some((usages, now));
            }
            if now >= looked + self.look {
                // Answers still under way say nothing yet: the interval that ended one interval ago is whole.
                let (from, to) = (looked.saturating_sub(self.look), now.saturating_sub(self.look));
                for window in recorder.figures_between(from, to) {
                    for text in self.watch.seen(&window, to.saturating_sub(from)) {
                        recorder.event(to, EventKind::Alert, text);
                    }
                }
                looked = now;
            }
            next = (next + self.interval).max(now);
        }
    }

    fn sample(&mut self, recorder: &Recorder, before: &[Usage], now: &[Usage], from: Duration, at: Duration) {
        let over = at.saturating_sub(from);
        if over.is_zero() {
            return;
        }
        for (service, (before, now)) in self.services.iter().zip(before.iter().zip(now)) {
            let sample = ResourceSample {
                at,
                over,
                cpu: now.cpu.saturating_sub(before.cpu).as_secs_f64() / over.as_secs_f64(),
                resident: now.resident,
                read: now.read.saturating_sub(before.read),
                written: now.written.saturating_sub(before.written),
                processes: now.processes,
            };
            recorder.used(service, sample);
            for text in self.watch.used(service, &sample) {
                recorder.event(at, EventKind::Alert, text);
            }
        }
    }
}
