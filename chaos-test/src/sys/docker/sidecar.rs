//! A helper in a container of its own, beside a container of the environment.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use testcontainers::bollard::Docker;
use testcontainers::bollard::container::LogOutput;
use testcontainers::bollard::errors::Error as DockerError;
use testcontainers::bollard::models::{ContainerCreateBody, HostConfig, HostConfigCgroupnsModeEnum};
use testcontainers::bollard::query_parameters::{
    AttachContainerOptionsBuilder, RemoveContainerOptionsBuilder,
};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::Mutex;

use super::engine::{engine, told};
use super::image::{self, Helper};
use super::{MARK_LABEL, SERVICE_LABEL, labels};
use crate::sys::runtime::harness;
use crate::sys::sidecar::{Order, Reply};

/// How long a helper may take for one order, beyond what the order itself takes.
const PATIENCE: Duration = Duration::from_secs(10);
/// And for its end: removing it has to fit into the time for a revert as well.
const LAST_WORD: Duration = Duration::from_secs(2);

/// How a helper is placed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Place {
    /// What it carries in its labels.
    pub(crate) mark: String,
    /// The service it works on.
    pub(crate) service: String,
    /// `container:<id>`, the name of a network, or `none`.
    pub(crate) network: String,
    /// `container:<id>` or `host`; empty for its own.
    pub(crate) processes: String,
    /// What it may do beyond what any process may: `NET_ADMIN`.
    pub(crate) capabilities: Vec<&'static str>,
    /// Folders of the engine's host: `/sys/fs/cgroup:/cgroup`.
    pub(crate) binds: Vec<String>,
    /// The container whose volumes it has.
    pub(crate) volumes_from: Option<String>,
    /// Whether it sees all groups of processes by their whole names.
    pub(crate) sees_groups: bool,
}

/// A helper that runs. It ends when this is dropped, or when this process ends, however that comes about: its standard
/// input closes, and the engine removes it.
pub(crate) struct Sidecar {
    id: String,
    talk: Mutex<Talk>,
}

struct Talk {
    output: Pin<Box<dyn Stream<Item = Result<LogOutput, DockerError>> + Send>>,
    input: Pin<Box<dyn AsyncWrite + Send>>,
    /// What has come and is no whole line yet.
    rest: Vec<u8>,
    /// Somebody has asked and has not had the answer.
    waits: bool,
}

impl Sidecar {
    /// Starts one and waits until it answers. To be called on the harness's own threads.
    ///
    /// If the caller does not wait, it goes on all the same, and the helper goes as soon as it is there: an engine does not
    /// remove by itself what it has made and was never told to start.
    pub(crate) async fn start(place: Place) -> io::Result<Self> {
        harness().spawn(Self::begin(place)).await.map_err(io::Error::other)?
    }

    async fn begin(place: Place) -> io::Result<Self> {
        match Self::start_from(image::helper().await?, &place).await {
            // Somebody has removed the image since it was looked for.
            Err(error) if error.kind() == io::ErrorKind::NotFound && error.to_string().contains("image") => {
                image::forget().await;
                Self::start_from(image::helper().await?, &place).await
            }
            started => started,
        }
    }

    async fn start_from(helper: Helper, place: &Place) -> io::Result<Self> {
        let docker = engine().await?;
        let mut marks = labels::of_this_test();
        marks.insert(MARK_LABEL.into(), place.mark.clone());
        marks.insert(SERVICE_LABEL.into(), place.service.clone());
        let host_config = HostConfig {
            network_mode: Some(place.network.clone()),
            pid_mode: Some(place.processes.clone()).filter(|mode| !mode.is_empty()),
            cap_drop: Some(vec!["ALL".into()]),
            cap_add: Some(place.capabilities.iter().map(ToString::to_string).collect()),
            binds: Some(place.binds.clone()),
            volumes_from: place.volumes_from.clone().map(|id| vec![id]),
            cgroupns_mode: place.sees_groups.then_some(HostConfigCgroupnsModeEnum::HOST),
            auto_remove: Some(true),
            ..HostConfig::default()
        };
        let body = ContainerCreateBody {
            image: Some(helper.image),
            entrypoint: Some(helper.command),
            env: Some(vec![format!("{}=sidecar {}", crate::sys::hook::ROLE, place.mark)]),
            labels: Some(HashMap::from_iter(marks)),
            open_stdin: Some(true),
            stdin_once: Some(true),
            attach_stdin: Some(true),
            attach_stdout: Some(true),
            host_config: Some(host_config),
            ..ContainerCreateBody::default()
        };
        let id = docker.create_container(None, body).await.map_err(told)?.id;
        let started = Self::meet(docker, id.clone(), &place.mark).await;
        if started.is_err() {
            // One that never ran is not removed by the engine.
            let options = RemoveContainerOptionsBuilder::default().force(true).build();
            let _ = docker.remove_container(&id, Some(options)).await;
        }
        started
    }

    /// Starts one that has been made, and waits for its first word.
    async fn meet(docker: &Docker, id: String, mark: &str) -> io::Result<Self> {
        let options = AttachContainerOptionsBuilder::default().stream(true).stdin(true).stdout(true).build();
        let attached = docker.attach_container(&id, Some(options)).await.map_err(told)?;
        let talk = Talk { output: attached.output, input: attached.input, rest: Vec::new(), waits: false };
        // From here on it goes when this is dropped.
        let sidecar = Self { id, talk: Mutex::new(talk) };
        docker.start_container(&sidecar.id, None).await.map_err(told)?;
        sidecar.talk.lock().await.write(mark.as_bytes()).await?;
        match sidecar.ask(&Order::Hello, Duration::ZERO).await? {
            Reply::Done => Ok(sidecar),
            other => Err(io::Error::other(format!("the helper's first word was {other:?}"))),
        }
    }

    /// Asks it to do something that takes this long at most, and waits for what came of it. One order at a time.
    pub(crate) async fn ask(&self, order: &Order, takes: Duration) -> io::Result<Reply> {
        let mut line = serde_json::to_vec(order)?;
        line.push(b'\n');
        let mut talk = self.talk.lock().await;
        if std::mem::replace(&mut talk.waits, true) {
            // What would come now is the answer to that.
            return Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "the helper did not answer in time before, and is not asked again",
            ));
        }
        let answered = tokio::time::timeout(takes + PATIENCE, async {
            talk.write(&line).await?;
            talk.line().await
        });
        let late = |_| {
            let text = format!("the helper did not answer within {} s", (takes + PATIENCE).as_secs());
            io::Error::new(io::ErrorKind::TimedOut, text)
        };
        let line = answered.await.map_err(late)??;
        talk.waits = false;
        match serde_json::from_slice(&line)? {
            Reply::Failed { code: Some(code), .. } => Err(io::Error::from_raw_os_error(code)),
            Reply::Failed { code: None, text } => Err(io::Error::other(text)),
            reply => Ok(reply),
        }
    }
}

impl Sidecar {
    /// Asks it to undo what it has done and to end. One that does not answer soon is removed as it is.
    pub(crate) async fn end(&self) -> io::Result<()> {
        let ended = tokio::time::timeout(LAST_WORD, self.ask(&Order::End, Duration::ZERO)).await;
        ended.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?.map(drop)
    }
}

impl Talk {
    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.input.write_all(bytes).await?;
        self.input.flush().await
    }

    async fn line(&mut self) -> io::Result<Vec<u8>> {
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let after = self.rest.split_off(end + 1);
                return Ok(std::mem::replace(&mut self.rest, after));
            }
            match self.output.next().await {
                Some(Ok(LogOutput::StdErr { .. })) => {}
                Some(Ok(output)) => self.rest.extend_from_slice(output.as_ref()),
                Some(Err(error)) => return Err(told(error)),
                None => return Err(io::Error::new(io::ErrorKind::BrokenPipe, "the helper has ended")),
            }
        }
    }
}

impl fmt::Debug for Sidecar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sidecar").field("id", &self.id).finish_non_exhaustive()
    }
}
