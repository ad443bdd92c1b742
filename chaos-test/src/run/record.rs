use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Identity;
use super::custom::Custom;
use super::experiment::Experiment;
use super::noted::Notes;
use crate::environment::Service;
use crate::error::Error;
use crate::model::{Scenario, SloProfile, Trace};
use crate::port::Keeper;
use crate::report::{FORMAT_VERSION, Host, Planned, Report, RunPlan, ServiceRecord};
use crate::slo;
use crate::sys::clock::{Stopwatch, unix_time};
use crate::sys::{env, files, ledger, run_folder};

/// Lines of a service's log that go into the record.
const LOG_LINES: usize = 5;

/// The record of an earlier try is no larger than this, or else not read.
const MOST: u64 = 256 << 20;

/// What is known of a report before the run, and where it goes.
pub(super) struct Draft {
    identity: Identity,
    scenario: Scenario,
    slo: SloProfile,
    catalogue: Option<String>,
    planned: Planned,
    inconclusive_passes: bool,
    services: Vec<Known>,
    started_at: Duration,
    watch: Stopwatch,
    housekeeping: Vec<String>,
    /// What the run is to do, and where the injector's answers to that are.
    plan: Option<(RunPlan, Notes)>,
    /// The test's own objectives, to be looked at when the run is over.
    pub(super) custom: Vec<Custom>,
    kept: Mutex<Kept>,
}

/// What is known of a service; its log is read when a record is written.
struct Known {
    name: String,
    kind: String,
    address: String,
    log: Option<PathBuf>,
}

/// How far the pending record has come.
#[derive(Default)]
struct Kept {
    until: Duration,
    /// The final record is there, or on its way.
    over: bool,
    /// Its number in the ledger, while the record is still to be written.
    open: Option<u64>,
}

impl Draft {
    pub(super) fn new(experiment: &Experiment, slo: SloProfile, planned: Planned) -> Self {
        Self {
            identity: experiment.identity.clone().once_per_process(),
            scenario: experiment.scenario.clone(),
            slo,
            catalogue: experiment.located.file.clone(),
            planned,
            inconclusive_passes: experiment.inconclusive.passes(),
            services: Vec::new(),
            started_at: unix_time(),
            watch: Stopwatch::start(),
            housekeeping: Vec::new(),
            plan: None,
            custom: experiment.asked.custom.clone(),
            kept: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes in the ledger that this record is to be written: if this process cannot, its reaper makes it of the
    /// pending one. Returns the experiment's number there.
    pub(super) fn open(&self) -> Result<u64, Error> {
        let opened = ledger::begin(&self.identity.record_name(), &self.pending(), &self.path());
        let experiment = opened.map_err(|error| Error::setup(format!("nothing was started: {error}")))?;
        self.lock().open = Some(experiment);
        // After that note: a pending record that no ledger names would stay for good.
        self.put(Trace::default()).map_err(|error| {
            let pending = self.pending();
            Error::setup(format!(
                "nothing was started: cannot write {}: {error}; of a test that is killed the record is made of it",
                pending.display()
            ))
        })?;
        Ok(experiment)
    }

    /// The number of its experiment in the ledger.
    pub(super) fn number(&self) -> Option<u64> {
        self.lock().open
    }

    /// What was cleaned up after others before it began.
    pub(super) fn housekeeping(&mut self, lines: Vec<String>) {
        self.housekeeping = lines;
    }

    /// What the run is to do; the injector's answers come later.
    pub(super) fn plan(&mut self, plan: RunPlan, answers: Notes) {
        self.plan = Some((plan, answers));
    }

    /// How long the phases are to be, now that the probes are known.
    pub(super) fn planned(&mut self, planned: Planned) {
        self.planned = planned;
    }

    pub(super) fn phases(&self) -> Planned {
        self.planned
    }

    /// The services there are, now that they have started.
    pub(super) fn services(&mut self, services: &[Service]) {
        self.services = services.iter().map(known).collect();
    }

    /// Judges the trace and writes the record, in place of the pending one.
    pub(super) fn write(&self, trace: Trace) -> Result<Report, Error> {
        let mut kept = self.lock();
        kept.over = true;
        let report = self.report(trace);
        let path = self.path();
        let json = report
            .to_json()
            .map_err(|error| Error::record(format!("the record cannot be written as JSON: {error}")))?;
        files::write_atomically(&path, json.as_bytes())
            // What came of the run is told here or nowhere.
            .map_err(|error| {
                let path = path.display();
                Error::record(format!(
                    "cannot write the record {path}: {error}; it says: {}",
                    report.headline()
                ))
            })?;
        self.close(&mut kept);
        Ok(report)
    }

    /// Writes the pending record.
    fn put(&self, trace: Trace) -> io::Result<()> {
        let until = trace.marks.ended.unwrap_or_default();
        let mut kept = self.lock();
        // Two that were begun one after the other need not come here in that order.
        if kept.over || until < kept.until {
            return Ok(());
        }
        kept.until = until;
        let json = self.report(trace).to_json().map_err(io::Error::other)?;
        files::write_atomically(&self.pending(), json.as_bytes())
    }

    /// The record is written, or there is to be none.
    fn close(&self, kept: &mut Kept) {
        let _ = files::remove(&self.pending());
        if let Some(experiment) = kept.open.take() {
            // If the note is lost, the reaper finds no pending record and has nothing to write.
            let _ = ledger::end(experiment);
        }
    }

    /// The record of the try before this one, if the runner tries again and that one was of the very same experiment.
    pub(super) fn earlier_try(&self) -> Option<Report> {
        let stem = self.identity.earlier_try()?;
        let bytes = files::read_at_most(&run_folder::run_dir().join(format!("{stem}.json")), MOST).ok()?;
        let report = Report::from_json(&bytes).ok()?;
        // Names that differ may share a file, and an experiment of a test may be another one the next time.
        let same_test = report.test == self.identity.record_name() && report.binary == self.identity.binary;
        let looked_at = |plan: &RunPlan| (plan.target.clone(), plan.streams.clone());
        let same_plan =
            report.plan.as_ref().map(looked_at) == self.plan.as_ref().map(|(own, _)| looked_at(own));
        let same = same_test && same_plan && report.scenario == self.scenario && report.slo == self.slo;
        same.then_some(report)
    }

    pub(super) fn path(&self) -> PathBuf {
        run_folder::run_dir().join(format!("{}.json", self.identity.file_stem()))
    }

    /// Hidden, so that nobody takes it for the record of a test that is over.
    fn pending(&self) -> PathBuf {
        run_folder::run_dir().join(format!(".{}.pending.json", self.identity.file_stem()))
    }

    fn report(&self, trace: Trace) -> Report {
        let judgement = slo::judge(&trace, &self.slo.objectives);
        Report {
            format_version: FORMAT_VERSION,
            test: self.identity.record_name(),
            binary: self.identity.binary.clone(),
            run_id: run_folder::run_id().to_owned(),
            started_at: self.started_at.as_secs_f64(),
            took: self.watch.elapsed(),
            scenario: self.scenario.clone(),
            slo: self.slo.clone(),
            catalogue: self.catalogue.clone(),
            planned: self.planned,
            services: self.services.iter().map(Known::record).collect(),
            host: Host {
                system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
                processors: u32::try_from(env::processors()).unwrap_or(u32::MAX),
            },
            housekeeping: self.housekeeping.clone(),
            plan: self
                .plan
                .as_ref()
                .map(|(plan, answers)| RunPlan { injection: answers.injection(), ..plan.clone() }),
            trace,
            judgement,
            inconclusive_passes: self.inconclusive_passes,
            rerun: self.identity.rerun(),
            path: Some(shown(&self.path())),
        }
    }
}

impl Keeper for Draft {
    fn keep(&self, trace: Trace) {
        // It is for the case that this process dies, and no reason to stop a run that can go on: an earlier one is
        // there, and the record itself says so if the disk takes nothing.
        let _ = self.put(trace);
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let mut kept = self.lock();
        // What was asked for made no sense, or its caller gave it up before the engine had it: there is no record.
        if !kept.over {
            kept.over = true;
            self.close(&mut kept);
        }
    }
}

fn known(service: &Service) -> Known {
    Known {
        name: service.name().to_owned(),
        kind: service.target().kind.to_string(),
        address: service.address().to_string(),
        log: service.log_file().map(Path::to_path_buf),
    }
}

impl Known {
    fn record(&self) -> ServiceRecord {
        ServiceRecord {
            name: self.name.clone(),
            kind: self.kind.clone(),
            address: self.address.clone(),
            log_tail: self.log.as_deref().map_or_else(Vec::new, |log| files::tail(log, LOG_LINES)),
            log_file: self.log.as_deref().map(shown),
        }
    }
}

/// A path as people type it: relative to the workspace, or to here, if it is inside; else whole.
fn shown(path: &Path) -> String {
    let here = env::current_dir();
    let target = env::target_dir();
    // Cargo's target directory is in the workspace unless somebody moved it.
    let beside_target = target.parent().filter(|root| here.starts_with(root)).map(Path::to_path_buf);
    let root = env::var("NEXTEST_WORKSPACE_ROOT").map(PathBuf::from).or(beside_target);
    let short = root.as_deref().and_then(|root| path.strip_prefix(root).ok());
    let short = short.or_else(|| path.strip_prefix(&here).ok());
    short.unwrap_or(path).display().to_string()
}
