//! What the faults that kill a service have in common.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::port::{InjectError, ProcessControl, RevertError, Target};
use crate::sys::owner::Owner;
use crate::sys::{procfs, timer};

/// The process of a service as it was before it was killed, and where it listened.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Killed {
    pub(super) pid: u32,
    start_ticks: Option<u64>,
    address: Option<SocketAddr>,
}

/// Control of a target's process.
pub(super) fn process_of(target: &Target) -> Result<Arc<dyn ProcessControl>, InjectError> {
    let process = target.process.clone();
    process.ok_or_else(|| InjectError(format!("{} was not started by this run", target.service)))
}

/// The process of a target that is up.
pub(super) fn running(target: &Target, process: &Arc<dyn ProcessControl>) -> Result<Owner, InjectError> {
    let pid = process.pid().ok_or_else(|| InjectError(format!("{} is not running", target.service)))?;
    Ok(Owner::of(pid))
}

impl Killed {
    pub(super) fn of(target: &Target, process: &Arc<dyn ProcessControl>) -> Result<Self, InjectError> {
        let pid = running(target, process)?.pid;
        Ok(Self { pid, start_ticks: procfs::start_ticks(pid), address: target.address })
    }

    /// Whether that very process is gone, no other is in its place, and nobody takes connections where it did.
    pub(super) async fn is_down(&self, process: Option<&Arc<dyn ProcessControl>>) -> bool {
        let same = procfs::start_ticks(self.pid) == self.start_ticks && procfs::is_running(self.pid);
        let replaced = process.is_none_or(|process| process.pid().is_some() || process.is_closed());
        // A process that started the service and is gone may have left it behind (a shell, a container runtime).
        !same && !replaced && !answers(process, self.address).await
    }
}

/// Whether somebody takes connections there, in the network that the service is in.
async fn answers(process: Option<&Arc<dyn ProcessControl>>, address: Option<SocketAddr>) -> bool {
    let (Some(process), Some(address)) = (process, address) else { return false };
    let connecting = process.answers(address);
    matches!(tokio::time::timeout(Duration::from_millis(200), connecting).await, Ok(Ok(())))
}

/// Starts a service again that was killed and is held down.
pub(super) async fn bring_back(process: &Arc<dyn ProcessControl>, service: &str) -> Result<(), RevertError> {
    process.respawn().map_err(|error| RevertError(format!("starting {service} again: {error}")))?;
    // A command that cannot run at all ends at once; that is worth knowing now.
    timer::sleep_until(timer::now() + Duration::from_millis(5)).await;
    match process.pid() {
        Some(_) => Ok(()),
        // Its environment has ended meanwhile: there is nothing left that could be down.
        None if process.is_closed() => Ok(()),
        None => Err(RevertError(format!("{service} ended as soon as it was started again"))),
    }
}
