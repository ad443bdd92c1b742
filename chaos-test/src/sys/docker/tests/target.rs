use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use testcontainers::bollard::models::{ContainerCreateBody, HostConfig, NetworkCreateRequest};

use crate::sys::docker::engine::{engine, on_harness, told};
use crate::sys::docker::{ContainerPackets, Details, MARK_LABEL, ManagedContainer, image, remove_marked};
use crate::sys::{hook, owner};

/// A container that does nothing, in a network of its own that others can join; removed when this is dropped.
pub(crate) struct Idle {
    pub(crate) container: Arc<ManagedContainer>,
    pub(crate) packets: ContainerPackets,
}

impl Idle {
    pub(crate) async fn start() -> Self {
        Self::on(None).await
    }

    /// On the network of that mode.
    pub(super) async fn on(mode: Option<&'static str>) -> Self {
        on_harness(begin(mode)).await.expect("a container")
    }

    /// What another process needs to find it.
    pub(super) fn named(&self) -> String {
        format!("{} {} {}", self.container.id, self.container.mark, self.container.network)
    }
}

impl Drop for Idle {
    fn drop(&mut self) {
        let removed = remove_marked(&self.container.mark, Duration::from_secs(10));
        if !std::thread::panicking() {
            removed.expect("it goes");
        }
    }
}

/// The packets of the container that somebody else has started.
pub(super) async fn packets_of(named: &str) -> ContainerPackets {
    let words: Vec<String> = named.split(' ').map(str::to_owned).collect();
    on_harness(async move {
        let found = Details::of(&words[0]).await?;
        let container = ManagedContainer::of(&found, &words[1], "idle", &words[2]);
        Ok(ContainerPackets::of(Arc::new(container), &found, 1))
    })
    .await
    .expect("it is there")
}

async fn begin(mode: Option<&'static str>) -> io::Result<Idle> {
    let docker = engine().await?;
    let mark = owner::new_mark();
    let labels = HashMap::from([(MARK_LABEL.to_owned(), mark.clone())]);
    let network = mode.unwrap_or(&mark).to_owned();
    if mode.is_none() {
        let request = NetworkCreateRequest {
            name: mark.clone(),
            labels: Some(labels.clone()),
            ..NetworkCreateRequest::default()
        };
        docker.create_network(request).await.map_err(told)?;
    }
    let helper = image::helper().await?;
    let body = ContainerCreateBody {
        image: Some(helper.image),
        entrypoint: Some(helper.command),
        // It waits for its first word, which never comes.
        env: Some(vec![format!("{}=sidecar {mark}", hook::ROLE)]),
        open_stdin: Some(true),
        labels: Some(labels),
        host_config: Some(HostConfig { network_mode: Some(network.clone()), ..HostConfig::default() }),
        ..ContainerCreateBody::default()
    };
    let id = docker.create_container(None, body).await.map_err(told)?.id;
    docker.start_container(&id, None).await.map_err(told)?;
    let found = Details::of(&id).await?;
    let container = Arc::new(ManagedContainer::of(&found, &mark, "idle", &network));
    let packets = ContainerPackets::of(Arc::clone(&container), &found, 1);
    Ok(Idle { container, packets })
}
