//! The end of a container's first process, past its engine.

use std::io;
use std::time::Duration;

use super::container::look;
use super::sidecar::{Place, Sidecar};
use super::work::Whose;
use crate::port::{ContainerState, ContainerStatus, Refusal};
use crate::sys::sidecar::Order;

/// Ends that start of it, after `now` was called. The helper that does it sees the processes of the engine's host, may
/// signal them and nothing else, and kills one only if its groups name this container.
pub(super) async fn crash(whose: &Whose, started_at: &str, now: impl FnOnce()) -> io::Result<()> {
    let helper = helper(whose).await?;
    // Looked at as late as can be: by now another start of it may run, which is nobody's to end.
    let state = running(whose).await?;
    if state.started_at != started_at {
        return Err(io::Error::other("the container ended by itself and was started again meanwhile"));
    }
    now();
    obey(&helper, whose, state.pid, true).await
}

async fn helper(whose: &Whose) -> io::Result<Sidecar> {
    let place = Place {
        mark: whose.mark.clone(),
        service: whose.service.clone(),
        network: "none".into(),
        processes: "host".into(),
        capabilities: vec!["KILL"],
        sees_groups: true,
        ..Place::default()
    };
    Sidecar::start(place).await
}

async fn running(whose: &Whose) -> io::Result<ContainerState> {
    let state = look(&whose.id, "").await?;
    match state.status {
        ContainerStatus::Running => Ok(state),
        other => Err(io::Error::other(format!("the container is {other}"))),
    }
}

/// Without `really`, it only sees that it could be done.
async fn obey(helper: &Sidecar, whose: &Whose, pid: u32, really: bool) -> io::Result<()> {
    let order = Order::Crash { pid, container: whose.id.clone(), really };
    helper.ask(&order, Duration::ZERO).await.map(drop)
}

/// Why that cannot be done here, if so.
pub(super) async fn trial(whose: &Whose) -> Option<Refusal> {
    let tried = async { obey(&helper(whose).await?, whose, running(whose).await?.pid, false).await };
    let why = tried.await.err()?;
    let service = &whose.service;
    Some(Refusal::new(
        format!("the first process of the container of {service} is out of a helper's reach: {why}"),
        "an engine that lets a container see its host's processes (`--pid host`): rootless engines and those with \
         user namespaces do not",
    ))
}
