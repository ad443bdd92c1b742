//! What the engine is asked to do by nothing but its client.

use chaos_test::testcontainers::bollard::Docker;
use chaos_test::testcontainers::bollard::models::{
    ContainerCreateBody, HostConfig, HostConfigCgroupnsModeEnum,
};
use chaos_test::testcontainers::bollard::query_parameters::{
    KillContainerOptionsBuilder, RemoveContainerOptionsBuilder, StopContainerOptionsBuilder,
};
use chaos_test::testcontainers::core::client::docker_client_instance;
use suite::docker::STUB;

use crate::{PORT, until_it_answers};

/// What is asked of it to have a fault, and to be rid of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    /// Kill; start.
    Kill,
    /// Stop without grace; start, and wait until it answers.
    Stop,
    /// Pause; unpause.
    Pause,
    /// Make and start one more container, in its network; remove that.
    InNetwork,
    /// The same, among its processes, where the groups of processes are in sight.
    InGroups,
}

/// The engine, and a container to ask things of.
pub(crate) struct Engine {
    docker: Docker,
    id: String,
    helper: Option<String>,
}

impl Engine {
    pub(crate) async fn of(id: String) -> Self {
        Self { docker: docker_client_instance().await.expect("an engine"), id, helper: None }
    }

    pub(crate) async fn on(&mut self, call: Call) {
        match call {
            Call::Kill => {
                let options = KillContainerOptionsBuilder::default().signal("SIGKILL").build();
                self.docker.kill_container(&self.id, Some(options)).await.expect("killed");
            }
            Call::Stop => {
                let options = StopContainerOptionsBuilder::default().t(0).build();
                self.docker.stop_container(&self.id, Some(options)).await.expect("stopped");
            }
            Call::Pause => self.docker.pause_container(&self.id).await.expect("paused"),
            Call::InNetwork | Call::InGroups => {
                let its = Some(format!("container:{}", self.id));
                let host_config = match call {
                    Call::InNetwork => HostConfig { network_mode: its, ..HostConfig::default() },
                    _ => HostConfig {
                        network_mode: Some("none".into()),
                        pid_mode: its,
                        binds: Some(vec!["/sys/fs/cgroup:/cgroup".into()]),
                        cgroupns_mode: Some(HostConfigCgroupnsModeEnum::HOST),
                        ..HostConfig::default()
                    },
                };
                let words = ["/stub", "--port", "8001"].map(str::to_owned);
                let body = ContainerCreateBody {
                    image: Some(format!("{}:{}", STUB.0, STUB.1)),
                    entrypoint: Some(words.to_vec()),
                    host_config: Some(host_config),
                    ..ContainerCreateBody::default()
                };
                let id = self.docker.create_container(None, body).await.expect("made").id;
                self.docker.start_container(&id, None).await.expect("started");
                self.helper = Some(id);
            }
        }
    }

    pub(crate) async fn off(&mut self, call: Call) {
        match call {
            Call::Kill => self.docker.start_container(&self.id, None).await.expect("started"),
            Call::Stop => {
                self.docker.start_container(&self.id, None).await.expect("started");
                self.until_it_answers().await;
            }
            Call::Pause => self.docker.unpause_container(&self.id).await.expect("unpaused"),
            Call::InNetwork | Call::InGroups => {
                let id = self.helper.take().expect("it was made");
                let options = RemoveContainerOptionsBuilder::default().force(true).build();
                self.docker.remove_container(&id, Some(options)).await.expect("removed");
            }
        }
    }

    pub(crate) async fn until_it_answers(&self) {
        let found = self.docker.inspect_container(&self.id, None).await.expect("it is there");
        let mut ports = found.network_settings.and_then(|settings| settings.ports).expect("it runs");
        let bound = ports.remove(&format!("{PORT}/tcp")).flatten().expect("it is published");
        let port = bound.into_iter().find_map(|binding| binding.host_port).expect("a number");
        until_it_answers(&format!("http://127.0.0.1:{port}/")).await;
    }
}
