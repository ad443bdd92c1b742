//! For tests: a container that stands in for a service. It is the helper's own image, waiting for nobody's orders.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use testcontainers::bollard::models::{
    ContainerCreateBody, HostConfig, RestartPolicy, RestartPolicyNameEnum,
};

use super::container::Details;
use super::engine::{engine, on_harness, told};
use super::managed::ManagedContainer;
use super::{MARK_LABEL, image, remove_marked};
use crate::port::{ContainerControl, Target, TargetKind};
use crate::sys::{env, hook, owner};

/// What the container is like.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Likeness {
    /// How many processors it may use.
    pub(crate) processors: Option<f64>,
    /// How much memory it may use, in bytes.
    pub(crate) memory: Option<i64>,
    /// Whether its engine starts it again.
    pub(crate) restarts: bool,
    /// Whether it has a volume.
    pub(crate) volume: bool,
}

/// The container. It goes when this is dropped.
pub(crate) struct StandIn {
    pub(crate) container: Arc<ManagedContainer>,
    mark: String,
}

/// Where the volume is.
pub(crate) const VOLUME: &str = "/data";

/// Starts one. Without an engine it says so and there is none; if `CHAOS_TEST_REQUIRE` names `docker`, it fails instead.
pub(crate) async fn stand_in(service: &'static str, like: Likeness) -> Option<StandIn> {
    let asked = on_harness(async { Ok(engine().await.map(drop).map_err(|refused| refused.to_string())) });
    if let Err(missing) = asked.await.expect("the harness runs") {
        let required = env::var("CHAOS_TEST_REQUIRE").unwrap_or_default();
        assert!(!required.split(',').any(|name| name.trim() == "docker"), "docker is required: {missing}");
        eprintln!("SKIPPED: this host has no docker: {missing}");
        return None;
    }
    let mark = owner::new_mark();
    let started = on_harness(start(service, mark.clone(), like)).await;
    Some(StandIn { container: Arc::new(started.expect("the container starts")), mark })
}

async fn start(service: &str, mark: String, like: Likeness) -> io::Result<ManagedContainer> {
    let (helper, docker) = (image::helper().await?, engine().await?);
    let policy =
        if like.restarts { RestartPolicyNameEnum::UNLESS_STOPPED } else { RestartPolicyNameEnum::NO };
    let host_config = HostConfig {
        network_mode: Some("none".into()),
        nano_cpus: like.processors.map(|processors| (processors * 1e9) as i64),
        memory: like.memory,
        memory_swap: like.memory,
        restart_policy: Some(RestartPolicy { name: Some(policy), maximum_retry_count: None }),
        ..HostConfig::default()
    };
    let body = ContainerCreateBody {
        image: Some(helper.image),
        entrypoint: Some(helper.command),
        // No token: nobody is asked to prove who holds it.
        env: Some(vec![format!("{}=sidecar ", hook::ROLE)]),
        labels: Some(HashMap::from([(MARK_LABEL.into(), mark.clone())])),
        open_stdin: Some(true),
        volumes: like.volume.then(|| vec![VOLUME.to_owned()]),
        host_config: Some(host_config),
        ..ContainerCreateBody::default()
    };
    let made = docker.create_container(None, body).await.map_err(told)?;
    docker.start_container(&made.id, None).await.map_err(told)?;
    Ok(ManagedContainer::of(&Details::of(&made.id).await?, &mark, service, "none"))
}

impl StandIn {
    pub(crate) fn target(&self) -> Target {
        Target {
            service: "app".into(),
            kind: TargetKind::Container,
            address: None,
            path: None,
            past_the_door: Vec::new(),
            packets: None,
            process: None,
            container: Some(Arc::clone(&self.container) as Arc<dyn ContainerControl>),
            syncs: None,
            disk: None,
            shares_host: false,
            ready: None,
        }
    }

    /// Removes the container, as the end of its environment does.
    pub(crate) fn end(&self) {
        self.container.close();
        remove_marked(&self.mark, Duration::from_secs(20)).expect("it can be removed");
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        let _ = remove_marked(&self.mark, Duration::from_secs(20));
    }
}
