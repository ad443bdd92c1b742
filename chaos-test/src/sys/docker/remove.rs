use std::collections::HashMap;
use std::io;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use testcontainers::bollard::Docker;
use testcontainers::bollard::errors::Error as DockerError;
use testcontainers::bollard::models::ContainerSummaryStateEnum;
use testcontainers::bollard::query_parameters::{
    ListContainersOptionsBuilder, ListNetworksOptionsBuilder, ListVolumesOptionsBuilder,
    RemoveContainerOptionsBuilder, RemoveVolumeOptionsBuilder, RenameContainerOptionsBuilder,
};

use super::MARK_LABEL;
use super::engine::{engine, on_harness, told};
use crate::sys::owner::{Mark, Owner, Standing};
use crate::sys::runtime::harness;
use crate::sys::timer;

/// How long between two looks whether anything has come up that was under way.
const LOOK: Duration = Duration::from_millis(50);
/// What the name of a container begins with that is kept for people to look at. Nothing removes it, nor what it uses.
pub(crate) const KEPT: &str = "chaos-test-kept-";
/// What the name of any other container of an environment begins with.
const PREFIX: &str = "chaos-test-";

/// Removes all that carries this mark in its labels, whatever state it is in, and waits until the engine knows of none.
/// Blocks; not for the harness's own threads. What was done, for people.
pub(crate) fn remove_marked(mark: &str, limit: Duration) -> Result<String, String> {
    if mark.parse::<Mark>().is_err() {
        return Err(format!("\"{mark}\" is no mark of ours"));
    }
    let (mark, (done, wait)) = (mark.to_owned(), mpsc::channel());
    harness().spawn(async move {
        let _ = done.send(remove(&mark, timer::now() + limit, false).await);
    });
    // The engine may hang: then the step fails, and the others go on.
    let removed = wait.recv_timeout(limit + Duration::from_secs(1));
    removed.unwrap_or_else(|_| Err("the container engine did not answer in time".into()))
}

/// Removes all that carries any mark of that process, and says what that was. Blocks; not for the harness's own threads.
pub(crate) fn remove_of(owner: &Owner, limit: Duration) -> Result<Vec<String>, String> {
    let (owner, (done, wait)) = (owner.clone(), mpsc::channel());
    harness().spawn(async move {
        let _ = done.send(remove_all_of(&owner).await.map_err(|error| error.to_string()));
    });
    wait.recv_timeout(limit).unwrap_or_else(|_| Err("the container engine did not answer in time".into()))
}

async fn remove_all_of(owner: &Owner) -> io::Result<Vec<String>> {
    let docker = engine().await?;
    let mut things = marked(docker, None).await?;
    things.retain(|thing| thing.mark.parse::<Mark>().is_ok_and(|mark| mark.owner == *owner));
    let mut removed = Vec::new();
    match remove_things(docker, &things, &mut removed).await {
        None => Ok(removed),
        Some(why) => Err(io::Error::other(why)),
    }
}

/// Whether anything carries this mark in its labels.
pub(crate) async fn is_left(mark: &str) -> io::Result<bool> {
    let mark = mark.to_owned();
    on_harness(async move { Ok(!marked(engine().await?, Some(&mark)).await?.is_empty()) }).await
}

/// The same, on the harness's own threads; `kept` ones as well, if so wanted.
pub(super) async fn remove(mark: &str, deadline: Instant, kept: bool) -> Result<String, String> {
    let docker = engine().await.map_err(|refused| refused.to_string())?;
    let mut removed = Vec::new();
    loop {
        let left = all_marked(docker, Some(mark), kept).await.map_err(|error| error.to_string())?;
        if left.is_empty() {
            return Ok(said(&removed));
        }
        let failed = remove_things(docker, &left, &mut removed).await;
        if timer::now() >= deadline {
            let why = failed.unwrap_or_else(|| "new ones keep coming up".into());
            return Err(format!("not all could be removed in time: {why}"));
        }
        if failed.is_some() {
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// What was removed, for people.
fn said(removed: &[String]) -> String {
    if removed.is_empty() {
        "no container was left".into()
    } else {
        format!("removed {}", removed.join(", "))
    }
}

/// Removes containers, all at once, and then what they used. Why one could not be, if so.
async fn remove_things(docker: &Docker, things: &[Thing], removed: &mut Vec<String>) -> Option<String> {
    let mut failed = None;
    let (containers, others): (Vec<_>, Vec<_>) =
        things.iter().partition(|thing| thing.kind == Kind::Container);
    for wave in [containers, others] {
        let outcomes = join_all(wave.iter().map(|thing| thing.remove(docker))).await;
        for (thing, outcome) in wave.iter().zip(outcomes) {
            match outcome {
                Ok(()) if !removed.contains(&thing.name) => removed.push(thing.name.clone()),
                Ok(()) => {}
                Err(error) => failed = Some(format!("{}: {error}", thing.name)),
            }
        }
    }
    failed
}

/// Removes what processes have left that are gone, of this boot: the engine may serve other machines. What was done, for
/// people, if anything was. To be called on the harness's own threads.
pub(super) async fn of_the_dead(docker: &Docker) -> io::Result<Option<String>> {
    let things = marked(docker, None).await?;
    let dead: Vec<Thing> = things.into_iter().filter(|thing| is_of_the_dead(&thing.mark)).collect();
    if dead.is_empty() {
        return Ok(None);
    }
    let mut removed = Vec::new();
    // The next start looks again.
    let failed = remove_things(docker, &dead, &mut removed).await;
    let mut told = format!("cleaned up after a run that is gone: {}", said(&removed));
    if let Some(why) = failed {
        told.push_str(&format!("; not all could be removed: {why}; `cargo chaos reap` tries it again"));
    }
    eprintln!("chaos-test: {told}");
    Ok(Some(told))
}

fn is_of_the_dead(mark: &str) -> bool {
    let of = |mark: Mark| mark.owner.boot == Owner::this().boot && mark.owner.standing() == Standing::Dead;
    mark.parse::<Mark>().is_ok_and(of)
}

/// Lets the containers with this mark stay as they are, under names that nothing removes; one that is paused goes on.
pub(super) async fn keep(mark: &str) -> io::Result<()> {
    let docker = engine().await?;
    let things = all_marked(docker, Some(mark), true).await?;
    for thing in things.iter().filter(|thing| thing.kind == Kind::Container && !thing.is_kept()) {
        let called = thing.called();
        let rest = called.strip_prefix(PREFIX).unwrap_or(called);
        let options = RenameContainerOptionsBuilder::default().name(&format!("{KEPT}{rest}")).build();
        docker.rename_container(&thing.id, options).await.map_err(told)?;
        if thing.paused {
            docker.unpause_container(&thing.id).await.map_err(told)?;
        }
    }
    Ok(())
}

/// What processes have left that are gone, for somebody on a thread of its own who may wait that long.
#[cfg(feature = "cli")]
pub(crate) fn of_the_dead_now(limit: Duration) -> Result<Vec<Thing>, String> {
    let mut things = marked_now(limit)?;
    things.retain(|thing| is_of_the_dead(&thing.mark));
    Ok(things)
}

/// What carries any mark of ours, for somebody on a thread of its own who may wait that long.
pub(crate) fn marked_now(limit: Duration) -> Result<Vec<Thing>, String> {
    let (done, wait) = mpsc::channel();
    harness().spawn(async move {
        let found = match engine().await {
            Ok(docker) => marked(docker, None).await.map_err(|error| error.to_string()),
            Err(refused) => Err(refused.to_string()),
        };
        let _ = done.send(found);
    });
    wait.recv_timeout(limit).unwrap_or_else(|_| Err("the container engine did not answer in time".into()))
}

/// Something the engine keeps that carries a mark of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Thing {
    kind: Kind,
    id: String,
    /// What it is called, for people: `container chaos-test-…`.
    pub(crate) name: String,
    pub(crate) mark: String,
    /// Whether it is a container that is frozen.
    pub(crate) paused: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Container,
    Network,
    Volume,
}

impl Thing {
    fn of(
        kind: Kind,
        id: Option<String>,
        name: Option<String>,
        labels: Option<HashMap<String, String>>,
    ) -> Option<Self> {
        let id = id?;
        let mark = labels?.remove(MARK_LABEL)?;
        let noun = match kind {
            Kind::Container => "container",
            Kind::Network => "network",
            Kind::Volume => "volume",
        };
        let called = name.unwrap_or_else(|| id.chars().take(12).collect());
        let name = format!("{noun} {}", called.trim_start_matches('/'));
        mark.parse::<Mark>().is_ok().then_some(Self { kind, id, name, mark, paused: false })
    }

    /// What the engine calls it.
    fn called(&self) -> &str {
        self.name.split_once(' ').map_or("", |(_, called)| called)
    }

    fn is_kept(&self) -> bool {
        self.kind == Kind::Container && self.called().starts_with(KEPT)
    }

    async fn remove(&self, docker: &Docker) -> io::Result<()> {
        let removed = match self.kind {
            Kind::Container => {
                let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
                docker.remove_container(&self.id, Some(options)).await
            }
            Kind::Network => docker.remove_network(&self.id).await,
            Kind::Volume => {
                let options = RemoveVolumeOptionsBuilder::default().force(true).build();
                docker.remove_volume(&self.id, Some(options)).await
            }
        };
        match removed {
            // It is gone, or on its way: the next look tells.
            Err(DockerError::DockerResponseServerError { status_code: 404, .. }) => Ok(()),
            Err(DockerError::DockerResponseServerError { status_code: 409, message })
                if message.contains("already in progress") =>
            {
                Ok(())
            }
            other => other.map_err(told),
        }
    }
}

/// All that carries this mark in its labels, or any mark: containers first, so that what they use can go after them. What
/// is kept for people is not found, nor what it uses.
pub(crate) async fn marked(docker: &Docker, mark: Option<&str>) -> io::Result<Vec<Thing>> {
    all_marked(docker, mark, false).await
}

async fn all_marked(docker: &Docker, mark: Option<&str>, kept: bool) -> io::Result<Vec<Thing>> {
    let label = mark.map_or_else(|| MARK_LABEL.to_owned(), |mark| format!("{MARK_LABEL}={mark}"));
    let filters = HashMap::from([("label", vec![label])]);
    let containers = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
    let networks = ListNetworksOptionsBuilder::default().filters(&filters).build();
    let volumes = ListVolumesOptionsBuilder::default().filters(&filters).build();
    let (containers, networks, volumes) = tokio::try_join!(
        docker.list_containers(Some(containers)),
        docker.list_networks(Some(networks)),
        docker.list_volumes(Some(volumes)),
    )
    .map_err(told)?;
    let mut things: Vec<Thing> = containers
        .into_iter()
        .filter_map(|found| {
            let name = found.names.and_then(|names| names.into_iter().next());
            let paused = found.state == Some(ContainerSummaryStateEnum::PAUSED);
            Thing::of(Kind::Container, found.id, name, found.labels).map(|thing| Thing { paused, ..thing })
        })
        .collect();
    things.extend(
        networks.into_iter().filter_map(|found| Thing::of(Kind::Network, found.id, found.name, found.labels)),
    );
    things.extend(
        volumes
            .volumes
            .into_iter()
            .flatten()
            .filter_map(|found| Thing::of(Kind::Volume, Some(found.name), None, Some(found.labels))),
    );
    if !kept {
        let marks: Vec<String> =
            things.iter().filter(|thing| thing.is_kept()).map(|thing| thing.mark.clone()).collect();
        things.retain(|thing| !marks.contains(&thing.mark));
    }
    Ok(things)
}
