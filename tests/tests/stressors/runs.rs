//! Whole experiments.

use std::num::NonZeroU32;
use std::time::Duration;

use chaos_test::model::Fault;
use chaos_test::prelude::*;
use chaos_test::slo::{Proof, proof};
use chaos_test::units::ByteSize;

async fn with_data_in(dir: &'static str) -> Result<Environment, Error> {
    let app = Process::cargo_bin("stub")
        .args(["--port", "{port}"])
        .ready(Probe::http("/").every(80.ms()))
        .data_dir(dir);
    Environment::builder().process("app", app).start().await
}

fn experiment(fault: Fault, dir: &'static str) -> Experiment {
    let name = fault.to_string();
    let experiment = Experiment::fault(fault, 3.seconds()).expect("well formed");
    experiment
        .environment(move || with_data_in(dir))
        .name(name)
        .baseline(2500.ms())
        .watch(300.ms())
        .progress(false)
}

const HERE: &str = env!("CARGO_MANIFEST_DIR");

#[tokio::test]
async fn cpu_exhaust_memory_leak_and_disk_stress_are_delivered_and_proven() {
    let workers = |n| NonZeroU32::new(n).expect("some");
    let faults = [
        Fault::CpuExhaust { workers: workers(1), load: Percent::new(50.0).expect("a percentage") },
        Fault::MemoryLeak { size: ByteSize::new(128 << 20) },
        Fault::DiskStress { workers: workers(1), sync: None },
    ];
    for fault in faults {
        let run = async || experiment(fault.clone(), HERE).run().await.expect("well formed");
        let report = suite::carried_out(run).await;
        println!("{}\n", report.text());
        assert!(report.trace.trouble.is_none(), "{}", report.text());
        // The verdict does not tell: of a run that was starved as well it names that.
        let proof = proof(report.trace.delivery.as_ref(), &report.trace.marks);
        assert!(matches!(proof, Proof::Delivered { .. }), "{proof:?}\n{}", report.text());
        let marks = report.trace.marks;
        let injected = marks.injected.expect("it was seen") - marks.inject_started.expect("it began");
        assert!(injected < Duration::from_secs(5), "{fault} took {injected:?}");
        assert!(marks.removed.is_some(), "{fault} was seen gone");
        assert!(report.trace.residue.is_empty(), "{:?}", report.trace.residue);
    }
}

#[tokio::test]
async fn disk_stress_looks_for_room_where_the_service_has_its_data() {
    let fault = Fault::DiskStress { workers: NonZeroU32::MIN, sync: None };
    // There is no room at all on that one.
    let report = experiment(fault, "/proc").run().await.expect("well formed");
    println!("{}", report.headline());
    assert_eq!(report.judgement.label(), "Error(setup)", "{}", report.text());
    assert!(
        report.headline().contains("64 MiB of disk space asked, 0 B free of 0 B"),
        "{}",
        report.headline()
    );
}
