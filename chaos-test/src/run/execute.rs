use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::chaos::{Door, Shared};
use super::deadline::run_deadline;
use super::driver::{Line, drive};
use super::experiment::{BodyKind, Experiment, Inconclusive, Source, url_environment};
use super::locks::Held;
use super::progress::{Lines, Silent};
use super::record::Draft;
use super::{Chaos, panics, safety};
use crate::engine::{self, Plan, Ports, Recorder};
use crate::environment::{AsEnvironment, Environment, Service};
use crate::error::Error;
use crate::inject::injector_for;
use crate::model::{Marks, SloProfile, Stage, StreamKind, Trace, Trouble};
use crate::port::{Clock, DynInjector, ProbeSpec, Progress};
use crate::probe::Probe;
use crate::report::{Planned, Report};
use crate::sys::clock::MonotonicClock;
use crate::sys::ledger::FileLedger;
use crate::sys::run_folder;
use crate::units::{Rate, show_duration};

/// How long one transaction may take.
const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a request of the body counts as under way; the client itself sets no limit.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a body that runs once may go on after the watch.
const GRACE: Duration = Duration::from_secs(30);

/// Carries an experiment out. Once its environment is being started there is a record, unless what was asked for makes
/// no sense.
pub(super) async fn execute(mut experiment: Experiment) -> Result<Report, Error> {
    let profile = experiment.profile()?;
    let planned = plan(&experiment, &profile)?;
    let injector = match experiment.injector.take() {
        Some(injector) => injector,
        None => injector_for(&experiment.scenario.fault)
            .map_err(|error| Error::input(format!("scenario \"{}\": {error}", experiment.scenario.name)))?,
    };
    let mut draft = Draft::new(&experiment, profile.clone(), planned);
    let held = match safety::has_room(&experiment) {
        Ok(()) => Held::host(&experiment).await,
        Err(error) => Err(error),
    };
    let mut held = match held {
        Ok(held) => held,
        Err(error) if error.is_input() => return Err(error),
        Err(error) => return draft.write(could_not_run(&error), &[], experiment.inconclusive),
    };
    let _sorting = panics::Sorting::begin();
    let source = std::mem::replace(&mut experiment.environment, Source::Missing);
    let started =
        panics::Guarded::new(Box::pin(start(source, experiment.scenario.service().map(str::to_owned))));
    let started =
        started.await.unwrap_or_else(|why| Err(Error::setup(format!("the environment panicked at {why}"))));
    let environment = match started {
        Ok(environment) => environment,
        Err(error) if error.is_input() => return Err(error),
        Err(error) => return draft.write(could_not_run(&error), &[], experiment.inconclusive),
    };
    let services = environment.environment().services();
    let (service, probes) = aim(environment.environment(), &experiment)?;
    safety::check(&experiment, service)?;
    if let Err(error) = safety::clear(&experiment, service, &mut held).await {
        return draft.write(could_not_run(&error), services, experiment.inconclusive);
    }
    // A probe may be too slow for the usual baseline as well; what was asked for is left as it is.
    let slowest = probes.iter().map(|probe| probe.interval).max().unwrap_or_default();
    let planned = match experiment.baseline {
        Some(_) => planned,
        None => {
            Planned { baseline: planned.baseline.max(slowest.saturating_mul(BASELINE_SAMPLES)), ..planned }
        }
    };
    draft.planned(planned);
    let held = Arc::new(held);
    let trace = carry_out(&experiment, &profile, planned, injector, &held, (service, probes), services).await;
    draft.write(trace, services, experiment.inconclusive)
}

/// No phase is longer than this; what is was mistyped.
const LONGEST_PHASE: Duration = Duration::from_secs(24 * 3600);
/// A baseline of fewer samples than this would not be believed, and a few may be lost at its edges.
const BASELINE_SAMPLES: u32 = 25;

/// How long the phases are to be.
fn plan(experiment: &Experiment, profile: &SloProfile) -> Result<Planned, Error> {
    let chaos = experiment.scenario.duration;
    let objectives = &profile.objectives;
    let recovery = objectives.recovery.time.unwrap_or(Duration::from_secs(10));
    let longest_outage = objectives.time_to_recover.unwrap_or_default();
    let stable = objectives.recovery.stable_for();
    let enough = match &experiment.body {
        BodyKind::Repeat(rate, _) => rate.interval() * BASELINE_SAMPLES,
        BodyKind::None | BodyKind::Once(_) => Duration::ZERO,
    };
    let usual = (chaos / 3).clamp(Duration::from_secs(2), Duration::from_secs(10)).max(enough);
    let planned = Planned {
        baseline: experiment.baseline.unwrap_or(usual),
        chaos,
        watch: experiment
            .watch
            .unwrap_or_else(|| recovery.saturating_mul(2).max(longest_outage).saturating_add(stable)),
    };
    let phases = [("baseline", planned.baseline), ("duration", planned.chaos), ("watch", planned.watch)];
    match phases.into_iter().find(|(_, length)| *length > LONGEST_PHASE) {
        Some((name, length)) => Err(Error::input(format!(
            "the {name} is {}, and a phase lasts a day at most",
            show_duration(length)
        ))),
        None => Ok(planned),
    }
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
    let spec = |(service, probe): (&Service, Probe)| {
        Ok(ProbeSpec {
            name: service.name().to_owned(),
            kind: StreamKind::Probe,
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
    planned: Planned,
    injector: Box<dyn DynInjector>,
    held: &Arc<Held>,
    (service, mut probes): (&Service, Vec<ProbeSpec>),
    services: &[Service],
) -> Trace {
    let clock: Arc<dyn Clock> = Arc::new(MonotonicClock::started_now());
    let recorder = Arc::new(Recorder::new());
    let requests = recorder.add_requests(REQUEST_TIMEOUT);
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
    let ports = Ports {
        clock: Arc::clone(&clock),
        injector,
        ledger: Arc::new(FileLedger::at(
            run_folder::run_dir().join(format!("ledger-{}.jsonl", std::process::id())),
        )),
        probes,
        body: once.then_some(line as Arc<dyn crate::port::Body>),
        progress,
        mishap: mishaps(services),
    };
    // For the plan's `run_ends`, once the engine has it: where on its clock the time of the whole run is over.
    let longest = experiment.located.catalogue.safety().max_total_duration;
    let _run_ends = run_deadline(longest).ok().map(|left| clock.now() + left);
    let plan = Plan {
        fault: experiment.scenario.fault.clone(),
        target: service.target(),
        objectives: profile.objectives.clone(),
        baseline: planned.baseline,
        chaos: planned.chaos,
        watch: planned.watch,
        grace: GRACE,
    };
    let chaos = hand(services, &recorder, &clock, requests);
    // If the caller drops this future, the sender goes with it and the engine reverts and ends.
    let (going_on, cancel) = watch::channel(false);
    let guard = CancelOnDrop(going_on);
    let kept = Arc::clone(&recorder);
    // The locks are kept until the fault is gone, also when nobody waits for that.
    let (run, locks, now) =
        (engine::run(plan, ports, recorder, cancel), Arc::clone(held), Arc::clone(&clock));
    let engine = crate::sys::runtime::harness().spawn(async move {
        let trace = run.await;
        locks.fault_ended(&trace.marks, now.now());
        trace
    });
    let trace = drive(engine, commands, body, chaos, clock).await;
    drop(guard);
    trace.unwrap_or_else(|panic| {
        // What was observed until then is kept.
        kept.trouble(Trouble { stage: Stage::Cleanup, message: format!("the engine stopped: {panic}") });
        kept.finish()
    })
}

struct CancelOnDrop(watch::Sender<bool>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.send_replace(true);
    }
}

fn transactions(rate: Rate, line: Arc<Line>) -> ProbeSpec {
    ProbeSpec {
        name: "body".into(),
        kind: StreamKind::Transaction,
        probe: line,
        interval: rate.interval(),
        timeout: TRANSACTION_TIMEOUT,
    }
}

/// Looks whether a process of ours has ended without our doing.
fn mishaps(services: &[Service]) -> Box<dyn Fn() -> Option<String> + Send + Sync> {
    let watched: Vec<_> = services.iter().map(Service::watch_end).collect();
    Box::new(move || watched.iter().find_map(|look| look()))
}

fn hand(
    services: &[Service],
    recorder: &Arc<Recorder>,
    clock: &Arc<dyn Clock>,
    requests: engine::StreamId,
) -> Chaos {
    let doors = services.iter().map(|service| Door {
        name: service.name().to_owned(),
        address: service.address(),
        host: service.host().map(str::to_owned),
    });
    // One client per experiment: its connections live on the runtime of the test.
    let http = reqwest::Client::builder().no_proxy().tcp_nodelay(true).build().unwrap_or_default();
    Chaos {
        shared: Arc::new(Shared {
            recorder: Arc::clone(recorder),
            clock: Arc::clone(clock),
            services: doors.collect(),
            requests,
            log: Mutex::default(),
            http,
        }),
    }
}

impl Inconclusive {
    pub(super) fn passes(self) -> bool {
        self == Self::Passes
    }
}
