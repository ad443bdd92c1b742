//! Services in containers: started side by side, each behind its front door.

use std::collections::HashMap;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::ready::{wait_until_ready, with_log};
use super::{Container, Service};
use crate::error::Error;
use crate::model::Outcome;
use crate::port::{self, Begins, BoxFuture, ContainerControl, Mishap, PacketPath};
use crate::probe::Probe;
use crate::sys::docker::{
    self, ContainerPackets, Details, Dress, Group, HostPort, Life, ManagedContainer, Watched,
};
use crate::sys::env;
use crate::sys::runtime::harness;
use crate::sys::timer;
use crate::units::show_duration;

/// How long a container may take to get ready, unless said otherwise.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// After so long a start is told of, and then again and again.
const SLOW: Duration = Duration::from_secs(3);

/// The container of a service.
#[derive(Debug)]
pub(super) struct ContainerService {
    group: Arc<Group>,
    /// What the engine calls it.
    name: String,
    log: PathBuf,
    port: Arc<HostPort>,
    life: Arc<Life>,
    /// Once it has been started.
    control: OnceLock<Arc<Watched>>,
    /// Likewise.
    packets: OnceLock<ContainerPackets>,
}

/// What remains to be done for a container whose address is known.
pub(super) struct PendingContainer {
    pub(super) container: Container,
    /// The services of this environment that it is started after.
    pub(super) after: Vec<usize>,
}

/// The group for the containers of those names; none if there are none.
pub(super) async fn group(names: &[&str]) -> Result<Option<Arc<Group>>, Error> {
    if names.is_empty() {
        return Ok(None);
    }
    let names = names.join(", ");
    let created = harness().spawn(Group::create(names.clone())).await;
    let created = created.map_err(std::io::Error::other).and_then(|created| created);
    created.map(Some).map_err(|error| Error::setup(format!("the containers {names}: {error}")))
}

/// Without an engine the test is to be skipped, unless somebody relies on it.
pub(super) async fn or_skip() -> Result<(), Error> {
    let required = env::var("CHAOS_TEST_REQUIRE").unwrap_or_default();
    if required.split(',').any(|name| name.trim() == "docker") {
        return Ok(());
    }
    docker::refused().await.map_or(Ok(()), |why| Err(Error::skipped("no container engine", why)))
}

impl ContainerService {
    /// A container that is yet to be started.
    pub(super) fn open(
        name: &str,
        container: &Container,
        group: &Arc<Group>,
        folder: &Path,
    ) -> Result<Self, String> {
        let letters = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' || byte == b'.';
        if name.is_empty()
            || name.len() > 63
            || !name.bytes().all(letters)
            || name.starts_with(['-', '.', '_'])
        {
            return Err("the others reach a container by its name, so that is to be a host name: at most 63 letters, \
                        digits, `-`, `_` and `.`, the first a letter or digit"
                .into());
        }
        let request = &container.request;
        if let Some(network) = request.network() {
            return Err(format!(
                "its request asks for the network `{network}`, but the containers of an environment share one of their \
                 own: leave out `with_network`"
            ));
        }
        if let Some(name) = request.name() {
            return Err(format!(
                "its request calls the container `{name}`, but tests run side by side, and an engine has each name once: \
                 leave out `with_container_name`; the others reach it by its service's name"
            ));
        }
        let port = container.port.or_else(|| request.ports().first().copied()).ok_or_else(|| {
            format!(
                "the request for {} names no port: say which it listens on, `Container::of(…).port(5432)`, and that it \
                 is exposed (`with_exposed_port`), unless its image says so",
                request.image()
            )
        })?;
        Ok(Self {
            name: group.name_of(name),
            group: Arc::clone(group),
            log: folder.join(format!("{name}.log")),
            port: HostPort::new(port),
            life: Arc::new(Life::of(name)),
            control: OnceLock::new(),
            packets: OnceLock::new(),
        })
    }

    /// How its front door reaches it.
    pub(super) fn connector(&self) -> Arc<HostPort> {
        Arc::clone(&self.port)
    }

    /// Where it listens in the network of its environment.
    pub(super) fn inside(&self) -> u16 {
        self.port.inside
    }

    /// Where this host reaches it, as far as is known.
    pub(super) fn address(&self) -> SocketAddr {
        self.port.last().unwrap_or((Ipv4Addr::LOCALHOST, 0).into())
    }

    pub(super) fn log(&self) -> &Path {
        &self.log
    }

    pub(super) fn mark(&self) -> &str {
        self.group.mark()
    }

    pub(super) fn control(&self) -> Option<Arc<dyn ContainerControl>> {
        self.control.get().map(|control| Arc::clone(control) as Arc<dyn ContainerControl>)
    }

    /// Its packets, once it has been started.
    pub(super) fn packets(&self) -> Option<Arc<dyn PacketPath>> {
        self.packets.get().map(|packets| Arc::new(packets.clone()) as Arc<dyn PacketPath>)
    }

    pub(super) fn ended(&self) -> Option<String> {
        self.life.ended()
    }

    pub(super) fn mishaps(&self) -> impl Fn() -> Vec<Mishap> + Send + Sync + 'static {
        let life = Arc::clone(&self.life);
        move || life.mishaps()
    }

    /// A probe that looks past the front door, wherever the container is then.
    pub(super) fn past_the_door(&self, probe: &Probe) -> Result<Arc<dyn port::Probe>, String> {
        // What is wrong with it is told now.
        probe.aimed_at(self.address(), None)?;
        Ok(Arc::new(PastTheDoor { port: Arc::clone(&self.port), probe: probe.clone() }))
    }

    /// What ends it for good, with all others of its environment; they stay if the test may have failed and somebody
    /// wants to look.
    pub(super) fn ender(&self, may_have_failed: bool) -> impl Fn() + Send + Sync + 'static {
        let group = Arc::clone(&self.group);
        let container = self.control.get().map(|control| Arc::clone(control.container()));
        move || {
            if let Some(container) = &container {
                container.close();
            }
            group.close(may_have_failed);
        }
    }

    /// What was kept for somebody to look at goes if the test has passed; else it is said where it is.
    pub(super) fn settler(&self, passed: bool) -> impl Fn() + Send + Sync + 'static {
        let group = Arc::clone(&self.group);
        move || match passed {
            true => group.discard(),
            false => group.tell(),
        }
    }

    async fn start(&self, service: &str, container: Container) -> Result<(), Error> {
        let image = container.request.image();
        let fail = |error: std::io::Error| Error::setup(format!("starting {service} ({image}): {error}"));
        let dress = Dress {
            name: self.name.clone(),
            alias: service.to_owned(),
            env: container.env,
            restart: container.restart,
            unconditional: container.ready.is_some(),
            // Without conditions of its own, a start is only what the engine does.
            within: container.ready_within.map(|within| within.max(READY_WITHIN)),
            ..Dress::default()
        };
        self.group.follow(&self.name, self.log.clone(), Arc::clone(&self.life));
        let begun = self.group.start(service, container.request, dress).await.map_err(fail)?;
        let (group, port, name) = (Arc::clone(&self.group), Arc::clone(&self.port), service.to_owned());
        let (life, inside) = (Arc::clone(&self.life), self.port.inside);
        let managing = harness().spawn(async move {
            let asked = port.asking();
            let found = group.ensure_alias(Details::of(&begun.id).await?, &name).await?;
            let managed = ManagedContainer::of(&found, group.mark(), &name, group.network());
            if let Err(error) = port.begun(&found, &begun.host, asked).await {
                // It may have ended already; whoever waits for it says so.
                if found.is_running() {
                    return Err(std::io::Error::new(
                        error.kind(),
                        format!("its port {inside} is not published by the engine: is it exposed by the image or the \
                                 request (`with_exposed_port`)? ({error})"),
                    ));
                }
            }
            let managed = Arc::new(managed);
            let packets = ContainerPackets::of(Arc::clone(&managed), &found, inside);
            Ok((Watched::of(managed, life, port), packets))
        });
        let managed = managing.await.map_err(std::io::Error::other).and_then(|done| done);
        let (watched, packets) = managed.map_err(fail)?;
        // It is started once.
        let _ = self.control.set(Arc::new(watched));
        let _ = self.packets.set(packets);
        Ok(())
    }
}

/// Has what happens to the containers of these services noted.
pub(super) fn listen(services: &[Service]) {
    let mut groups: HashMap<&str, (&Arc<Group>, HashMap<_, _>)> = HashMap::new();
    for service in services.iter().filter_map(|service| service.container.as_ref()) {
        let (_, listeners) =
            groups.entry(service.group.mark()).or_insert_with(|| (&service.group, HashMap::new()));
        listeners.insert(service.name.clone(), (Arc::clone(&service.life), Arc::clone(&service.port)));
    }
    for (group, listeners) in groups.into_values() {
        group.listen(listeners);
    }
}

/// Starts these containers and waits until they are ready: each after those of them that it asked for, else all at once.
/// `first` is the number of the first of them in the environment.
pub(super) async fn start(
    services: &[Service],
    pending: Vec<PendingContainer>,
    first: usize,
) -> Result<(), Error> {
    let ready: Vec<_> = services.iter().map(|_| tokio::sync::watch::Sender::new(false)).collect();
    let ready = &ready;
    let each = services.iter().zip(pending).enumerate().map(|(n, (service, pending))| async move {
        for other in pending.after.into_iter().filter(|other| (first..first + n).contains(other)) {
            // Its sender outlives this; if it fails, so does all of this.
            let _ = ready[other - first].subscribe().wait_for(|ready| *ready).await;
        }
        let Some(own) = &service.container else { return Ok(()) };
        let image = pending.container.request.image();
        let starting = async {
            let begun = own.start(&service.name, pending.container).await;
            begun.map_err(|error| Error::setup(with_log(error.to_string(), service)))?;
            wait_until_ready(service).await
        };
        told_if_slow(starting, &service.name, &image).await?;
        ready[n].send_replace(true);
        Ok(())
    });
    futures_util::future::try_join_all(each).await.map(drop)
}

async fn told_if_slow<T>(work: impl Future<Output = T>, service: &str, image: &str) -> T {
    let mut work = std::pin::pin!(work);
    let began = timer::now();
    let mut next = SLOW;
    loop {
        tokio::select! {
            biased;
            done = &mut work => {
                if next > SLOW {
                    eprintln!("chaos-test: {service} took {:.1} s to start", began.elapsed().as_secs_f64());
                }
                return done;
            }
            () = timer::sleep_until(began + next) => {
                eprintln!(
                    "chaos-test: still starting {service} ({image}) after {}; an image that is not here yet is pulled first",
                    show_duration(next)
                );
                next = next * 2 + SLOW;
            }
        }
    }
}

pub(super) fn ready_within(container: &Container) -> Duration {
    container.ready_within.unwrap_or(READY_WITHIN)
}

struct PastTheDoor {
    port: Arc<HostPort>,
    probe: Probe,
}

impl port::Probe for PastTheDoor {
    fn check(&self, begins: Begins) -> BoxFuture<'static, Outcome> {
        let (port, probe) = (Arc::clone(&self.port), self.probe.clone());
        Box::pin(async move {
            let present = harness().spawn(async move { port.present().await }).await;
            let Ok(Ok(at)) = present else {
                begins();
                return Outcome::ConnectError;
            };
            match probe.aimed_at(at, None) {
                Ok(aimed) => aimed.check(begins).await,
                Err(_) => Outcome::ConnectError,
            }
        })
    }
}
