use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::process::fill;
use super::{Environment, Process, Service};
use crate::error::Error;
use crate::model::Outcome;
use crate::probe::Probe;
use crate::sys::clock::Stopwatch;
use crate::sys::ports::ReservedPort;
use crate::sys::process::{ManagedProcess, ProcessSpec};
use crate::sys::proxy::Proxy;
use crate::sys::{run_folder, timer};
use crate::units::show_duration;

/// How often a starting service is asked whether it is ready.
const READY_INTERVAL: Duration = Duration::from_millis(5);

/// Services to be started, in order.
#[derive(Default)]
pub struct EnvironmentBuilder {
    services: Vec<(String, Kind)>,
    env: Vec<(String, String, EnvValue)>,
    probes: Vec<(String, Probe)>,
}

#[allow(clippy::large_enum_variant, reason = "there are a few per environment")]
enum Kind {
    Process(Process),
    Url(String),
}

type EnvValue = Box<dyn FnOnce(&Environment) -> String + Send>;

impl EnvironmentBuilder {
    /// Adds a child process. It is started after those added before it are ready.
    pub fn process(mut self, name: impl Into<String>, process: Process) -> Self {
        self.services.push((name.into(), Kind::Process(process)));
        self
    }

    /// Adds something already running: `http://127.0.0.1:8000`.
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
        let mut environment = Environment { services: Vec::new(), probes: Vec::new() };
        let mut processes = Vec::new();
        for (name, kind) in self.services {
            if environment.service(&name).is_some() {
                return Err(Error::setup(format!("two services are named \"{name}\": names must be unique")));
            }
            let (service, process) = open(name, kind).await?;
            environment.services.push(service);
            processes.push(process);
        }
        for (service, name, value) in self.env {
            let at = index(&environment, &service)?;
            let value = value(&environment);
            match &mut processes[at] {
                Some(process) => process.env.push((name.into(), value.into())),
                None => {
                    return Err(Error::setup(format!(
                        "{service} is not a process, so {name} cannot be set for it"
                    )));
                }
            }
        }
        for (service, probe) in self.probes {
            let at = index(&environment, &service)?;
            environment.probes.push((at, probe));
        }
        let folder = log_folder();
        for (service, process) in environment.services.iter_mut().zip(processes) {
            if let Some(process) = process {
                launch(service, process, &folder)?;
            }
            wait_until_ready(service).await?;
        }
        Ok(environment)
    }
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

/// What remains to be done for a service whose address is known.
struct Pending {
    process: Process,
    env: Vec<(std::ffi::OsString, std::ffi::OsString)>,
    ready_within: Duration,
}

async fn open(name: String, kind: Kind) -> Result<(Service, Option<Pending>), Error> {
    let (upstream, host, port, ready, pending) = match kind {
        Kind::Process(process) => {
            let port = ReservedPort::reserve()
                .map_err(|error| Error::setup(format!("a port for {name}: {error}")))?;
            let ready = process.ready.clone();
            let pending = Pending { env: process.env.clone(), ready_within: process.ready_within, process };
            (port.address(), None, Some(port), ready, Some(pending))
        }
        Kind::Url(url) => {
            let (upstream, host) =
                resolve(&url).await.map_err(|why| Error::setup(format!("{name} at {url}: {why}")))?;
            (upstream, Some(host), None, None, None)
        }
    };
    let door = Proxy::start(upstream)
        .await
        .map_err(|error| Error::setup(format!("opening the front door of {name}: {error}")))?;
    let ready_within = pending.as_ref().map_or(Duration::ZERO, |pending: &Pending| pending.ready_within);
    let service = Service {
        name,
        door: Arc::new(door),
        upstream,
        host,
        process: None,
        ready,
        ready_within,
        _port: port,
    };
    Ok((service, pending))
}

/// The address and the `Host` of a URL.
async fn resolve(url: &str) -> Result<(SocketAddr, String), String> {
    let parsed = reqwest::Url::parse(url).map_err(|error| format!("not a URL: {error}"))?;
    if parsed.scheme() != "http" {
        return Err(format!(
            "only http:// can be reached through a front door, not {}://: aim at the service behind its TLS terminator",
            parsed.scheme()
        ));
    }
    let host = parsed.host_str().ok_or("it names no host")?;
    let port = parsed.port_or_known_default().ok_or("it names no port")?;
    let name = (host.trim_matches(['[', ']']).to_owned(), port);
    let looked_up = crate::sys::runtime::harness()
        .spawn(async move { tokio::net::lookup_host(name).await.map(Vec::from_iter) });
    let found = looked_up.await.map_err(|error| error.to_string())?;
    let mut addresses: Vec<SocketAddr> = found.map_err(|error| format!("cannot be resolved: {error}"))?;
    // Most services listen on IPv4; a name such as localhost often resolves to IPv6 first.
    addresses.sort_by_key(SocketAddr::is_ipv6);
    let address = addresses.first().copied().ok_or("resolves to no address")?;
    let authority = if parsed.port().is_some() { format!("{host}:{port}") } else { host.to_owned() };
    Ok((address, authority))
}

fn launch(service: &mut Service, pending: Pending, folder: &std::path::Path) -> Result<(), Error> {
    let Pending { process, env, .. } = pending;
    let name = &service.name;
    let program = process.program.map_err(|why| Error::setup(format!("{name}: {why}")))?;
    let at = service.upstream;
    let port = ("PORT".into(), at.port().to_string().into());
    let filled = env.into_iter().map(|(name, value)| (name, fill(&value, at)));
    let spec = ProcessSpec {
        service: name.clone(),
        args: process.args.iter().map(|arg| fill(arg, at)).collect(),
        env: std::iter::once(port).chain(filled).collect(),
        dir: process.dir,
        log: folder.join(format!("{}.log", run_folder::file_name(name))),
        program: program.clone(),
    };
    let started = ManagedProcess::start(spec)
        .map_err(|error| Error::setup(format!("starting {name}: {}: {error}", program.display())))?;
    service.process = Some(Arc::new(started));
    Ok(())
}

async fn wait_until_ready(service: &Service) -> Result<(), Error> {
    // Something already running is measured by the baseline; there is nothing to wait for.
    if service.process.is_none() {
        return Ok(());
    }
    let probe = service.ready.clone().unwrap_or_else(Probe::tcp);
    // Asked directly, not through the front door, which accepts connections before the service does.
    let probe_now = probe
        .aimed_at(service.upstream, None)
        .map_err(|why| Error::setup(format!("{}: {why}", service.name)))?;
    let waited = Stopwatch::start();
    loop {
        let (asked, limit) = (Arc::clone(&probe_now), probe.timeout);
        // On the harness's clock: the caller's may be paused, or not be there.
        let look = crate::sys::runtime::harness().spawn(async move {
            tokio::time::timeout(limit, async { asked.check(Box::new(|| {})).await }).await
        });
        let outcome = match look.await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Outcome::Timeout,
            Err(_) => Outcome::Panicked,
        };
        if outcome == Outcome::Good {
            return Ok(());
        }
        let trouble = match service.ended() {
            Some(status) => format!("{} ended before it was ready ({status})", service.name),
            None if waited.elapsed() > service.ready_within => {
                let time = show_duration(service.ready_within);
                format!(
                    "{} was not ready within {time}: the last look {outcome}; it is to listen on {}",
                    service.name, service.upstream
                )
            }
            None => {
                timer::sleep_until(timer::now() + READY_INTERVAL).await;
                continue;
            }
        };
        return Err(Error::setup(with_log(trouble, service)));
    }
}

fn with_log(trouble: String, service: &Service) -> String {
    let tail = service.log_tail(20);
    if tail.is_empty() {
        format!("{trouble}; it wrote nothing")
    } else {
        format!("{trouble}; its last lines:\n  {}", tail.join("\n  "))
    }
}
