//! The services under test, behind one address each.
//!
//! Purpose: [`Environment::builder`] starts child processes and reaches running services by their URL; every service
//! gets a front door, an address on 127.0.0.1 that stays the same while the service behind it crashes and comes back.
//!
//! Invariants: what an environment started ends for good when it is dropped. All addresses are known before the first
//! service starts, so a service can be told another's.
//! Not here: faults and measurement.

mod builder;
#[cfg(feature = "containers")]
mod callers;
#[cfg(feature = "containers")]
mod container;
#[cfg_attr(not(feature = "containers"), path = "no_containers.rs")]
mod containers;
mod launch;
mod network;
mod open;
mod outlook;
mod process;
mod ready;
mod service;

use std::net::SocketAddr;
#[cfg(feature = "containers")]
use std::sync::Arc;
use std::sync::Mutex;

pub use builder::EnvironmentBuilder;
#[cfg(feature = "containers")]
pub use container::{Already, Container, IntoContainer};
use outlook::Outlook;
pub use process::{Process, Restart};
pub use service::Service;

use crate::probe::Probe;
#[cfg(feature = "containers")]
use crate::sys::docker::Group;

/// Running services, in the order they were added.
///
/// ```no_run
/// use chaos_test::prelude::*;
///
/// async fn by_hand() -> Result<(), Error> {
///     let shop = Environment::builder().process("app", Process::cargo_bin("shop")).start().await?;
///     let orders = shop.url_for("app", "http://{host}:{port}/orders");
///     let pid = shop.service("app").and_then(|app| app.pid());
///     println!("the shop is process {pid:?} and takes {orders}");
///     drop(shop); // ends what it started
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub struct Environment {
    services: Vec<Service>,
    probes: Vec<(usize, Probe)>,
    /// From where addresses are asked for.
    outlook: Mutex<Outlook>,
    /// It could not be started.
    failed: bool,
    /// Its containers, those among them that no service stands for yet.
    #[cfg(feature = "containers")]
    group: Option<Arc<Group>>,
}

impl Environment {
    /// Begins an environment.
    ///
    /// ```no_run
    /// # async fn shop() -> Result<(), chaos_test::Error> {
    /// use chaos_test::prelude::*;
    /// let environment = Environment::builder()
    ///     .process("app", Process::cargo_bin("shop").args(["--port", "{port}"]).ready(Probe::http("/api/health")))
    ///     .start()
    ///     .await?;
    /// # Ok(()) }
    /// ```
    pub fn builder() -> EnvironmentBuilder {
        EnvironmentBuilder::default()
    }

    /// The service of that name.
    pub fn service(&self, name: &str) -> Option<&Service> {
        self.services.iter().find(|service| service.name() == name)
    }

    /// All services, in the order they were added.
    pub fn services(&self) -> &[Service] {
        &self.services
    }

    /// The front door of a service.
    ///
    /// # Panics
    /// When there is no service of that name; the message lists those there are.
    #[track_caller]
    pub fn address(&self, service: &str) -> SocketAddr {
        let found = self.known(service);
        self.note(found, "its address is a front door on this host; ask for `url_for`");
        found.address()
    }

    // Not in a closure, whose panic would have its own place and not that of the caller.
    #[track_caller]
    fn known(&self, service: &str) -> &Service {
        let Some(found) = self.service(service) else { panic!("{}", self.unknown(service)) };
        found
    }

    /// A template with `{host}` and `{port}` of a service's front door filled in:
    /// `env.url_for("db", "postgres://app@{host}:{port}/shop")`.
    ///
    /// For a variable of a container it is where that reaches the service: another container by its name, at the port it
    /// listens on.
    ///
    /// # Panics
    /// When there is no service of that name.
    #[track_caller]
    pub fn url_for(&self, service: &str, template: &str) -> String {
        let (host, port) = self.seen(service);
        template.replace("{host}", &host).replace("{port}", &port.to_string())
    }

    /// The probes to measure with: those that were added, else (if so wanted) each service's readiness probe.
    pub(crate) fn probes(&self, or_readiness: bool) -> Vec<(&Service, Probe)> {
        if self.probes.is_empty() && or_readiness {
            self.services.iter().filter_map(|service| Some((service, service.ready()?.clone()))).collect()
        } else {
            self.probes.iter().map(|(at, probe)| (&self.services[*at], probe.clone())).collect()
        }
    }

    pub(crate) fn unknown(&self, service: &str) -> String {
        let known: Vec<&str> = self.services.iter().map(Service::name).collect();
        let known =
            if known.is_empty() { "it has none".into() } else { format!("it has {}", known.join(", ")) };
        format!("no service named \"{service}\" in this environment: {known}")
    }
}

impl Drop for Environment {
    /// Ends what it started, at once, whoever else still holds on to a service of it.
    fn drop(&mut self) {
        // A test that fails panics, as a rule.
        let failed = self.failed || std::thread::panicking();
        self.services.iter().for_each(|service| service.close(failed));
        #[cfg(feature = "containers")]
        if let Some(group) = &self.group {
            group.close(failed);
            // After a run there is nothing more to be said.
            group.tell();
        }
    }
}

/// What an environment function may return: an [`Environment`], or a type of your own that holds one.
///
/// ```
/// use chaos_test::prelude::*;
/// struct Shop { environment: Environment, admin_token: String }
/// impl AsEnvironment for Shop {
///     fn environment(&self) -> &Environment { &self.environment }
/// }
/// ```
pub trait AsEnvironment: 'static {
    /// The environment it holds.
    fn environment(&self) -> &Environment;
}

impl AsEnvironment for Environment {
    fn environment(&self) -> &Environment {
        self
    }
}
