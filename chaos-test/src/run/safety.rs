//! What an experiment may do, asked before it does anything.

use std::path::Path;

use super::deadline::run_deadline;
use super::experiment::Experiment;
use super::locks::Held;
use crate::environment::Service;
use crate::error::Error;
use crate::model::{AllowedTarget, BlastRadius, Destination, Floor, Safety};
use crate::port::{Target, TargetKind};
use crate::sys::{env, headroom, run_folder};

/// Targets allowed for one run: `CHAOS_TEST_ALLOW=db.staging.example,10.1.0.0/16`.
const ALLOW: &str = "CHAOS_TEST_ALLOW";
/// Scenarios confirmed for one run, by their exact names.
const CONFIRM: &str = "CHAOS_TEST_CONFIRM";

/// Whether the fault may be aimed at that service. Nothing has been sent to it yet, unless this run started it.
pub(super) fn check(experiment: &Experiment, service: &Service) -> Result<(), Error> {
    let safety = experiment.located.catalogue.safety();
    blast_radius(safety)?.check(&destination(service)).map_err(Error::refused)?;
    if experiment.stress_host && !is_here(service) {
        return Err(Error::refused(format!(
            "the processors, memory and disk of this host may be taken for \"{}\", but it is at {}, and only a loopback \
             address tells that it is on this host; nothing was injected. Leave out `.stress_host(true)` \
             (`--stress-host`), or aim at it by 127.0.0.1",
            service.name(),
            service.direct_address()
        )));
    }
    confirmation(experiment, safety, service)
}

/// What the injector is given to aim at: it may take from this host if the service is ours, or the caller agreed.
pub(super) fn aimed(experiment: &Experiment, service: &Service) -> Target {
    let target = service.target();
    Target { shares_host: target.shares_host || (experiment.stress_host && is_here(service)), ..target }
}

/// Whether that service is known to be on this host.
pub(super) fn is_here(service: &Service) -> bool {
    service.target().kind.is_ours() || service.direct_address().ip().is_loopback()
}

fn blast_radius(safety: &Safety) -> Result<BlastRadius, Error> {
    let mut allowed = safety.allowed_targets.clone();
    for entry in listed(ALLOW) {
        let entry = entry.parse::<AllowedTarget>();
        allowed.push(entry.map_err(|error| Error::input(format!("{ALLOW}: {error}")))?);
    }
    Ok(BlastRadius::new(allowed))
}

fn destination(service: &Service) -> Destination {
    let target = service.target();
    // What stands in `Host` has the port behind it where the URL has.
    let host = service.host().map(|host| {
        let port = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
        port.map_or(host, |(host, _)| host).to_owned()
    });
    Destination {
        service: target.service,
        started_here: target.kind.is_ours(),
        host,
        address: target.address.map(|address| address.ip()),
        port: target.address.map(|address| address.port()),
    }
}

/// Faults that a catalogue wants confirmed are, against what this run did not start itself.
fn confirmation(experiment: &Experiment, safety: &Safety, service: &Service) -> Result<(), Error> {
    let (scenario, kind) = (&experiment.scenario.name, experiment.scenario.fault.kind());
    let wanted = safety.require_confirmation.contains(&kind) && !service.target().kind.is_ours();
    // A name may have commas in it.
    let named = || env::var(CONFIRM).is_some_and(|whole| whole.trim() == *scenario);
    if !wanted || experiment.confirmed || named() || listed(CONFIRM).any(|name| name == *scenario) {
        return Ok(());
    }
    Err(Error::refused(format!(
        "scenario \"{scenario}\" is a {kind}, and \"{}\" was not started by this run: `safety.require_confirmation` in \
         the catalogue wants that confirmed; nothing was injected. Set {CONFIRM}=\"{scenario}\" (several names with \
         commas between them), or say `.confirmed(true)` on the experiment",
        service.name()
    )))
}

/// Whether the time of the whole run is not over, and what the fault takes leaves enough.
///
/// Before the service is there the disk is taken to be that of the records.
pub(super) fn has_room(experiment: &Experiment, service: Option<&Service>) -> Result<(), Error> {
    run_deadline(experiment.located.catalogue.safety().max_total_duration)?;
    let disk = service.and_then(|service| service.target().disk);
    check_floor(experiment, disk.as_deref().unwrap_or(run_folder::results_dir()))
}

/// Waits until the target is free.
pub(super) async fn clear(experiment: &Experiment, service: &Service, held: &mut Held) -> Result<(), Error> {
    let (target, safety) = (service.target(), experiment.located.catalogue.safety());
    if let (TargetKind::Url, Some(address)) = (target.kind, target.address) {
        held.target(address, safety.cooldown).await?;
    }
    // It may have been a long wait, and the services have taken their share.
    has_room(experiment, Some(service))
}

/// Whether what the fault takes leaves enough on this host.
fn check_floor(experiment: &Experiment, disk: &Path) -> Result<(), Error> {
    let fault = &experiment.scenario.fault;
    let refused = |why: String| Error::setup(format!("{fault} is not run: {why}"));
    let unknown = |error: std::io::Error| refused(format!("how much is free cannot be told: {error}"));
    if let Some(asked) = fault.memory_taken() {
        let room = headroom::memory().map_err(unknown)?;
        Floor::default().check("memory", asked, room).map_err(|why| refused(why.to_string()))?;
    }
    if let Some(asked) = fault.disk_space_taken() {
        let room = headroom::disk(disk).map_err(unknown)?;
        Floor::default().check("disk space", asked, room).map_err(|why| refused(why.to_string()))?;
    }
    Ok(())
}

/// The entries of a variable, with commas between them.
fn listed(name: &str) -> impl Iterator<Item = String> {
    let entries: Vec<String> = env::var(name)
        .iter()
        .flat_map(|text| text.split(','))
        .map(|entry| entry.trim().to_owned())
        .filter(|entry| !entry.is_empty())
        .collect();
    entries.into_iter()
}
