//! Machinery at rest: there, and nothing else.

use std::num::NonZeroU32;
use std::time::Duration;

use chaos_test::inject::injector_for;
use chaos_test::model::{Fault, NoiseWindow, OutageMode, Phase, Pin, Sham};
use chaos_test::prelude::*;
use chaos_test::units::ByteSize;
use suite::stress;

use crate::stub;

fn two() -> NonZeroU32 {
    NonZeroU32::new(2).expect("some")
}

fn cpu() -> Fault {
    Fault::CpuExhaust { workers: two(), load: Percent::HUNDRED }
}

fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok()).unwrap_or(0)
}

fn written(pid: u32) -> u64 {
    let io = std::fs::read_to_string(format!("/proc/{pid}/io")).unwrap_or_default();
    let line = io.lines().find_map(|line| line.strip_prefix("write_bytes:"));
    line.and_then(|line| line.trim().parse().ok()).unwrap_or(0)
}

/// Of each family the machinery is there, takes nothing, and goes with its revert; from another injector too.
#[tokio::test]
async fn what_is_at_rest_takes_nothing_and_goes() {
    let environment = stub().await;
    let service = environment.service("app").unwrap();
    let target = service.target();
    let faults = [
        (cpu(), 2),
        (Fault::MemoryLeak { size: ByteSize::new(64 << 20) }, 1),
        (Fault::DiskStress { workers: two(), sync: None }, 2),
    ];
    for (fault, workers) in faults {
        let injector = injector_for(&fault);
        let choice = match injector.support(&fault, &target).choose(fault.kind(), &Pin::default()) {
            Ok(choice) => choice,
            // Where the stub's directory is in memory there is no disk to stress.
            Err(why) => {
                println!("not {fault}: {why}");
                continue;
            }
        };
        let prepared = injector.prepare_at_rest(&fault, &target, choice.mechanism).await;
        let prepared = prepared.expect("it has machinery").expect("it can be prepared");
        assert_eq!(prepared.mechanism, choice.mechanism, "{fault}");
        let mark = &prepared.record.id;
        assert_eq!(suite::marked(mark), Vec::<u32>::new(), "{fault}: nothing is done yet");
        injector.inject(&prepared).await.expect("it can be put in place");
        // They have begun by then.
        tokio::time::sleep(Duration::from_millis(300)).await;
        let there = suite::marked(mark);
        assert_eq!(there.len(), workers, "{fault}");
        let before: Duration = there.iter().map(|pid| stress::cpu_used(*pid)).sum();
        tokio::time::sleep(Duration::from_secs(1)).await;
        let used = there.iter().map(|pid| stress::cpu_used(*pid)).sum::<Duration>() - before;
        let memory: u64 = there.iter().map(|pid| resident(*pid)).sum();
        let bytes: u64 = there.iter().map(|pid| written(*pid)).sum();
        println!(
            "{fault}, at rest: {workers} processes, {used:?} in a second, {memory} kB, {bytes} bytes written"
        );
        assert!(used < Duration::from_millis(200), "{fault}: {used:?} of a second");
        assert!(memory < 32 << 10 && bytes < 1 << 20, "{fault}: {memory} kB, {bytes} bytes");
        injector_for(&fault).revert(&prepared.record).await.expect("it can be undone, by whoever it is");
        injector.revert(&prepared.record).await.expect("twice");
        assert_eq!(suite::marked(mark), Vec::<u32>::new(), "{fault}");
    }
}

/// A front door at rest delays and loses nothing, and every byte takes the way of those that are delayed.
#[tokio::test]
async fn a_door_at_rest_is_as_good_as_open() {
    let environment = stub().await;
    let service = environment.service("app").unwrap();
    let target = service.target();
    let path = target.path.clone().expect("every service has a door");
    let loss = Percent::new(50.0).unwrap();
    for fault in [
        Fault::NetworkDelay { delay: 300.ms(), jitter: Duration::ZERO, bandwidth: None, interface: None },
        Fault::NetworkLoss { loss, connections: None, interface: None },
        Fault::NetworkLoss {
            loss,
            connections: Some(chaos_test::model::ConnectionFault::Reset),
            interface: None,
        },
    ] {
        let injector = injector_for(&fault);
        let prepared = injector.prepare_at_rest(&fault, &target, "proxy").await;
        let prepared = prepared.expect("it has machinery").expect("it can be prepared");
        injector.inject(&prepared).await.expect("it can be put in place");
        let tally = path.trials(100, 2.seconds()).await.expect("they can be made");
        assert_eq!(tally.answered, 100, "{fault}: {tally:?}");
        let mut trips = Vec::new();
        for _ in 0..5 {
            trips.push(path.round_trip().await.expect("it is open"));
        }
        println!("{fault}, at rest: {trips:?}");
        assert!(trips.iter().min().is_some_and(|least| *least < 100.ms()), "{fault}: {trips:?}");
        injector.revert(&prepared.record).await.expect("it can be undone");
    }
}

/// What happens once and is over, or is there anyway, has nothing that could be at rest.
#[tokio::test]
async fn what_has_no_machinery_has_none_at_rest() {
    let environment = stub().await;
    let target = environment.service("app").unwrap().target();
    let none = Option::<String>::None;
    for fault in [
        Fault::ContainerCrash {
            container: none.clone(),
            downtime: 1.seconds(),
            recovery_time_expected: None,
        },
        Fault::ServiceRecovery { container: none.clone(), recovery_time_expected: None },
        Fault::DatabaseDown { database: none, mode: OutageMode::Refuse, recovery_time_expected: None },
    ] {
        let injector = injector_for(&fault);
        assert!(injector.prepare_at_rest(&fault, &target, "sigkill").await.is_none(), "{fault}");
    }
}

/// The whole of it: a real run has a sham, knows what its door costs and how its host did, and leaves nothing.
#[tokio::test]
async fn a_run_measures_its_harness_and_its_host() {
    let report = suite::carried_out(async || {
        Experiment::fault(cpu(), 3.seconds())
            .expect("the built-in catalogue")
            .environment(|| async {
                let app = Process::cargo_bin("stub").args(["--port", "{port}"]);
                let app = app.ready(Probe::http("/").every(20.ms()));
                Environment::builder().process("app", app).start().await
            })
            .baseline(4.seconds())
            .watch(1.seconds())
            .run()
            .await
            .expect("well formed")
    })
    .await;
    println!("{}", report.text());
    let trace = &report.trace;
    assert_eq!((&trace.trouble, &trace.residue), (&None, &Vec::new()));
    let marks = &trace.marks;
    let (began, from, to) = trace.sham.as_ref().and_then(Sham::spans).expect("it had one");
    assert!(began >= 2.seconds() && from >= began && to >= 3800.ms(), "{:?}", trace.sham);
    assert!(marks.inject_started.is_some_and(|started| started >= to), "the real one came after it");
    assert!(
        matches!(&trace.sham, Some(Sham::InPlace { detail, .. }) if detail.ends_with("workers, at rest"))
    );
    assert!(trace.door.len() >= 20, "{:?}", trace.door);
    assert!(report.text().contains("  harness    app "), "{}", report.text());
    // The workers are on the host of the service: a late host is the fault.
    assert!(trace.noise_is_fault);
    let ended = marks.ended.expect("it did");
    let windows = &trace.noise;
    // Each is kept in whole microseconds.
    let gap = |pair: &[NoiseWindow]| pair[1].at.saturating_sub(pair[0].end());
    assert!(windows.windows(2).all(|pair| gap(pair) <= Duration::from_micros(2)), "{windows:?}");
    assert!(windows.first().is_some_and(|first| first.at < 1.seconds()));
    assert!(windows.last().is_some_and(|last| last.end() + 1.seconds() > ended));
    let known = windows.iter().filter(|window| window.running.is_some() && window.steal.is_some());
    assert!(known.count() * 2 > windows.len(), "the kernel is asked once a second: {windows:?}");
    assert!(windows.iter().any(|window| marks.phase_of(window.at) == Some(Phase::Chaos)));
}
