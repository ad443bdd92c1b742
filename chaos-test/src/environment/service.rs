use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::containers::ContainerService;
use super::network::Network;
use crate::port::{ContainerControl, Mishap, NetworkPath, ProcessControl, Readiness, Target, TargetKind};
use crate::probe::Probe;
use crate::sys::files;
use crate::sys::ports::ReservedPort;
use crate::sys::process::ManagedProcess;
use crate::sys::proxy::Proxy;
use crate::units::show_duration;

/// One service of an environment.
///
/// ```
/// use chaos_test::Service;
///
/// /// What the service has kept, asked past its front door and so past a fault of the network.
/// async fn kept(app: &Service) -> reqwest::Result<String> {
///     let url = format!("http://{}/orders/count", app.direct_address());
///     reqwest::get(url).await?.error_for_status()?.text().await
/// }
/// ```
pub struct Service {
    pub(super) name: String,
    pub(super) door: Arc<Proxy>,
    pub(super) upstream: SocketAddr,
    /// What to put in `Host`, where the service has a name of its own.
    pub(super) host: Option<String>,
    pub(super) process: Option<Arc<ManagedProcess>>,
    pub(super) container: Option<ContainerService>,
    /// The services that reach it past its front door.
    pub(super) past_the_door: Vec<String>,
    /// The directory its data is in, if it is a process of ours.
    pub(super) disk: Option<PathBuf>,
    pub(super) ready: Option<Probe>,
    pub(super) ready_within: Duration,
    /// Its network, if it has one of its own.
    pub(super) network: Option<Network>,
    pub(super) _port: Option<ReservedPort>,
}

impl Service {
    /// Its name in the environment.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its front door: the address that stays the same whatever happens behind it.
    pub fn address(&self) -> SocketAddr {
        self.door.address()
    }

    /// Its front door as a URL: `http://127.0.0.1:40123`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// The address behind the front door: where the service itself listens. Traffic to it meets no network fault. Of a
    /// service with a [network of its own](crate::Process::own_network) it is an address in there.
    ///
    /// Of a container it is where this host reaches it at present; it changes whenever the container is started again.
    pub fn direct_address(&self) -> SocketAddr {
        self.container.as_ref().map_or(self.upstream, ContainerService::address)
    }

    /// The process that is running now, if it is one of ours and up.
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref()?.pid()
    }

    /// The last lines it wrote, if it is a process or container of ours.
    pub fn log_tail(&self, lines: usize) -> Vec<String> {
        self.log_file().map_or_else(Vec::new, |log| files::tail(log, lines))
    }

    /// The file its output goes to, if it is a process or container of ours.
    pub fn log_file(&self) -> Option<&Path> {
        let container = self.container.as_ref().map(ContainerService::log);
        container.or_else(|| self.process.as_ref().map(|process| process.log()))
    }

    /// Its container, if it is in one of ours: `kill`, `pause`, `start` and the like, as faults do it.
    pub fn container(&self) -> Option<Arc<dyn ContainerControl>> {
        self.container.as_ref()?.control()
    }

    pub(crate) fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    pub(crate) fn ready(&self) -> Option<&Probe> {
        self.ready.as_ref()
    }

    pub(super) fn close(&self, failed: bool) {
        self.ending(failed)();
    }

    /// The test has come to its verdict: what of it was kept to be looked at goes if it passed.
    pub(crate) fn settler(&self, passed: bool) -> impl Fn() + Send + Sync + 'static {
        let settle = self.container.as_ref().map(|container| container.settler(passed));
        move || {
            if let Some(settle) = &settle {
                settle();
            }
        }
    }

    /// What its processes carry in their environment, or its container in its labels, if it is one of ours.
    pub(crate) fn mark(&self) -> Option<&str> {
        let container = self.container.as_ref().map(ContainerService::mark);
        container.or_else(|| self.process.as_ref().map(|process| process.mark()))
    }

    /// Whether it is in a container.
    pub(crate) fn is_contained(&self) -> bool {
        self.container.is_some()
    }

    /// What the helper of its network carries in its environment, if it has a network of its own.
    pub(crate) fn network_mark(&self) -> Option<&str> {
        self.network.as_ref().map(Network::mark)
    }

    /// Its process, if it is one of ours.
    pub(crate) fn process(&self) -> Option<&Arc<ManagedProcess>> {
        self.process.as_ref()
    }

    /// What ends its process for good, for somebody who has no hold on the environment.
    pub(crate) fn ender(&self) -> impl Fn() + Send + Sync + 'static {
        // Nobody knows yet what comes of the test.
        self.ending(true)
    }

    fn ending(&self, may_have_failed: bool) -> impl Fn() + Send + Sync + 'static {
        let container = self.container.as_ref().map(|container| container.ender(may_have_failed));
        let process = self.process.clone();
        let network = self.network.as_ref().map(Network::ender);
        move || {
            if let Some(process) = &process {
                process.close();
            }
            if let Some(end) = &network {
                end();
            }
            if let Some(end) = &container {
                end();
            }
        }
    }

    /// How its process or container ended, if it did without our doing.
    pub(crate) fn ended(&self) -> Option<String> {
        match &self.container {
            Some(container) => container.ended(),
            None => self.process.as_ref()?.ended(),
        }
    }

    /// A look at whether its process has ended or come back without our doing, that may be kept.
    pub(crate) fn watch_mishaps(&self) -> impl Fn() -> Vec<Mishap> + Send + Sync + 'static {
        let (name, process) = (self.name.clone(), self.process.clone());
        let container = self.container.as_ref().map(ContainerService::mishaps);
        move || {
            if let Some(mishaps) = &container {
                return mishaps();
            }
            let Some(process) = &process else { return Vec::new() };
            let back = process.restarts().into_iter().enumerate().map(|(n, restart)| Mishap {
                ago: restart.ago,
                text: format!(
                    "{name} was started again by its restart policy, {} after it had ended (restart {})",
                    show_duration(restart.down),
                    n + 1
                ),
            });
            let ended = process.ended();
            let ended = ended
                .map(|how| Mishap { ago: Duration::ZERO, text: format!("{name} ended by itself ({how})") });
            back.chain(ended).collect()
        }
    }

    /// Its readiness probe, or a connection that opens. It is asked directly, for the front door accepts connections
    /// before the service does; one in a network of its own through its door, once somebody listens behind it.
    ///
    /// # Errors
    /// What is wrong with the probe.
    pub(super) fn readiness(&self) -> Result<Readiness, String> {
        let probe = self.ready.clone().unwrap_or_else(Probe::tcp);
        let aimed = match (&self.container, &self.network) {
            (Some(container), _) => container.past_the_door(&probe)?,
            (None, Some(network)) => network.behind(probe.aimed_at(self.address(), self.host())?),
            (None, None) => probe.aimed_at(self.upstream, self.host())?,
        };
        Ok(Readiness { probe: aimed, timeout: probe.timeout })
    }

    /// What an injector is given to aim at.
    pub fn target(&self) -> Target {
        Target {
            service: self.name.clone(),
            kind: match (&self.container, &self.process) {
                (Some(_), _) => TargetKind::Container,
                (None, Some(_)) => TargetKind::Process,
                (None, None) => TargetKind::Url,
            },
            address: Some(self.direct_address()),
            path: Some(Arc::clone(&self.door) as Arc<dyn NetworkPath>),
            past_the_door: self.past_the_door.clone(),
            packets: match &self.container {
                Some(container) => container.packets(),
                None => self.network.as_ref().map(Network::packets),
            },
            process: self.process.clone().map(|process| process as Arc<dyn ProcessControl>),
            container: self.container(),
            syncs: self.process.as_ref().and_then(|process| process.syncs()),
            shares_host: self.process.is_some(),
            ready: self.readiness().ok(),
            disk: self.disk.clone(),
        }
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("name", &self.name)
            .field("address", &self.address())
            .finish_non_exhaustive()
    }
}
