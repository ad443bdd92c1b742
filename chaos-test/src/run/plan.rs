use super::experiment::{BodyKind, Experiment};
use crate::environment::Service;
use crate::model::{BODY, SloProfile, StreamKind};
use crate::port::{ProbeSpec, TargetKind};
use crate::report::{Planned, PlannedInjection, PlannedService, PlannedStream, RunPlan};

/// What the run is to do, as far as it is known before the injector was asked.
pub(super) fn of(
    experiment: &Experiment,
    profile: &SloProfile,
    phases: Planned,
    target: &Service,
    services: &[Service],
    probes: &[ProbeSpec],
) -> RunPlan {
    let scenario = &experiment.scenario;
    let stream = |spec: &ProbeSpec| PlannedStream {
        name: spec.name.clone(),
        kind: spec.kind,
        interval: spec.interval,
        timeout: spec.timeout,
    };
    let mut streams: Vec<PlannedStream> = probes.iter().map(stream).collect();
    if let BodyKind::Repeat(rate, _) = &experiment.body {
        streams.push(PlannedStream {
            name: BODY.into(),
            kind: StreamKind::Transaction,
            interval: rate.interval(),
            timeout: super::execute::TRANSACTION_TIMEOUT,
        });
    }
    let catalogue = &experiment.located.catalogue;
    RunPlan {
        dry_run: experiment.dry_run,
        scenario: scenario.name.clone(),
        fault: scenario.fault.to_string(),
        target: target.name().to_owned(),
        slo: profile.name.clone(),
        objectives: profile.objectives.clone(),
        services: services.iter().map(service).collect(),
        streams,
        body_once: matches!(experiment.body, BodyKind::Once(_)),
        phases,
        held: scenario.fault.held_for(phases.chaos),
        at_most: super::evidence::at_most(experiment),
        injection: PlannedInjection::NotAsked,
        may_touch: services
            .iter()
            .map(may_touch)
            .chain(experiment.stress_host.then(|| "processor time and memory of this host, as agreed".into()))
            .collect(),
        abort: scenario
            .abort_conditions
            .clone()
            .unwrap_or_else(|| catalogue.safety().abort_conditions.clone()),
    }
}

fn service(service: &Service) -> PlannedService {
    let kind = service.target().kind;
    PlannedService {
        name: service.name().to_owned(),
        kind: kind.to_string(),
        address: service.address().to_string(),
        started_here: kind.is_ours(),
    }
}

/// What a fault may be aimed at in a service: all of what this run started, only the way to what it did not.
fn may_touch(service: &Service) -> String {
    let name = service.name();
    match service.target().kind {
        TargetKind::Process => {
            format!(
                "{name}: its process and what that starts, the way to it, and processor time of this host"
            )
        }
        TargetKind::Container => {
            format!(
                "{name}: its container, the network and the groups of processes it is in, and the way to it"
            )
        }
        TargetKind::Url => format!("{name}: the way to it through its front door, not the service itself"),
    }
}
