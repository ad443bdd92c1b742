//! How each fault is made, proven and undone: one file per family.
//!
//! Purpose: [`injector_for`] is the one place that turns a [`Fault`] into the injector that makes it.
//!
//! Invariants: every injector passes the same contract test (`tests/tests/contract.rs`). What an injector puts in
//! place dies with this process or is written in the ledger first.
//! Not here: when to inject, how often to observe, what a dose means for a verdict.

mod beside;
mod container;
mod container_crash;
mod cpu_exhaust;
mod crew;
mod database_down;
mod disk_stress;
mod door;
mod killing;
mod memory_leak;
mod network_delay;
mod network_loss;
mod packet;
mod readiness;
mod record;
mod registry;
mod service_recovery;
mod stopped;
mod stress;
mod sync_fault;
mod trials;

pub use container_crash::ContainerCrash;
pub use cpu_exhaust::CpuExhaust;
pub use database_down::DatabaseDown;
pub use disk_stress::DiskStress;
pub use memory_leak::MemoryLeak;
pub use network_delay::NetworkDelay;
pub use network_loss::NetworkLoss;
pub use service_recovery::ServiceRecovery;
pub use sync_fault::SyncFaults;

use crate::model::Fault;
use crate::port::DynInjector;

/// The injector that makes this fault happen.
///
/// ```
/// use chaos_test::inject::injector_for;
/// use chaos_test::model::Scenario;
/// use chaos_test::port::Target;
///
/// /// Whether this host can do a scenario to that service.
/// fn is_possible(scenario: &Scenario, target: &Target) -> bool {
///     let support = injector_for(&scenario.fault).support(&scenario.fault, target);
///     support.choose(scenario.fault.kind(), &scenario.pin).is_ok()
/// }
/// ```
pub fn injector_for(fault: &Fault) -> Box<dyn DynInjector> {
    match fault {
        Fault::CpuExhaust { .. } => Box::new(CpuExhaust::new()),
        Fault::MemoryLeak { .. } => Box::new(MemoryLeak::new()),
        Fault::NetworkDelay { .. } => Box::new(NetworkDelay::new()),
        Fault::NetworkLoss { .. } => Box::new(NetworkLoss::new()),
        Fault::DiskStress { sync: None, .. } => Box::new(DiskStress::new()),
        Fault::DiskStress { sync: Some(_), .. } => Box::new(SyncFaults::new()),
        Fault::ContainerCrash { .. } => Box::new(ContainerCrash::new()),
        Fault::DatabaseDown { .. } => Box::new(DatabaseDown::new()),
        Fault::ServiceRecovery { .. } => Box::new(ServiceRecovery::new()),
    }
}
