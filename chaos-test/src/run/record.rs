use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Identity;
use super::experiment::{Experiment, Inconclusive};
use crate::environment::Service;
use crate::error::Error;
use crate::model::{Scenario, SloProfile, Trace};
use crate::report::{FORMAT_VERSION, Host, Planned, Report, RunPlan, ServiceRecord};
use crate::slo;
use crate::sys::clock::{Stopwatch, unix_time};
use crate::sys::{env, files, run_folder};

/// Lines of a service's log that go into the record.
const LOG_LINES: usize = 5;

/// What is known of a report before the run.
pub(super) struct Draft {
    identity: Identity,
    scenario: Scenario,
    slo: SloProfile,
    catalogue: Option<String>,
    planned: Planned,
    plan: Option<RunPlan>,
    started_at: Duration,
    watch: Stopwatch,
    housekeeping: Vec<String>,
}

impl Draft {
    pub(super) fn new(experiment: &Experiment, slo: SloProfile, planned: Planned) -> Self {
        Self {
            identity: experiment.identity.clone().once_per_process(),
            scenario: experiment.scenario.clone(),
            slo,
            catalogue: experiment.located.file.clone(),
            planned,
            plan: None,
            started_at: unix_time(),
            watch: Stopwatch::start(),
            housekeeping: Vec::new(),
        }
    }

    /// How long the phases are to be, now that the probes are known.
    pub(super) fn planned(&mut self, planned: Planned) {
        self.planned = planned;
    }

    /// What the run was to do.
    pub(super) fn plan(&mut self, plan: RunPlan) {
        self.plan = Some(plan);
    }

    /// What was cleaned up after others before it began.
    pub(super) fn housekeeping(&mut self, lines: Vec<String>) {
        self.housekeeping = lines;
    }

    /// Judges the trace and writes the record.
    pub(super) fn write(
        self,
        trace: Trace,
        services: &[Service],
        inconclusive: Inconclusive,
    ) -> Result<Report, Error> {
        let path = run_folder::run_dir().join(format!("{}.json", self.identity.file_stem()));
        let judgement = slo::judge(&trace, &self.slo.objectives);
        let report = Report {
            format_version: FORMAT_VERSION,
            test: self.identity.record_name(),
            binary: self.identity.binary.clone(),
            run_id: run_folder::run_id().to_owned(),
            started_at: self.started_at.as_secs_f64(),
            took: self.watch.elapsed(),
            scenario: self.scenario,
            slo: self.slo,
            catalogue: self.catalogue,
            planned: self.planned,
            plan: self.plan,
            services: services.iter().map(service).collect(),
            host: Host {
                system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
                processors: u32::try_from(env::processors()).unwrap_or(u32::MAX),
            },
            housekeeping: self.housekeeping,
            trace,
            judgement,
            inconclusive_passes: inconclusive.passes(),
            rerun: self.identity.rerun(),
            path: Some(shown(&path)),
        };
        let json = report
            .to_json()
            .map_err(|error| Error::record(format!("the record cannot be written as JSON: {error}")))?;
        files::write_atomically(&path, json.as_bytes())
            .map_err(|error| Error::record(format!("cannot write the record {}: {error}", path.display())))?;
        Ok(report)
    }
}

fn service(service: &Service) -> ServiceRecord {
    ServiceRecord {
        name: service.name().to_owned(),
        kind: service.target().kind.to_string(),
        address: service.address().to_string(),
        log_tail: service.log_tail(LOG_LINES),
        log_file: service.log_file().map(shown),
    }
}

/// A path as people type it: relative to the workspace, if it is inside; else whole.
fn shown(path: &Path) -> String {
    let here = env::current_dir();
    let target = env::target_dir();
    // Cargo's target directory is in the workspace unless somebody moved it.
    let beside_target = target.parent().filter(|root| here.starts_with(root)).map(Path::to_path_buf);
    let root = env::var("NEXTEST_WORKSPACE_ROOT").map(PathBuf::from).or(beside_target);
    let short = root.as_deref().and_then(|root| path.strip_prefix(root).ok());
    short.unwrap_or(path).display().to_string()
}
