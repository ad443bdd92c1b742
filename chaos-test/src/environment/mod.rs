//! The services under test, behind one address each.
//!
//! Purpose: [`Environment::builder`] starts child processes and reaches running services by their URL; every service
//! gets a front door, an address on 127.0.0.1 that stays the same while the service behind it crashes and comes back.
//!
//! Invariants: what an environment started ends for good when it is dropped. All addresses are known before the first
//! service starts, so a service can be told another's.
//! Not here: faults and measurement.

mod builder;
mod process;
mod service;

use std::net::SocketAddr;

pub use builder::EnvironmentBuilder;
pub use process::Process;
pub use service::Service;

use crate::probe::Probe;

/// Running services, in the order they were added.
#[derive(Debug)]
pub struct Environment {
    services: Vec<Service>,
    probes: Vec<(usize, Probe)>,
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
    pub fn address(&self, service: &str) -> SocketAddr {
        match self.service(service) {
            Some(service) => service.address(),
            None => panic!("{}", self.unknown(service)),
        }
    }

    /// A template with `{host}` and `{port}` of a service's front door filled in:
    /// `env.url_for("db", "postgres://app@{host}:{port}/shop")`.
    ///
    /// # Panics
    /// When there is no service of that name.
    pub fn url_for(&self, service: &str, template: &str) -> String {
        let address = self.address(service);
        template.replace("{host}", &address.ip().to_string()).replace("{port}", &address.port().to_string())
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
        self.services.iter().for_each(Service::close);
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
