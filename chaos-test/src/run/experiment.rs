use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::asked::Asked;
use super::deadline::refused;
use super::driver::BodyFn;
use super::{Chaos, Identity, Inconclusive, IntoBodyResult, LocalFuture, Located, locate, read};
use crate::environment::{AsEnvironment, Environment};
use crate::error::Error;
use crate::model::{AbortConditions, Fault, Intensity, Pin, Scenario};
use crate::port::DynInjector;
use crate::report::Report;
use crate::units::Rate;

/// A scenario bound to an environment, an SLO profile and a test body.
///
/// ```no_run
/// # async fn buy_tea() -> anyhow_like::Result { Ok(()) }
/// # mod anyhow_like { pub type Result = std::result::Result<(), std::io::Error>; }
/// # async fn example() -> Result<(), chaos_test::Error> {
/// use chaos_test::prelude::*;
/// let report = Experiment::scenario("Heavy Network Delay")?
///     .against("http://127.0.0.1:8000")
///     .slo("staging")
///     .repeat(20.per_second(), || async { buy_tea().await })
///     .run()
///     .await?;
/// report.expect_pass();
/// # Ok(()) }
/// ```
#[must_use = "an experiment does nothing until `.run()` is awaited"]
pub struct Experiment {
    pub(super) scenario: Scenario,
    pub(super) located: Located,
    pub(super) slo: Option<String>,
    pub(super) asked: Asked,
    pub(super) environment: Source,
    pub(super) body: BodyKind,
    pub(super) baseline: Option<Duration>,
    pub(super) watch: Option<Duration>,
    pub(super) inconclusive: Inconclusive,
    pub(super) identity: Identity,
    pub(super) progress: Option<bool>,
    pub(super) injector: Option<Box<dyn DynInjector>>,
    pub(super) dry_run: bool,
    pub(super) confirmed: bool,
    pub(super) stress_host: bool,
    pub(super) sequential: bool,
    pub(super) warnings_told: bool,
}

type Started = LocalFuture<Result<Arc<dyn AsEnvironment>, Error>>;

pub(super) enum Source {
    Missing,
    Url(String),
    Start(Box<dyn FnOnce() -> Started>),
}

pub(super) enum BodyKind {
    None,
    Once(BodyFn),
    Repeat(Rate, BodyFn),
}

impl Experiment {
    /// An experiment with a scenario of the catalogue that applies here: the repo's own `chaos_scenarios.yml` over
    /// the built-in one.
    ///
    /// # Errors
    /// An unknown name (with the nearest known one), or a catalogue with mistakes (all of them).
    pub fn scenario(name: &str) -> Result<Self, Error> {
        refused(locate().and_then(|located| Self::of(name, located)))
    }

    /// An experiment with a scenario of a catalogue file, over the built-in one.
    ///
    /// # Errors
    /// As [`Experiment::scenario`], and a file that cannot be read.
    pub fn scenario_of(catalogue: impl AsRef<Path>, name: &str) -> Result<Self, Error> {
        refused(read(catalogue.as_ref()).and_then(|located| Self::of(name, located)))
    }

    pub(crate) fn of(name: &str, located: Located) -> Result<Self, Error> {
        let scenario = located.catalogue.scenario(name).map_err(Error::input)?.clone();
        Ok(Self::new(scenario, located))
    }

    /// An experiment with a fault of your own, for that long.
    ///
    /// # Errors
    /// A catalogue with mistakes: the SLO profiles come from it.
    pub fn fault(fault: Fault, duration: Duration) -> Result<Self, Error> {
        let scenario = Scenario {
            name: fault.to_string(),
            fault,
            intensity: Intensity::Medium,
            duration,
            description: String::new(),
            target: None,
            expected_impact: None,
            abort_conditions: None,
            pin: Pin::default(),
        };
        Ok(Self::new(scenario, refused(locate())?))
    }

    fn new(scenario: Scenario, located: Located) -> Self {
        let identity = Identity::current(&crate::model::slug(&scenario.name));
        Self {
            scenario,
            located,
            slo: None,
            asked: Asked::default(),
            environment: Source::Missing,
            body: BodyKind::None,
            baseline: None,
            watch: None,
            inconclusive: Inconclusive::Fails,
            identity,
            progress: None,
            injector: None,
            dry_run: false,
            confirmed: false,
            stress_host: false,
            sequential: true,
            warnings_told: false,
        }
    }

    /// Runs against something already running: `http://127.0.0.1:8000`, without path, query or login. Faults are made on the path
    /// to it.
    ///
    /// Without a probe or a repeated body it is measured by the catalogue's `monitoring.health_check`.
    pub fn against(mut self, url: impl Into<String>) -> Self {
        self.environment = Source::Url(url.into());
        self
    }

    /// Runs in an environment that this starts: [`Environment`], or a type of yours that holds one.
    pub fn environment<F, R, E, X>(mut self, start: F) -> Self
    where
        F: FnOnce() -> R + 'static,
        R: Future<Output = Result<E, X>> + 'static,
        E: AsEnvironment,
        X: std::fmt::Debug + 'static,
    {
        self.environment = Source::Start(Box::new(move || {
            Box::pin(async move {
                let started = start().await.map_err(|error| Error::of_environment(&error))?;
                Ok(Arc::new(started) as Arc<dyn AsEnvironment>)
            })
        }));
        self
    }

    pub(crate) fn start_with(mut self, start: impl FnOnce() -> Started + 'static) -> Self {
        self.environment = Source::Start(Box::new(start));
        self
    }

    /// The SLO profile to judge by: `staging`. The catalogue's base targets unless said otherwise.
    pub fn slo(mut self, profile: impl Into<String>) -> Self {
        self.slo = Some(profile.into());
        self
    }

    /// A body that is a user transaction: it runs at that rate through all phases, and every run is a sample.
    ///
    /// An error or a panic is a bad sample; its time is its latency. A run that takes longer than 5 s is dropped,
    /// and counts as timed out. Only the transactions are measured, and probes that were added to the environment.
    pub fn repeat<F, R>(self, rate: Rate, body: F) -> Self
    where
        F: Fn() -> R + 'static,
        R: Future + 'static,
        R::Output: IntoBodyResult,
    {
        let body = Rc::new(body);
        self.repeat_with(rate, move |_| {
            let body = Rc::clone(&body);
            async move { body().await }
        })
    }

    /// As [`repeat`](Self::repeat), with a hand on the run.
    pub fn repeat_with<F, R>(mut self, rate: Rate, body: F) -> Self
    where
        F: Fn(Chaos) -> R + 'static,
        R: Future + 'static,
        R::Output: IntoBodyResult,
    {
        self.body = BodyKind::Repeat(rate, boxed(body));
        self
    }

    /// A body that is a story: it starts when the fault is proven, runs once, and its own failure fails the test.
    pub fn body<F, R>(mut self, body: F) -> Self
    where
        F: Fn(Chaos) -> R + 'static,
        R: Future + 'static,
        R::Output: IntoBodyResult,
    {
        self.body = BodyKind::Once(boxed(body));
        self
    }

    /// How long the chaos phase lasts, in place of the scenario's own duration.
    pub fn duration(mut self, duration: Duration) -> Self {
        self.scenario.duration = duration;
        self
    }

    /// How long normal is looked at before the fault: a third of the chaos phase, from 2 s to 4 s (to 10 s where
    /// it is not [sequential](Self::sequential)) and for at least 25
    /// samples of the slowest stream, unless said otherwise. A day at most, as every phase.
    pub fn baseline(mut self, duration: Duration) -> Self {
        self.baseline = Some(duration);
        self
    }

    /// How long recovery is watched for at most: twice the recovery limit, or the longest outage allowed, if that is more, and
    /// then for a stable window, which has 30 samples of the slowest stream at least. Where less is said, one that was not
    /// seen to recover may be [`StillDown`](crate::slo::Reason::StillDown), which is Inconclusive. The watch ends as soon as
    /// service has settled: it is stable, nothing is down, and the chaos phase has been over for a while.
    pub fn watch(mut self, duration: Duration) -> Self {
        self.watch = Some(duration);
        self
    }

    /// When to stop a run that does more harm than meant. These replace the catalogue's, and apply through the whole
    /// fault, also one that makes errors on purpose; `AbortConditions::default()` never trips.
    pub fn abort_conditions(mut self, conditions: AbortConditions) -> Self {
        self.scenario.abort_conditions = Some(conditions);
        self
    }

    /// The service it is aimed at, in place of the scenario's own target.
    pub fn target(mut self, service: impl Into<String>) -> Self {
        self.scenario.target = Some(service.into());
        self
    }

    /// What a test with the verdict Inconclusive does: it fails unless said otherwise.
    pub fn inconclusive(mut self, inconclusive: Inconclusive) -> Self {
        self.inconclusive = inconclusive;
        self
    }

    /// Whether the chaos phase ends as soon as the evidence suffices, which is so unless said otherwise. Only for faults that
    /// are the same from their beginning to their end, and with no body that runs once: an outage is always watched whole.
    pub fn sequential(mut self, sequential: bool) -> Self {
        self.sequential = sequential;
        self
    }

    /// Whether it is a dry run: environment and baseline are real, the injector is asked what it would do, the plan is
    /// printed, and nothing is injected. The variable `CHAOS_TEST_DRY_RUN` makes one of every run, whatever is said here.
    pub fn dry_run(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }

    /// The name its record goes by, in place of the running test's. Of two with one name the second has ` (2)` behind it.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.identity.test = name.into();
        self
    }

    /// Whether progress is told on standard error: phase, samples, error rate, latency. Under nextest it is, elsewhere
    /// not, unless said otherwise here or by `CHAOS_TEST_PROGRESS`.
    pub fn progress(mut self, told: bool) -> Self {
        self.progress = Some(told);
        self
    }

    /// An injector of your own in place of the built-in one.
    pub fn injector(mut self, injector: impl DynInjector + 'static) -> Self {
        self.injector = Some(Box::new(injector));
        self
    }

    /// Its caller prints the report, in which the warnings are.
    pub(crate) fn warnings_told(mut self) -> Self {
        self.warnings_told = true;
        self
    }

    pub(crate) fn identified(mut self, identity: Identity) -> Self {
        self.identity = identity;
        self
    }

    /// Carries it out and writes its record.
    ///
    /// A broken SLO is no error: it is in the report. So is an experiment that could not be carried out once it had
    /// begun. Bounds that only warn and are broken are told on standard error where the run passes.
    ///
    /// # Errors
    /// What was asked for makes no sense (an unknown profile, no environment), or the record could not be written.
    pub async fn run(self) -> Result<Report, Error> {
        self.carried_out().await
    }

    /// A function, not an `async fn`: what that awaits is compiled again into every test binary that awaits it, and this is
    /// the whole engine.
    #[inline(never)]
    fn carried_out(self) -> LocalFuture<Result<Report, Error>> {
        Box::pin(async move {
            let told = self.warnings_told;
            let report = super::execute::execute(self).await?;
            if !told && report.passed() && !report.judgement.warnings().is_empty() {
                eprintln!("WARNING: {}", report.headline());
            }
            Ok(report)
        })
    }
}

fn boxed<F, R>(body: F) -> BodyFn
where
    F: Fn(Chaos) -> R + 'static,
    R: Future + 'static,
    R::Output: IntoBodyResult,
{
    let body = Rc::new(body);
    Rc::new(move |chaos| {
        let body = Rc::clone(&body);
        Box::pin(async move { body(chaos).await.into_body_result() })
    })
}

impl std::fmt::Debug for Experiment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Experiment")
            .field("scenario", &self.scenario.name)
            .field("slo", &self.slo)
            .finish_non_exhaustive()
    }
}

/// An environment with one service that is already running.
pub(super) async fn url_environment(name: &str, url: String) -> Result<Environment, Error> {
    Environment::builder().url(name, url).start().await
}
