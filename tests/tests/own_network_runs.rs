//! Whole runs with faults on packets: sound ones, and sabotaged ones, which never pass. `CHAOS_TEST_SABOTAGE_ROUNDS`
//! repeats the latter.
#![allow(clippy::disallowed_methods, reason = "test code may look at processes")]

use std::time::Duration;

use chaos_test::model::OutageMode;
use chaos_test::port::{DynInjector, InjectError, PacketShape, Prepared, Target};
use chaos_test::prelude::*;
use chaos_test::report::Report;
use suite::{Saboteur, Undermined};

const NOT_DELIVERED: &str = "Inconclusive(fault not delivered)";

fn stub() -> Process {
    Process::cargo_bin("stub").args(["--port", "{port}"]).ready(Probe::http("/").every(50.ms()))
}

async fn own() -> Result<Environment, Error> {
    Environment::builder().process("app", stub().own_network()).start().await
}

fn delay() -> Fault {
    Fault::NetworkDelay { delay: 100.ms(), jitter: Duration::ZERO, bandwidth: None, interface: None }
}

fn loss(percent: f64) -> Fault {
    Fault::NetworkLoss { loss: Percent::new(percent).unwrap(), connections: None, interface: None }
}

/// Whether this host has that mechanism; if not, it says so.
async fn has(mechanism: &str) -> bool {
    let environment = own().await.expect("this host gives networks");
    let packets = environment.service("app").unwrap().target().packets.expect("it has its own");
    let Some(refusal) = packets.refusal(mechanism) else { return true };
    println!("SKIPPED: {mechanism}: {refusal}");
    let required = std::env::var("CHAOS_TEST_REQUIRE").unwrap_or_default();
    assert!(!required.split(',').any(|name| name == mechanism), "{mechanism} is required: {refusal}");
    false
}

fn experiment(fault: &Fault, mechanism: &str) -> Experiment {
    Experiment::fault(fault.clone(), 4.seconds())
        .expect("well formed")
        .name(format!("{fault} by {mechanism}"))
        .mechanism(mechanism)
        .environment(own)
        .baseline(2.seconds())
        .watch(3.seconds())
        .progress(false)
}

/// Carries it out.
async fn carried_out(experiment: impl Fn() -> Experiment) -> Report {
    suite::carried_out(async || experiment().run().await.expect("well formed")).await
}

/// The best time of an answer while the fault was in, and the worst before it.
fn latencies(report: &Report) -> (Duration, Duration) {
    let marks = &report.trace.marks;
    let (injected, ended) = (marks.injected.expect("it was"), marks.revert_started.expect("it was"));
    let started = marks.inject_started.expect("it was");
    let (mut best, mut before) = (Duration::MAX, Duration::ZERO);
    for sample in &report.trace.streams[0].samples {
        if sample.at < started {
            before = before.max(sample.latency);
        } else if sample.at > injected && sample.at + sample.latency < ended {
            best = best.min(sample.latency);
        }
    }
    (best, before)
}

#[tokio::test]
async fn a_delay_on_packets_is_delivered_and_felt() {
    for mechanism in ["nfqueue", "netem"] {
        if !has(mechanism).await {
            continue;
        }
        let report = carried_out(|| experiment(&delay(), mechanism)).await;
        println!("{}", report.text());
        let delivery = report.trace.delivery.as_ref().expect("it was prepared");
        let detail =
            format!("network_delay 100 ms on app by {mechanism} (packets, both ways over its own lo)");
        assert_eq!(delivery.detail, detail);
        assert!(report.judgement.label() != NOT_DELIVERED && report.trace.trouble.is_none());
        assert!(delivery.readings.iter().all(|reading| reading.measured >= 0.1), "{:?}", delivery.readings);
        // Each look opens a connection, which is delayed as well.
        let (best, before) = latencies(&report);
        assert!(best >= 200.ms(), "two round trips: {best:?}, {before:?} before");
    }
}

#[tokio::test]
async fn a_loss_of_packets_is_delivered_and_felt() {
    for mechanism in ["nft-drop", "netem"] {
        if !has(mechanism).await {
            continue;
        }
        let report = carried_out(|| experiment(&loss(30.0), mechanism)).await;
        println!("{}", report.text());
        let delivery = report.trace.delivery.as_ref().expect("it was prepared");
        assert!(delivery.detail.ends_with("(packets, both ways over its own lo)"), "{}", delivery.detail);
        assert!(report.judgement.label() != NOT_DELIVERED && report.trace.trouble.is_none());
        assert!(
            delivery.readings.iter().all(|reading| (0.2..0.4).contains(&reading.measured)),
            "{:?}",
            delivery.readings
        );
        let marks = &report.trace.marks;
        let during = report.trace.streams[0].samples.iter().filter(|sample| {
            sample.at > marks.injected.expect("it was") && sample.at < marks.revert_started.expect("it was")
        });
        // Whoever loses a packet waits for 200 ms at least.
        let (hit, all) =
            during.fold((0, 0), |(hit, all), sample| (hit + u32::from(sample.latency >= 150.ms()), all + 1));
        println!("{hit} of {all} looks were hit");
        assert!(hit * 5 > all, "{hit} of {all}");
    }
}

#[tokio::test]
async fn a_pin_that_cannot_be_had_names_every_rung() {
    let shared = || Environment::builder().process("app", stub()).start();
    let pinned = carried_out(|| experiment(&delay(), "nfqueue").environment(shared)).await;
    let text = pinned.trace.trouble.as_ref().expect("it is refused").message.clone();
    println!("{text}");
    for rung in [
        "netem: `mechanism: nfqueue` is asked for",
        "nfqueue: app shares the test's network (to have it: start it with `Process::own_network()`)",
        "proxy: `mechanism: nfqueue` is asked for",
    ] {
        assert!(text.contains(rung), "{text}");
    }
    if has("netem").await {
        return;
    }
    let pinned = carried_out(|| experiment(&loss(5.0), "netem")).await;
    let text = pinned.trace.trouble.as_ref().expect("it is refused").message.clone();
    println!("{text}");
    for rung in
        ["netem: this kernel has no netem", "nft-drop: `mechanism: netem`", "proxy: `mechanism: netem`"]
    {
        assert!(text.contains(rung), "{text}");
    }
}

#[derive(Debug, Clone, Copy)]
enum Sabotage {
    /// None: the control.
    Sound,
    Nothing,
    Half,
    WrongTarget,
    /// The helper that makes the fault is killed.
    Killed,
}

/// Somebody in that network behind the injector's back.
struct InTheNetwork {
    how: Sabotage,
    half: PacketShape,
}

impl Saboteur for InTheNetwork {
    async fn inject(
        &self,
        real: &dyn DynInjector,
        target: &Target,
        prepared: &Prepared,
    ) -> Result<(), InjectError> {
        let path = target.packets.clone().expect("a network of its own");
        let id = &prepared.record.id;
        let failed = |error: std::io::Error| InjectError(error.to_string());
        match self.how {
            Sabotage::Nothing => Ok(()),
            Sabotage::Half => path.apply(id, &prepared.mechanism, self.half).map_err(failed),
            Sabotage::Sound => real.inject(prepared).await,
            Sabotage::WrongTarget => {
                let whole =
                    PacketShape { delay: self.half.delay * 2, loss: self.half.loss * 2.0, ..self.half };
                let other = own().await.map_err(|error| InjectError(error.to_string()))?;
                let packets = other.service("app").unwrap().target().packets.expect("it has its own");
                packets.apply(id, &prepared.mechanism, whole).map_err(failed)?;
                tokio::spawn(async move {
                    tokio::time::sleep(5.seconds()).await;
                    drop(other);
                });
                Ok(())
            }
            Sabotage::Killed => {
                real.inject(prepared).await?;
                let entry = format!("CHAOS_TEST_MARK={id}");
                tokio::spawn(async move {
                    tokio::time::sleep(1200.ms()).await;
                    kill_whoever_carries(&entry);
                });
                Ok(())
            }
        }
    }
}

fn kill_whoever_carries(entry: &str) {
    for process in std::fs::read_dir("/proc").expect("there is one").flatten() {
        let environ = std::fs::read(process.path().join("environ")).unwrap_or_default();
        let pid = process.file_name().to_string_lossy().parse();
        if let Ok(pid) = pid
            && environ.split(|byte| *byte == 0).any(|found| found == entry.as_bytes())
        {
            let pid = nix::unistd::Pid::from_raw(pid);
            nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).expect("it is ours");
        }
    }
}

/// Puts `fault` through every sabotage; `half` is somewhat less than half of its shape.
async fn never_passes(fault: &Fault, mechanism: &str, half: PacketShape) {
    if !has(mechanism).await {
        return;
    }
    let rounds =
        std::env::var("CHAOS_TEST_SABOTAGE_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    for round in 1..=rounds {
        println!("\n{fault}, round {round} of {rounds}");
        for how in
            [Sabotage::Sound, Sabotage::Nothing, Sabotage::Half, Sabotage::WrongTarget, Sabotage::Killed]
        {
            let sabotaged = || {
                let injector = Undermined::of(fault, InTheNetwork { how, half });
                experiment(fault, mechanism)
                    .name(format!("{fault} by {mechanism}, {how:?}"))
                    .duration(3.seconds())
                    .injector(injector)
            };
            let report = carried_out(sabotaged).await;
            println!("{how:?}: {}", report.headline());
            if matches!(how, Sabotage::Sound) {
                assert_ne!(report.judgement.label(), NOT_DELIVERED, "{}", report.text());
                assert!(report.trace.trouble.is_none(), "{}", report.text());
            } else {
                // Where the prober was starved or the host noisy as well, that is said first.
                let said = report.judgement.label();
                let busy = suite::VOID[..2].contains(&said.as_str());
                assert!(said == NOT_DELIVERED || busy, "{}", report.text());
                assert!(!report.passed());
            }
        }
    }
}

#[tokio::test]
async fn a_sabotaged_delay_never_passes() {
    let half = PacketShape { delay: 20.ms(), ..PacketShape::default() };
    never_passes(&delay(), "nfqueue", half).await;
}

#[tokio::test]
async fn a_sabotaged_loss_never_passes() {
    let half = PacketShape { loss: 0.06, ..PacketShape::default() };
    never_passes(&loss(15.0), "nft-drop", half).await;
}

#[tokio::test]
async fn a_sabotaged_partition_never_passes() {
    let partition =
        Fault::DatabaseDown { database: None, mode: OutageMode::Partition, recovery_time_expected: None };
    let half = PacketShape { loss: 0.45, ..PacketShape::default() };
    never_passes(&partition, "nft-drop", half).await;
}

#[test]
fn the_runs_work_without_privileges() {
    suite::once_more_as_nobody(&["felt"]);
}
