//! Faults on containers of ours, for the families that can be made so.
//!
//! Purpose: what a container's own engine can do to it (kill, stop, pause), a crash past the engine, and work in its
//! groups of processes. A family asks here when its target is a container.
//!
//! Invariants: nothing here ends or starts what does not carry a mark of this run. A container is never left paused or
//! held down by a revert.
//! Not here: how the engine is asked (`sys/docker`), packets and front doors (`packet`, the families themselves).

mod crash;
mod dose;
#[cfg(all(test, feature = "containers"))]
mod on_the_engine;
mod outage;
mod watch;
mod work;

pub(super) use crash::Crashes;
pub(super) use outage::Outages;
pub(super) use work::{Plan, Works};

use std::sync::Arc;

use crate::port::{ContainerControl, InjectError, Target};

/// Control of a target's container.
fn control(target: &Target) -> Result<Arc<dyn ContainerControl>, InjectError> {
    let container = target.container.clone();
    container.ok_or_else(|| InjectError(format!("{} is no container of this run", target.service)))
}
