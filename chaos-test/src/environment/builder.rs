use std::net::SocketAddr;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

#[cfg(feature = "containers")]
use super::containers;
use super::launch::launch;
#[cfg(feature = "containers")]
use super::open::contain;
use super::open::{Pending, open};
use super::ready::wait_until_ready;
#[cfg(feature = "containers")]
use super::{Container, IntoContainer};
use super::{Environment, Process, Service};
use crate::error::Error;
use crate::port::BoxFuture;
use crate::probe::Probe;
use crate::sys::run_folder;

/// Services to be started, in order.
///
/// ```no_run
/// use chaos_test::prelude::*;
///
/// async fn shop() -> Result<Environment, Error> {
///     Environment::builder()
///         .url("mail", "http://127.0.0.1:8025")
///         .process("app", Process::cargo_bin("shop").ready(Probe::http("/api/health")))
///         .env("app", "MAIL_URL", |env| env.url_for("mail", "http://{host}:{port}"))
///         .start()
///         .await
/// }
/// ```
#[derive(Default)]
#[must_use = "no service is started before `.start()` is awaited"]
pub struct EnvironmentBuilder {
    services: Vec<(String, Kind)>,
    env: Vec<(String, String, EnvValue)>,
    probes: Vec<(String, Probe)>,
    #[cfg(feature = "containers")]
    may_skip: bool,
}

#[allow(clippy::large_enum_variant, reason = "there are a few per environment")]
pub(super) enum Kind {
    Process(Process),
    Url(String),
    #[cfg(feature = "containers")]
    Container(Container),
}

type EnvValue = Box<dyn FnOnce(&Environment) -> String + Send>;

impl EnvironmentBuilder {
    /// Adds a child process. It is started after those added before it are ready.
    pub fn process(mut self, name: impl Into<String>, process: Process) -> Self {
        self.services.push((name.into(), Kind::Process(process)));
        self
    }

    /// Adds a container: any image or request of testcontainers, or a [`Container`].
    ///
    /// It joins a network that the containers of this environment share, where the others reach it by its name here. Each
    /// is started when those are ready that its variables ask for, and the processes added before it; others meanwhile.
    #[cfg(feature = "containers")]
    pub fn container<I>(mut self, name: impl Into<String>, container: impl IntoContainer<I>) -> Self {
        self.services.push((name.into(), Kind::Container(container.into_container())));
        self
    }

    /// Has the test skipped where there is no container engine, or one too old, instead of failing: it passes, says `SKIPPED`
    /// on standard error and in its record, and counts as no pass there. Where `CHAOS_TEST_REQUIRE` names `docker` it fails
    /// all the same.
    ///
    /// It is the error of [`start`](Self::start) that says so; the function that starts the environment has to return it as
    /// it is, as an [`Error`].
    #[cfg(feature = "containers")]
    pub fn skip_without_engine(mut self) -> Self {
        self.may_skip = true;
        self
    }

    /// Adds something already running: `http://127.0.0.1:8000`. A URL with a path, a query or a login is refused: only host and
    /// port are used.
    pub fn url(mut self, name: impl Into<String>, url: impl Into<String>) -> Self {
        self.services.push((name.into(), Kind::Url(url.into())));
        self
    }

    /// Sets a variable of a process to something that depends on the others' addresses:
    /// `.env("app", "STOCK_URL", |env| env.url_for("stock", "http://{host}:{port}"))`.
    pub fn env<F>(mut self, service: impl Into<String>, name: impl Into<String>, value: F) -> Self
    where
        F: FnOnce(&Environment) -> String + Send + 'static,
    {
        self.env.push((service.into(), name.into(), Box::new(value)));
        self
    }

    /// Measures a service with this probe. Without any, each service is measured with its readiness probe, unless the
    /// body is repeated: then its transactions are the measurement.
    pub fn probe(mut self, service: impl Into<String>, probe: impl Into<Probe>) -> Self {
        self.probes.push((service.into(), probe.into()));
        self
    }

    /// Starts the services and waits until each is ready.
    ///
    /// # Errors
    /// A program that cannot be started, that ends or is not ready in time (with the last lines of its log), a name
    /// used twice or not at all, a URL that cannot be used.
    pub async fn start(self) -> Result<Environment, Error> {
        self.started().await
    }

    /// A function, not an `async fn`: see `Experiment::run`.
    #[inline(never)]
    fn started(self) -> BoxFuture<'static, Result<Environment, Error>> {
        Box::pin(self.start_all())
    }

    async fn start_all(self) -> Result<Environment, Error> {
        let folder = log_folder();
        #[cfg(feature = "containers")]
        let group = {
            let contained = self.services.iter().filter(|(_, kind)| matches!(kind, Kind::Container(_)));
            let names: Vec<_> = contained.map(|(name, _)| name.as_str()).collect();
            if self.may_skip && !names.is_empty() {
                containers::or_skip().await?;
            }
            containers::group(&names).await?
        };
        let mut environment = Environment {
            services: Vec::new(),
            probes: Vec::new(),
            outlook: Mutex::default(),
            // Until it is seen not to have.
            failed: true,
            #[cfg(feature = "containers")]
            group,
        };
        let mut pending = Vec::new();
        for (name, kind) in self.services {
            if environment.service(&name).is_some() {
                return Err(Error::setup(format!("two services are named \"{name}\": names must be unique")));
            }
            let (service, rest) = match kind {
                #[cfg(feature = "containers")]
                Kind::Container(container) => {
                    contain(name, container, environment.group.as_ref(), &folder).await?
                }
                kind => open(name, kind).await?,
            };
            environment.services.push(service);
            pending.push(rest);
        }
        #[cfg(feature = "containers")]
        let mut callers: Vec<(usize, String)> = Vec::new();
        for (service, name, value) in self.env {
            let at = index(&environment, &service)?;
            let (value, _asked) = environment
                .seen_by(&environment.services[at], value)
                .map_err(|why| Error::setup(format!("the variable {name} of {service}: {why}")))?;
            match &mut pending[at] {
                Some(Pending::Process(process)) => process.env.push((name.into(), value.into())),
                #[cfg(feature = "containers")]
                Some(Pending::Container(rest)) => {
                    for other in _asked {
                        let at = index(&environment, &other)?;
                        rest.after.push(at);
                        callers.push((at, service.clone()));
                    }
                    rest.container.env.push((name, value));
                }
                None => {
                    return Err(Error::setup(format!(
                        "{service} was running already, so {name} cannot be set for it"
                    )));
                }
            }
        }
        #[cfg(feature = "containers")]
        for (called, caller) in callers {
            let known = &mut environment.services[called].past_the_door;
            if !known.contains(&caller) {
                known.push(caller);
            }
        }
        for (service, probe) in self.probes {
            let at = index(&environment, &service)?;
            environment.probes.push((at, probe));
        }
        #[cfg(feature = "containers")]
        for (caller, called) in super::callers::of(&environment.services, &pending) {
            let name = environment.services[caller].name.clone();
            let known = &mut environment.services[called].past_the_door;
            if !known.contains(&name) {
                known.push(name);
            }
        }
        #[cfg(feature = "containers")]
        for rest in pending.iter_mut().flatten() {
            if let Pending::Container(rest) = rest {
                for other in std::mem::take(&mut rest.container.after) {
                    rest.after.push(index(&environment, &other)?);
                }
            }
        }
        let doors: Vec<SocketAddr> = environment.services.iter().map(Service::address).collect();
        for service in &mut environment.services {
            if let Some(network) = &mut service.network {
                let led = network.lead_to(doors.clone()).await;
                led.map_err(|error| {
                    Error::setup(format!("the way out of the network of {}: {error}", service.name))
                })?;
            }
        }
        start(&mut environment.services, pending, &folder).await?;
        environment.failed = false;
        Ok(environment)
    }
}

/// Starts the services in order: a process after all before it are ready, containers that follow each other together.
async fn start(services: &mut [Service], pending: Vec<Option<Pending>>, folder: &Path) -> Result<(), Error> {
    #[cfg(feature = "containers")]
    containers::listen(services);
    let mut pending = pending.into_iter().enumerate().peekable();
    #[cfg_attr(
        not(feature = "containers"),
        allow(clippy::while_let_on_iterator, reason = "several containers are taken at a time")
    )]
    while let Some((at, rest)) = pending.next() {
        match rest {
            Some(Pending::Process(process)) => launch(&mut services[at], process, folder)?,
            #[cfg(feature = "containers")]
            Some(Pending::Container(first)) => {
                let mut wave = vec![first];
                while let Some((_, Some(Pending::Container(next)))) =
                    pending.next_if(|(_, rest)| matches!(rest, Some(Pending::Container(_))))
                {
                    wave.push(next);
                }
                containers::start(&services[at..at + wave.len()], wave, at).await?;
                continue;
            }
            None => {}
        }
        wait_until_ready(&services[at]).await?;
    }
    Ok(())
}

fn index(environment: &Environment, service: &str) -> Result<usize, Error> {
    environment
        .services
        .iter()
        .position(|known| known.name == service)
        .ok_or_else(|| Error::setup(environment.unknown(service)))
}

/// Each environment logs to a folder of its own: tests of one run may have services of the same name.
fn log_folder() -> std::path::PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let name = format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    run_folder::run_dir().join("logs").join(name)
}
