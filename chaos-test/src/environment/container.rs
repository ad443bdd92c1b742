use std::fmt;
use std::time::Duration;

use testcontainers::bollard::models::RestartPolicyNameEnum;
use testcontainers::{ContainerRequest, Image};

use super::Restart;
use crate::probe::Probe;
use crate::sys::docker::Request;

/// A container as a service: what to start, and how to see that it is ready.
///
/// Any image or request of testcontainers will do as it is; this is for saying more.
///
/// ```no_run
/// # use chaos_test::prelude::*;
/// # use chaos_test::testcontainers::GenericImage;
/// let db = Container::of(GenericImage::new("postgres", "16")).port(5432).ready(Probe::tcp());
/// ```
#[must_use = "a container is started by the environment that it is given to"]
pub struct Container {
    pub(super) request: Box<dyn Request>,
    pub(super) port: Option<u16>,
    pub(super) env: Vec<(String, String)>,
    pub(super) ready: Option<Probe>,
    pub(super) ready_within: Option<Duration>,
    pub(super) restart: Option<RestartPolicyNameEnum>,
    pub(super) after: Vec<String>,
}

impl Container {
    /// A container of that image, or as that request says.
    ///
    /// A request that asks for a network makes the start of the environment an error: its services share one.
    pub fn of<I: Image + 'static>(request: impl Into<ContainerRequest<I>>) -> Self {
        Self {
            request: Box::new(request.into()),
            port: None,
            env: Vec::new(),
            ready: None,
            ready_within: None,
            restart: None,
            after: Vec::new(),
        }
    }

    /// The port it listens on inside: the first that its image exposes, unless said otherwise.
    pub fn port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// A variable of its environment, beside those of its image.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// How to see that it is ready, instead of what its image waits for and a connection that opens.
    ///
    /// Without a probe of its own, the environment is also measured with this one, unless the body is repeated.
    pub fn ready(mut self, probe: impl Into<Probe>) -> Self {
        self.ready = Some(probe.into());
        self
    }

    /// How long it may take to start, and then to get ready: 60 s each unless said otherwise. Pulling its image is not in
    /// it.
    pub fn ready_within(mut self, time: Duration) -> Self {
        self.ready_within = Some(time);
        self
    }

    /// Has the engine start it again when it has ended, by its own policy of that name.
    ///
    /// No policy of an engine brings back what was ended through the engine.
    pub fn restart(mut self, restart: Restart) -> Self {
        self.restart = Some(match restart {
            Restart::Always => RestartPolicyNameEnum::ALWAYS,
            Restart::OnFailure => RestartPolicyNameEnum::ON_FAILURE,
        });
        self
    }

    /// Starts it after that one is ready. So it is anyway if a variable of it asks for the other's address, and if the
    /// other is a process that was added before.
    pub fn after(mut self, service: impl Into<String>) -> Self {
        self.after.push(service.into());
        self
    }
}

impl fmt::Debug for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Container").field("image", &self.request.image()).finish_non_exhaustive()
    }
}

/// What can be a service in a container: a [`Container`], and any image or request of testcontainers.
///
/// ```
/// use chaos_test::IntoContainer;
/// use chaos_test::prelude::*;
///
/// /// The database of the shop, in whatever image a test wants it.
/// fn database<I>(image: impl IntoContainer<I>) -> Container {
///     image.into_container().port(5432).env("POSTGRES_PASSWORD", "tea").ready_within(90.seconds())
/// }
/// ```
pub trait IntoContainer<I> {
    /// The container.
    fn into_container(self) -> Container;
}

impl<I: Image + 'static, R: Into<ContainerRequest<I>>> IntoContainer<I> for R {
    fn into_container(self) -> Container {
        Container::of(self)
    }
}

/// Says that something is a [`Container`] already.
///
/// Only a signature that asks for one has to name it:
///
/// ```
/// use chaos_test::environment::{Already, EnvironmentBuilder, IntoContainer};
///
/// /// Adds services from a list: containers by now, whatever their images are.
/// fn all<C: IntoContainer<Already>>(to: EnvironmentBuilder, list: Vec<(String, C)>) -> EnvironmentBuilder {
///     list.into_iter().fold(to, |to, (name, container)| to.container(name, container))
/// }
/// ```
#[derive(Debug)]
pub struct Already;

impl IntoContainer<Already> for Container {
    fn into_container(self) -> Container {
        self
    }
}
