use serde::{Deserialize, Serialize};

use crate::port::ObserveError;
use crate::sys::owner::Owner;
use crate::sys::{procfs, tree::Tree};

/// The tree of processes of a service that hangs.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Stopped {
    /// What all of it carries.
    pub(super) mark: String,
    /// The process that was started first.
    pub(super) leader: Owner,
}

impl Stopped {
    pub(super) fn tree(&self) -> Tree {
        Tree::of(&self.mark, Some(self.leader.clone()))
    }

    /// Whether the process that was started first is there and stands still, and with it all of its tree.
    pub(super) fn stands_still(&self) -> Result<bool, ObserveError> {
        let leader = &self.leader;
        let started = procfs::find_start(leader.pid)
            .map_err(|error| ObserveError(format!("looking at process {}: {error}", leader.pid)))?;
        let there = started == Some(leader.start_ticks) && procfs::is_stopped(leader.pid);
        Ok(there && self.tree().moving().is_empty())
    }
}
