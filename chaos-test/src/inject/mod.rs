//! How each fault is made, proven and undone: one file per family.
//!
//! Purpose: [`injector_for`] is the one place that turns a [`Fault`] into the injector that makes it.
//!
//! Invariants: every injector passes the same contract test (`tests/tests/contract.rs`). What an injector puts in
//! place dies with this process or is written in the ledger first.
//! Not here: when to inject, how often to observe, what a dose means for a verdict.

mod container_crash;
mod cpu_exhaust;
mod network_delay;
mod registry;

pub use container_crash::ContainerCrash;
pub use cpu_exhaust::CpuExhaust;
pub use network_delay::NetworkDelay;

use crate::model::{Fault, FaultKind};
use crate::port::DynInjector;

/// No injector for this family of faults exists yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "no injector for `{0}` exists yet: this version makes cpu_exhaust, network_delay and container_crash happen; \
     the scenario is valid, but running it would prove nothing, so it is refused"
)]
pub struct NoInjector(pub FaultKind);

/// The injector that makes this fault happen.
pub fn injector_for(fault: &Fault) -> Result<Box<dyn DynInjector>, NoInjector> {
    Ok(match fault {
        Fault::CpuExhaust { .. } => Box::new(CpuExhaust::new()),
        Fault::NetworkDelay { .. } => Box::new(NetworkDelay::new()),
        Fault::ContainerCrash { .. } => Box::new(ContainerCrash::new()),
        Fault::MemoryLeak { .. }
        | Fault::NetworkLoss { .. }
        | Fault::DiskStress { .. }
        | Fault::DatabaseDown { .. }
        | Fault::ServiceRecovery { .. } => return Err(NoInjector(fault.kind())),
    })
}
