use std::net::SocketAddr;
#[cfg(feature = "containers")]
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "containers")]
use super::Container;
use super::builder::Kind;
#[cfg(feature = "containers")]
use super::containers::{self, ContainerService, PendingContainer};
use super::network::Network;
use super::{Process, Service};
use crate::error::Error;
#[cfg(feature = "containers")]
use crate::sys::docker::Group;
use crate::sys::ports::ReservedPort;
use crate::sys::proxy::Proxy;

/// What remains to be done for a service whose address is known.
pub(super) enum Pending {
    Process(PendingProcess),
    #[cfg(feature = "containers")]
    Container(PendingContainer),
}

pub(super) struct PendingProcess {
    pub(super) process: Process,
    pub(super) env: Vec<(std::ffi::OsString, std::ffi::OsString)>,
    pub(super) ready_within: Duration,
}

/// Opens the front door of a service that is yet to be started.
pub(super) async fn open(name: String, kind: Kind) -> Result<(Service, Option<Pending>), Error> {
    let (upstream, host, port, ready, pending) = match kind {
        Kind::Process(process) => {
            let port = ReservedPort::reserve()
                .map_err(|error| Error::setup(format!("a port for {name}: {error}")))?;
            let ready = process.ready.clone();
            let pending =
                PendingProcess { env: process.env.clone(), ready_within: process.ready_within, process };
            (port.address(), None, Some(port), ready, Some(pending))
        }
        Kind::Url(url) => {
            let (upstream, host) = resolve(&url)
                .await
                .map_err(|why| Error::setup(format!("{name} at {}: {why}", told(&url))))?;
            (upstream, Some(host), None, None, None)
        }
        #[cfg(feature = "containers")]
        Kind::Container(_) => return Err(Error::setup(format!("{name} was not opened as a container"))),
    };
    let wanted = pending.as_ref().is_some_and(|pending: &PendingProcess| pending.process.own_network);
    let network = match wanted {
        true => Some(
            Network::create(&name, upstream)
                .await
                .map_err(|error| Error::setup(impossible(&name, &error)))?,
        ),
        false => None,
    };
    let door = match &network {
        Some(network) => Proxy::start(network.inside()).await,
        None => Proxy::start(upstream).await,
    };
    let door = door.map_err(|error| Error::setup(format!("opening the front door of {name}: {error}")))?;
    let ready_within =
        pending.as_ref().map_or(Duration::ZERO, |pending: &PendingProcess| pending.ready_within);
    let service = Service {
        name,
        door: Arc::new(door),
        upstream,
        host,
        process: None,
        container: None,
        past_the_door: Vec::new(),
        disk: None,
        ready,
        ready_within,
        network,
        _port: port,
    };
    Ok((service, pending.map(Pending::Process)))
}

/// A container behind its front door, yet to be started.
#[cfg(feature = "containers")]
pub(super) async fn contain(
    name: String,
    container: Container,
    group: Option<&Arc<Group>>,
    folder: &Path,
) -> Result<(Service, Option<Pending>), Error> {
    let group = group.ok_or_else(|| Error::setup(format!("{name} has no group of containers")))?;
    let own = ContainerService::open(&name, &container, group, folder)
        .map_err(|why| Error::setup(format!("the container {name}: {why}")))?;
    let door = Proxy::start(own.connector()).await;
    let door = door.map_err(|error| Error::setup(format!("opening the front door of {name}: {error}")))?;
    let service = Service {
        name,
        door: Arc::new(door),
        upstream: own.address(),
        host: None,
        process: None,
        container: Some(own),
        past_the_door: Vec::new(),
        disk: None,
        ready: container.ready.clone(),
        ready_within: containers::ready_within(&container),
        network: None,
        _port: None,
    };
    Ok((service, Some(Pending::Container(PendingContainer { container, after: Vec::new() }))))
}

fn impossible(name: &str, error: &std::io::Error) -> String {
    format!(
        "a network of its own for {name}: {error}; the kernel must let this user make namespaces (as root with \
         CAP_SYS_ADMIN, or user.max_user_namespaces and user.max_net_namespaces above 0, kernel.apparmor_restrict_unprivileged_userns=0 and, in a \
         container, a seccomp profile that allows unshare); without `own_network()` faults are made in the front door"
    )
}

/// A URL as it may be told: without a login in it.
fn told(url: &str) -> String {
    match reqwest::Url::parse(url) {
        Ok(mut parsed) if has_login(&parsed) => {
            let _ = (parsed.set_username(""), parsed.set_password(None));
            parsed.to_string()
        }
        Ok(_) => url.to_owned(),
        // Whatever it is, a login would stand before the last `@`.
        Err(_) => match (url.find("//"), url.rfind('@')) {
            (Some(start), Some(at)) if start + 2 <= at => format!("{}{}", &url[..start + 2], &url[at + 1..]),
            _ => url.to_owned(),
        },
    }
}

fn has_login(url: &reqwest::Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
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
    if has_login(&parsed) || parsed.path() != "/" || parsed.query().is_some() || parsed.fragment().is_some() {
        return Err("only its host and port are used: write http://HOST:PORT, and give path and login to the requests \
                    of the body and to the probes"
            .into());
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
