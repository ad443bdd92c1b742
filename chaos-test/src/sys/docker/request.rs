//! A request for a container, whatever type of image it was made of.

use std::collections::BTreeMap;
use std::io;
use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::time::Duration;

use testcontainers::bollard::models::{MountType, RestartPolicy, RestartPolicyNameEnum};
use testcontainers::core::ContainerPort;
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerRequest, Image, ImageExt};

use super::engine::chain;
use crate::port::BoxFuture;

/// What an environment adds to a request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Dress {
    /// The network it joins.
    pub(crate) network: String,
    /// What the engine is to call it.
    pub(crate) name: String,
    /// What the others in its network call it.
    pub(crate) alias: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) env: Vec<(String, String)>,
    /// What starts it again, if not what the request says.
    pub(crate) restart: Option<RestartPolicyNameEnum>,
    /// Whether the conditions its image waits for are left out, for somebody else looks whether it is ready.
    pub(crate) unconditional: bool,
    /// How long it may take to start, if not what the request says.
    pub(crate) within: Option<Duration>,
}

/// A container that runs.
#[derive(Debug)]
pub(crate) struct Begun {
    pub(crate) id: String,
    /// The host its ports are published on.
    pub(crate) host: String,
}

/// A request without the type of its image.
pub(crate) trait Request: Send + Sync {
    /// `postgres:16`.
    fn image(&self) -> String;

    /// The ports it listens on, in the order its image names them.
    fn ports(&self) -> Vec<u16>;

    /// The network it asks for itself.
    fn network(&self) -> Option<String>;

    /// What the engine is to call it, if the request says.
    fn name(&self) -> Option<String>;

    /// Starts it by testcontainers' own runner. To be called on the harness's own threads.
    fn start(self: Box<Self>, dress: Dress) -> BoxFuture<'static, io::Result<Begun>>;
}

impl<I: Image + 'static> Request for ContainerRequest<I> {
    fn image(&self) -> String {
        self.descriptor()
    }

    fn ports(&self) -> Vec<u16> {
        let mapped = self.ports().into_iter().flatten().map(|mapping| mapping.container_port());
        let tcp = |port: ContainerPort| match port {
            ContainerPort::Tcp(port) => Some(port),
            _ => None,
        };
        self.expose_ports().iter().copied().chain(mapped).filter_map(tcp).collect()
    }

    fn network(&self) -> Option<String> {
        self.network().clone()
    }

    fn name(&self) -> Option<String> {
        self.container_name().clone()
    }

    fn start(self: Box<Self>, dress: Dress) -> BoxFuture<'static, io::Result<Begun>> {
        let request = dressed(*self, dress);
        Box::pin(async move {
            let started = request.start().await.map_err(|error| io::Error::other(chain(&error)))?;
            // Its destructor would remove the container, needs a runtime, and panics without one. It never runs: what is
            // ours is removed by its label.
            let started = ManuallyDrop::new(started);
            let host = started.get_host().await.map_err(|error| io::Error::other(chain(&error)))?;
            Ok(Begun { id: started.id().to_owned(), host: host.to_string() })
        })
    }
}

fn dressed<I: Image>(request: ContainerRequest<I>, dress: Dress) -> ContainerRequest<I> {
    let hosted = request.hostname().is_some();
    let modifier = request.host_config_modifier().map(Arc::clone);
    let marks = dress.labels.clone();
    let mut request = request.with_network(dress.network).with_labels(dress.labels);
    for (name, value) in dress.env {
        request = request.with_env_var(name, value);
    }
    request = request.with_container_name(dress.name);
    if !hosted {
        // Engines give a container the name of its host as an alias.
        request = request.with_hostname(dress.alias);
    }
    if dress.unconditional {
        request = request.with_ready_conditions(Vec::new());
    }
    if let Some(within) = dress.within {
        request = request.with_startup_timeout(within);
    }
    request.with_host_config_modifier(move |config| {
        if let Some(modifier) = &modifier {
            modifier(config);
        }
        if let Some(policy) = dress.restart {
            config.restart_policy = Some(RestartPolicy { name: Some(policy), maximum_retry_count: None });
        }
        // A volume that the engine makes for it is ours, and goes with it. One that is there already is not touched.
        for mount in config.mounts.iter_mut().flatten().filter(|mount| mount.typ == Some(MountType::VOLUME)) {
            let labels = &mut mount.volume_options.get_or_insert_default().labels;
            labels.get_or_insert_default().extend(marks.clone());
        }
    })
}
