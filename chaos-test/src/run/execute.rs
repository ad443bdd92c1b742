use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::mpsc;

use super::active::Active;
use super::audit::Audit;
use super::chaos::{Door, Shared};
use super::deadline::{refused, run_deadline};
use super::driver::{Line, drive};
use super::experiment::{BodyKind, Experiment, Source, url_environment};
use super::locks::Held;
use super::noted::Noted;
use super::progress::{Lines, Silent};
use super::record::Draft;
use super::requests::Requests;
use super::supervise::{self, Charge};
use super::{Chaos, door, housekeeping, monitor, noise, panics, phases, plan, safety};
use crate::engine::{Guard, Limits, Plan, Ports, Recorder};
use crate::environment::{AsEnvironment, Environment, Service};
use crate::error::{Error, ErrorKind};
use crate::inject::injector_for;
use crate::model::{
    Abort, AbortCause, BODY, Marks, SloProfile, Stage, StreamKind, StreamNames, Trace, Trouble,
};
use crate::port::{Clock, DynInjector, Keeper, Ledger, Mishap, ProbeSpec, Progress};
use crate::probe::Probe;
use crate::report::{Report, render};
use crate::sys::clock::{self, MonotonicClock};
use crate::sys::env;
use crate::sys::ledger::{self, FileLedger};
use crate::sys::runtime::harness;
use crate::units::Rate;

/// How long one transaction may take.
pub(super) const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a body that runs once may go on after the watch.
const GRACE: Duration = Duration::from_secs(30);
/// How much longer than the whole run may take a process may live.
const AFTER_DEADLINE: Duration = Duration::from_secs(60);

/// Carries an experiment out. Once its environment is being started there is a record, unless what was asked for makes
/// no sense.
pub(super) async fn execute(experiment: Experiment) -> Result<Report, Error> {
    let outcome = refused(from_start_to_end(experiment).await);
    // A process that is about to die of a signal is not to end in any other way before.
    super::active::wait_if_dying().await;
    outcome
}

async fn from_start_to_end(mut experiment: Experiment) -> Result<Report, Error> {
    let profile = experiment.profile()?;
    let planned = phases::planned(&experiment, &profile)?;
    let injector = match experiment.injector.take() {
        Some(injector) => injector,
        None => injector_for(&experiment.scenario.fault),
    };
    crate::helper::link();
    experiment.dry_run |= dry_run_wanted();
    let (injector, answers) = Noted::of(injector, experiment.scenario.pin.clone(), experiment.dry_run);
    let mut draft = Draft::new(&experiment, profile.clone(), planned);
    let active = Active::begin();
    let ready = tokio::select! {
        biased;
        cause = active.cancelled() => return active.told(draft.write(stopped_in_setup(cause))),
        ready = clear_the_way(&experiment, &draft) => ready,
    };
    let (mut held, swept) = match ready {
        Ok(ready) => ready,
        Err(error) if error.is_input() => return Err(error),
        Err(error) => return draft.write(could_not_run(&error)),
    };
    draft.housekeeping(swept);
    let _sorting = panics::Sorting::begin();
    let source = std::mem::replace(&mut experiment.environment, Source::Missing);
    let started =
        panics::Guarded::new(Box::pin(start(source, experiment.scenario.service().map(str::to_owned))));
    let started = tokio::select! {
        biased;
        cause = active.cancelled() => return active.told(draft.write(stopped_in_setup(cause))),
        started = started => started,
    };
    let started =
        started.unwrap_or_else(|why| Err(Error::setup(format!("the environment panicked at {why}"))));
    let environment = match started {
        Ok(environment) => environment,
        Err(error) if error.is_input() => return Err(error),
        Err(error) if error.kind() == ErrorKind::Skipped => {
            eprintln!("SKIPPED: {error}");
            return draft.write(skipped(&error));
        }
        Err(error) => return draft.write(could_not_run(&error)),
    };
    let services = environment.environment().services();
    let (service, probes) = aim(environment.environment(), &experiment)?;
    experiment.check_throughput(&profile.objectives, &probes)?;
    safety::check(&experiment, service)?;
    draft.services(services);
    let clear = tokio::select! {
        biased;
        cause = active.cancelled() => return active.told(draft.write(stopped_in_setup(cause))),
        clear = safety::clear(&experiment, service, &mut held) => clear,
    };
    if let Err(error) = clear {
        return draft.write(could_not_run(&error));
    }
    let planned = phases::for_probes(planned, &experiment, &profile, &probes);
    draft.planned(planned);
    draft.plan(plan::of(&experiment, &profile, planned, service, services, &probes), answers);
    let charge = Charge { draft: Arc::new(draft), active, held: Arc::new(held) };
    let report =
        carry_out(&experiment, &profile, charge, Box::new(injector), (service, probes), services).await;
    settle(services, report.as_ref().is_ok_and(Report::passed)).await;
    if let (true, Ok(report)) = (experiment.dry_run, &report)
        && let Some(plan) = &report.plan
    {
        eprintln!("{}\n", render::plan(plan));
    }
    report
}

/// What was kept of the services to be looked at goes if the test has passed.
async fn settle(services: &[Service], passed: bool) {
    let settling = services.iter().map(|service| service.settler(passed));
    let settling: Vec<_> = settling.collect();
    // Of no interest to the verdict.
    let _ = harness().spawn_blocking(move || settling.iter().for_each(|settle| settle())).await;
}

/// What must be so before anything is started: a reaper watches, the whole run has time left, nobody is in the way, and
/// nothing of a dead run is. Returns the locks, and what was cleaned up.
async fn clear_the_way(experiment: &Experiment, draft: &Draft) -> Result<(Held, Vec<String>), Error> {
    safety::has_room(experiment, None)?;
    draft.open()?;
    let left = run_deadline(experiment.located.catalogue.safety().max_total_duration)?;
    // The guardian ends the run in time; a process that goes on all the same is ended from outside.
    let last = clock::monotonic() + (left + AFTER_DEADLINE).as_secs_f64();
    ledger::end_by(Some(last)).map_err(|error| Error::setup(format!("nothing was started: {error}")))?;
    let held = Held::host(experiment).await?;
    Ok((held, housekeeping::sweep().await))
}

/// Whether the variable makes a dry run of every run. It outweighs what a test says: somebody who sets it relies on it.
fn dry_run_wanted() -> bool {
    env::var("CHAOS_TEST_DRY_RUN").is_some_and(|value| value != "0")
}

async fn start(source: Source, service: Option<String>) -> Result<Arc<dyn AsEnvironment>, Error> {
    match source {
        Source::Start(start) => start().await,
        Source::Url(url) => Ok(Arc::new(url_environment(service.as_deref().unwrap_or("target"), url).await?)),
        Source::Missing => Err(Error::input(
            "nothing to run against: name an `environment = path::to::fn` or a `target = \"http://…\"` \
             (with the builder: `.environment(…)` or `.against(…)`)",
        )),
    }
}

fn could_not_run(error: &Error) -> Trace {
    let marks = Marks { ended: Some(Duration::ZERO), ..Marks::default() };
    let trouble = Some(Trouble { stage: Stage::Setup, message: error.to_string() });
    Trace { marks, trouble, ..Trace::default() }
}

fn skipped(error: &Error) -> Trace {
    let marks = Marks { ended: Some(Duration::ZERO), ..Marks::default() };
    Trace { marks, skipped: Some(error.to_string()), ..Trace::default() }
}

fn stopped_in_setup(cause: AbortCause) -> Trace {
    let marks = Marks { ended: Some(Duration::ZERO), ..Marks::default() };
    Trace { marks, abort: Some(Abort { at: Duration::ZERO, cause }), ..Trace::default() }
}

/// The service the fault is aimed at, and the probes to measure with.
fn aim<'a>(
    environment: &'a Environment,
    experiment: &Experiment,
) -> Result<(&'a Service, Vec<ProbeSpec>), Error> {
    let service = match experiment.scenario.service() {
        Some(name) => environment.service(name).ok_or_else(|| {
            let why = environment.unknown(name);
            Error::input(format!("scenario \"{}\" is aimed at \"{name}\": {why}", experiment.scenario.name))
        })?,
        None => {
            environment.services().first().ok_or_else(|| Error::input("the environment has no services"))?
        }
    };
    // A repeated body is the measurement: the services' readiness would only be judged beside it, the service under
    // fault among them. Probes that were asked for are taken in any case.
    let repeated = matches!(experiment.body, BodyKind::Repeat(..));
    let mut probes = environment.probes(!repeated);
    if probes.is_empty() && !repeated {
        let check = &experiment.located.catalogue.monitoring().health_check;
        let probe = Probe::http(check.endpoint.clone()).timeout(check.timeout.min(Duration::from_secs(1)));
        probes.push((service, probe.into()));
    }
    let mut names = StreamNames::new();
    let spec = |(service, probe): (&Service, Probe)| {
        Ok(ProbeSpec {
            name: names.take(service.name()),
            kind: StreamKind::Probe,
            elsewhere: !safety::is_here(service),
            probe: probe.aimed_at(service.address(), service.host()).map_err(Error::input)?,
            interval: probe.interval,
            timeout: probe.timeout,
        })
    };
    Ok((service, probes.into_iter().map(spec).collect::<Result<_, Error>>()?))
}

async fn carry_out(
    experiment: &Experiment,
    profile: &SloProfile,
    charge: Charge,
    injector: Box<dyn DynInjector>,
    (service, mut probes): (&Service, Vec<ProbeSpec>),
    services: &[Service],
) -> Result<Report, Error> {
    let planned = charge.draft.phases();
    let owed = Arc::new(FileLedger::of(charge.draft.number()));
    let audit = Audit::of(services, Arc::clone(&owed)).before().await;
    // One client per experiment: its connections live on the runtime of the test. Made before the clock starts, for it
    // takes a while, and the first samples are due at once.
    let http = reqwest::Client::builder().no_proxy().tcp_nodelay(true).build().unwrap_or_default();
    let clock: Arc<dyn Clock> = Arc::new(MonotonicClock::started_now());
    let recorder = Arc::new(Recorder::new());
    let requests = Requests::recorded(&recorder, &profile.objectives);
    let (line, commands) = mpsc::unbounded_channel();
    let line = Arc::new(Line(line));
    let body = match &experiment.body {
        BodyKind::None => None,
        BodyKind::Once(body) => Some(body.clone()),
        BodyKind::Repeat(rate, body) => {
            probes.push(transactions(*rate, Arc::clone(&line)));
            Some(body.clone())
        }
    };
    let once = matches!(experiment.body, BodyKind::Once(_));
    let progress: Arc<dyn Progress> = if experiment.progress.unwrap_or_else(Lines::wanted) {
        Arc::new(Lines::new(&experiment.scenario.name))
    } else {
        Arc::new(Silent)
    };
    let elsewhere = probes.iter().filter(|probe| probe.elsewhere).map(|probe| probe.name.clone()).collect();
    let ports = Ports {
        clock: Arc::clone(&clock),
        injector: Arc::from(injector),
        keeper: Arc::clone(&charge.draft) as Arc<dyn Keeper>,
        ledger: owed as Arc<dyn Ledger>,
        probes,
        body: once.then_some(line as Arc<dyn crate::port::Body>),
        progress,
        mishaps: mishaps(services),
    };
    let longest = experiment.located.catalogue.safety().max_total_duration;
    let plan = Plan {
        fault: experiment.scenario.fault.clone(),
        pin: experiment.scenario.pin.clone(),
        target: safety::aimed(experiment, service),
        objectives: profile.objectives.clone(),
        baseline: planned.baseline,
        chaos: planned.chaos,
        watch: planned.watch,
        grace: GRACE,
        guard: guard(experiment),
        limits: Limits::default(),
        // Over by now is no reason to have no end.
        run_ends: Some(clock.now() + run_deadline(longest).unwrap_or_default()),
        dry_run: experiment.dry_run,
        sequential: super::evidence::sequential(experiment, &charge.draft),
    };
    let chaos = hand(services, &recorder, &clock, requests, http);
    noise::begin(&plan, elsewhere, &clock, &recorder);
    door::begin(service, planned.baseline, &clock, &recorder);
    monitor::begin(experiment.located.catalogue.monitoring(), services, &clock, &recorder);
    charge.active.ends(services.iter().map(|service| (service.name().to_owned(), service.ender())));
    // If the caller drops this future, the engine is told: it reverts and ends.
    let guard = CancelOnDrop(Arc::clone(&charge.active));
    let engine = supervise::start(plan, ports, recorder, charge, audit);
    let outcome = drive(engine, commands, body, chaos).await;
    drop(guard);
    outcome
}

/// When the guardian is to stop the run.
fn guard(experiment: &Experiment) -> Guard {
    let catalogue = &experiment.located.catalogue;
    let own = experiment.scenario.abort_conditions.as_ref();
    Guard {
        conditions: own.unwrap_or(&catalogue.safety().abort_conditions).clone(),
        own: own.is_some(),
        interval: catalogue.monitoring().health_check.interval,
    }
}

struct CancelOnDrop(Arc<Active>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel(AbortCause::Dropped);
    }
}

fn transactions(rate: Rate, line: Arc<Line>) -> ProbeSpec {
    ProbeSpec {
        name: BODY.into(),
        kind: StreamKind::Transaction,
        elsewhere: false,
        probe: line,
        interval: rate.interval(),
        timeout: TRANSACTION_TIMEOUT,
    }
}

/// Looks whether a process of ours has ended, or come back, without our doing.
fn mishaps(services: &[Service]) -> Box<dyn Fn() -> Vec<Mishap> + Send + Sync> {
    let watched: Vec<_> = services.iter().map(Service::watch_mishaps).collect();
    Box::new(move || watched.iter().flat_map(|look| look()).collect())
}

fn hand(
    services: &[Service],
    recorder: &Arc<Recorder>,
    clock: &Arc<dyn Clock>,
    requests: Requests,
    http: reqwest::Client,
) -> Chaos {
    let doors = services.iter().map(|service| Door {
        name: service.name().to_owned(),
        address: service.address(),
        host: service.host().map(str::to_owned),
    });
    Chaos {
        shared: Arc::new(Shared {
            recorder: Arc::clone(recorder),
            clock: Arc::clone(clock),
            services: doors.collect(),
            requests,
            log: Mutex::default(),
            complaints: Mutex::default(),
            http,
        }),
    }
}
