//! What the expansion of `#[chaos_test]` names. Outside semver: do not use it by hand.

use std::cell::OnceCell;
use std::fmt::Debug;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use crate::environment::{AsEnvironment, Environment};
use crate::error::Error;
use crate::failure::{Failure, TestResult};
use crate::report::Report;
pub use crate::run::owe_and_settle;
use crate::run::{
    BodyResult, Chaos, Experiment, Identity, Inconclusive, IntoBodyResult, LocalFuture, Objective, embedded,
    refused,
};
use crate::units::{Rate, parse_duration};

/// One use of the attribute.
#[derive(Debug, Clone, Copy)]
pub struct Test {
    pub module: &'static str,
    pub manifest_dir: &'static str,
    pub catalogue: Option<(&'static str, &'static str)>,
    /// Whether the attribute named that catalogue, so that it was not looked for.
    pub catalogue_named: bool,
    pub slo: Option<&'static str>,
    pub target: Option<&'static str>,
    pub repeat: Option<&'static str>,
    pub duration: Option<&'static str>,
    pub baseline: Option<&'static str>,
    pub inconclusive: Option<&'static str>,
    pub sequential: bool,
    pub dry_run: bool,
    pub flavor: Option<&'static str>,
    pub objectives: &'static [(&'static str, f64)],
}

impl Test {
    pub const DEFAULT: Self = Self {
        module: "",
        manifest_dir: "",
        catalogue: None,
        catalogue_named: false,
        slo: None,
        target: None,
        repeat: None,
        duration: None,
        baseline: None,
        inconclusive: None,
        sequential: true,
        dry_run: false,
        flavor: None,
        objectives: &[],
    };

    fn experiment(&self, name: &str, scenario: &str) -> Result<Experiment, Error> {
        let located = embedded(self.manifest_dir, self.catalogue, self.catalogue_named)?;
        let mut experiment =
            Experiment::of(scenario, located)?.identified(Identity::of_attribute(self.module, name));
        if let Some(slo) = self.slo {
            experiment = experiment.slo(slo);
        }
        if let Some(target) = self.target {
            experiment = experiment.against(target);
        }
        if let Some(duration) = self.duration {
            experiment = experiment.duration(parse_duration(duration).map_err(Error::input)?);
        }
        if let Some(baseline) = self.baseline {
            experiment = experiment.baseline(parse_duration(baseline).map_err(Error::input)?);
        }
        experiment = match self.inconclusive {
            Some("pass") => experiment.inconclusive(Inconclusive::Passes),
            Some("extend") => experiment.inconclusive(Inconclusive::Extends),
            _ => experiment,
        };
        experiment = experiment.sequential(self.sequential);
        if self.dry_run {
            experiment = experiment.dry_run(true);
        }
        experiment = experiment.warnings_told();
        for (key, value) in self.objectives {
            experiment = experiment.objective(Objective::by_key(key, *value)?);
        }
        Ok(experiment)
    }
}

/// What a body is handed.
pub struct Context<E> {
    chaos: Chaos,
    environment: Option<Arc<E>>,
}

impl<E> Context<E> {
    pub fn chaos(&self) -> Chaos {
        self.chaos.clone()
    }

    pub fn chaos_ref(&self) -> &Chaos {
        &self.chaos
    }

    pub fn environment(&self) -> &E {
        self.environment.as_ref().expect("the attribute has an environment, and it was started")
    }

    pub fn shared_environment(&self) -> Arc<E> {
        Arc::clone(self.environment.as_ref().expect("the attribute has an environment, and it was started"))
    }
}

/// Stands for the environment of a test that has none.
pub struct NoEnvironment;

impl AsEnvironment for NoEnvironment {
    fn environment(&self) -> &Environment {
        unreachable!("a test without an environment starts none")
    }
}

pub fn no_environment() -> LocalFuture<Result<NoEnvironment, Error>> {
    Box::pin(async { Err(Error::setup("this test has no environment")) })
}

pub fn outcome<T: IntoBodyResult>(value: T) -> BodyResult {
    value.into_body_result()
}

/// Carries one test out on the runtime that is running.
pub async fn run_in<E, X, S, B>(
    test: &'static Test,
    name: &str,
    scenario: &str,
    environment: S,
    body: B,
) -> TestResult
where
    E: AsEnvironment,
    X: Debug + 'static,
    S: Fn() -> Pin<Box<dyn Future<Output = Result<E, X>>>> + 'static,
    B: Fn(Context<E>) -> LocalFuture<BodyResult> + 'static,
{
    Failure::of(refused(carry_out(test, name, scenario, environment, body).await))
}

async fn carry_out<E, X, S, B>(
    test: &'static Test,
    name: &str,
    scenario: &str,
    start: S,
    body: B,
) -> Result<Report, Error>
where
    E: AsEnvironment,
    X: Debug + 'static,
    S: Fn() -> Pin<Box<dyn Future<Output = Result<E, X>>>> + 'static,
    B: Fn(Context<E>) -> LocalFuture<BodyResult> + 'static,
{
    let started: Rc<OnceCell<Arc<E>>> = Rc::default();
    let mut experiment = test.experiment(name, scenario)?;
    let without = std::any::TypeId::of::<E>() == std::any::TypeId::of::<NoEnvironment>();
    if !without {
        let cell = Rc::clone(&started);
        experiment = experiment.start_with(move || {
            Box::pin(async move {
                let environment = start().await.map_err(|error| Error::of_environment(&error))?;
                let environment = Arc::new(environment);
                let _ = cell.set(Arc::clone(&environment));
                Ok(environment as Arc<dyn AsEnvironment>)
            })
        });
    }
    let body = Rc::new(body);
    let call = move |chaos| {
        let (body, environment) = (Rc::clone(&body), started.get().cloned());
        async move { body(Context { chaos, environment }).await }
    };
    let experiment = match test.repeat {
        Some(rate) => experiment.repeat_with(rate.parse::<Rate>().map_err(Error::input)?, call),
        None => experiment.body(call),
    };
    let report = experiment.run().await?;
    if report.passed() {
        eprintln!("{}", report.text());
    }
    Ok(report)
}

/// Carries one test out on a runtime of its own.
pub fn run<E, X, S, B>(test: &'static Test, name: &str, scenario: &str, environment: S, body: B) -> TestResult
where
    E: AsEnvironment,
    X: Debug + 'static,
    S: Fn() -> Pin<Box<dyn Future<Output = Result<E, X>>>> + 'static,
    B: Fn(Context<E>) -> LocalFuture<BodyResult> + 'static,
{
    let name = name.to_owned();
    let scenario = scenario.to_owned();
    block_on(test.flavor, Box::pin(async move { run_in(test, &name, &scenario, environment, body).await }))
}

/// Compiled once, into this crate: with a future of the caller's own type every test binary would have a runtime's worth
/// of code of its own.
#[inline(never)]
fn block_on(flavor: Option<&str>, test: LocalFuture<TestResult>) -> TestResult {
    let mut builder = match flavor {
        Some("multi_thread") => tokio::runtime::Builder::new_multi_thread(),
        _ => tokio::runtime::Builder::new_current_thread(),
    };
    let runtime =
        builder.enable_all().build().map_err(|error| Error::setup(format!("starting a runtime: {error}")))?;
    let result = runtime.block_on(test);
    // A blocking call that hangs, in the very service under test for one, must not keep the verdict from being told.
    runtime.shutdown_background();
    result
}

/// For `#[should_panic]`: a failure becomes a panic with its text.
pub fn expect_pass(result: TestResult) {
    if let Err(failure) = result {
        panic!("Error: {failure}");
    }
}
