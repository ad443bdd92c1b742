//! A short experiment that is there to be killed, and says where it is while it runs.
//!
//! The fault is the real one, with a wrapper around it.

use std::num::NonZeroU32;
use std::time::Duration;

use chaos_test::inject::injector_for;
use chaos_test::model::{OutageMode, SyncFault};
use chaos_test::prelude::*;
use chaos_test::report::Report;
use chaos_test::units::ByteSize;

pub use crate::told::{NOTES, PAUSE};
use crate::told::{Notes, Told, Watched};

/// The families there are; those of packets on a service with a network of its own, and that of syncs on one whose syncs
/// this process answers.
pub const FAMILIES: [&str; 13] = [
    "cpu_exhaust",
    "memory_leak",
    "network_delay",
    "network_loss",
    "packet_delay",
    "packet_loss",
    "packet_partition",
    "disk_stress",
    "sync_delay",
    "container_crash",
    "database_down_crash",
    "database_down_hang",
    "service_recovery",
];

/// How long the chaos phase is.
pub const CHAOS: Duration = Duration::from_millis(700);

/// The fault of that family.
///
/// # Panics
/// There is no such family.
pub fn fault(family: &str, held: Duration) -> Fault {
    match family {
        "cpu_exhaust" => Fault::CpuExhaust { workers: NonZeroU32::MIN, load: Percent::HUNDRED },
        "network_delay" | "packet_delay" => Fault::NetworkDelay {
            delay: Duration::from_millis(20),
            jitter: Duration::ZERO,
            bandwidth: None,
            interface: None,
        },
        "network_loss" | "packet_loss" => Fault::NetworkLoss {
            loss: Percent::new(15.0).expect("a percentage"),
            connections: None,
            interface: None,
        },
        "container_crash" => {
            Fault::ContainerCrash { container: None, downtime: held, recovery_time_expected: None }
        }
        "database_down_crash" => outage(OutageMode::Crash),
        "database_down_hang" => outage(OutageMode::Hang),
        "packet_partition" => outage(OutageMode::Partition),
        "service_recovery" => Fault::ServiceRecovery { container: None, recovery_time_expected: None },
        "memory_leak" => Fault::MemoryLeak { size: ByteSize::new(32 << 20) },
        "disk_stress" => Fault::DiskStress { workers: NonZeroU32::MIN, sync: None },
        "sync_delay" => Fault::DiskStress {
            workers: NonZeroU32::MIN,
            sync: Some(SyncFault::Delay(Duration::from_millis(30))),
        },
        _ => panic!("{family} is not one of {FAMILIES:?}"),
    }
}

fn outage(mode: OutageMode) -> Fault {
    Fault::DatabaseDown { database: None, mode, recovery_time_expected: None }
}

/// An experiment of that family on a service with a process tree: its child has a session of its own.
pub fn experiment(family: &'static str, held: Duration) -> Experiment {
    let notes = Notes { family };
    notes.say("start");
    let fault = fault(family, held);
    let injector = injector_for(&fault);
    let environment = move || async move {
        notes.say("environment");
        let stub = Process::cargo_bin("stub").args(["--port", "{port}", "--fork", "session"]);
        let stub = stub.restart(Restart::OnFailure);
        let stub = if family.starts_with("packet") { stub.own_network() } else { stub };
        let stub = if family == "sync_delay" { stub.supervised_syncs() } else { stub };
        let probe = Probe::http("/").every(30.ms()).timeout(500.ms());
        // And one that its mark does not lead to.
        let bare = Process::cargo_bin("stub").args(["--port", "{port}", "--fork", "scrub"]);
        let environment =
            Environment::builder().process("app", stub.ready(probe)).process("bare", bare).start().await?;
        notes.say("baseline");
        Ok::<_, Error>(Watched { environment, notes })
    };
    Experiment::fault(fault, held)
        .expect("the catalogue is in order")
        .name(family)
        .environment(environment)
        .injector(Told { inner: injector, notes })
        .baseline(900.ms())
        .watch(300.ms())
        .progress(false)
}

/// Runs it to its end.
pub async fn run(family: &'static str) -> Result<Report, Error> {
    let report = experiment(family, CHAOS).run().await;
    Notes { family }.say("over");
    report
}
