//! Memory.

use std::fs;
use std::time::Duration;

use chaos_test::model::Fault;
use chaos_test::prelude::*;
use chaos_test::units::ByteSize;
use suite::stress::cpu_used;
use suite::{OwnGroup, Stress};

use crate::stub;

const MIB: u64 = 1 << 20;

fn leak(size: u64) -> Fault {
    Fault::MemoryLeak { size: ByteSize::new(size) }
}

/// A figure of `/proc/PID/<file>`, in bytes.
fn figure(pid: u32, file: &str, name: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/{file}")).expect("it runs");
    let line = text.lines().find_map(|line| line.strip_prefix(name)).expect("the kernel says so");
    line.split_ascii_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).expect("a number") * 1024
}

#[tokio::test]
async fn memory_leak_is_resident_private_and_gone_at_once() {
    let environment = stub().await;
    let target = environment.service("app").unwrap().target();
    let stress = Stress::prepare(&leak(256 * MIB), &target, Some("hog")).await.expect("a hog");
    stress.inject().await;
    let early = stress.reaches(0.001, 5.seconds()).await.expect("the first pages");
    let half = stress.reaches(0.5, 5.seconds()).await.expect("half of it");
    let whole = stress.reaches(1.0, 10.seconds()).await.expect("all of it");
    println!("first pages {early:?}, half {half:?} later, all {whole:?} later");
    assert!(half > Duration::from_millis(300), "it grows bit by bit");
    let hog = stress.workers()[0];
    assert!(figure(hog, "smaps_rollup", "Pss:") >= 256 * MIB);
    assert_eq!(figure(hog, "status", "VmSwap:"), 0);
    let first = fs::read_to_string(format!("/proc/{hog}/oom_score_adj")).expect("it runs");
    assert_eq!(first.trim(), "1000", "the kernel takes it before anybody else");
    let before = cpu_used(hog);
    tokio::time::sleep(1.seconds()).await;
    let held = (cpu_used(hog) - before).as_secs_f64();
    println!("holding takes {:.2} % of a processor", held * 100.0);
    assert!(held < 0.05, "holding it takes {held} of a processor");
    stress.revert().await;
    assert!(stress.workers().is_empty());
    assert_eq!(stress.measured().await, Ok(0.0));
}

#[tokio::test]
async fn memory_leak_stops_at_the_floor_and_says_so() {
    // The run itself would refuse this before anything is started; here the hog is on its own, where there is little.
    let Some(group) = OwnGroup::below("memory") else { return };
    let environment = stub().await;
    let target = environment.service("app").unwrap().target();
    group.set("memory.limit_in_bytes", &(600 * MIB).to_string());
    group.take(environment.service("app").unwrap().pid().expect("it runs"));
    let stress = Stress::prepare(&leak(400 * MIB), &target, None).await.expect("a hog");
    assert_eq!(stress.prepared.mechanism, "cgroup-hog", "the best there is");
    stress.inject().await;
    let mut said = Ok(0.0);
    for _ in 0..300 {
        said = stress.measured().await;
        if said.is_err() {
            break;
        }
        tokio::time::sleep(10.ms()).await;
    }
    let said = said.expect_err("it cannot have 400 of 600 MiB");
    println!("{said}");
    assert!(said.contains("for less than the floor would have stayed free"), "{said}");
    let taken = figure(stress.workers()[0], "smaps_rollup", "Pss:");
    assert!(taken < 100 * MIB, "512 MiB stay free, and it took {taken}");
    stress.revert().await;
}

#[tokio::test]
async fn memory_leak_in_the_cgroup_of_the_service_is_charged_to_it() {
    let Some(group) = OwnGroup::below("memory") else { return };
    let environment = stub().await;
    let service = environment.service("app").unwrap();
    group.take(service.pid().expect("it runs"));
    let stress = Stress::prepare(&leak(128 * MIB), &service.target(), None).await.expect("a rung");
    assert_eq!(stress.prepared.mechanism, "cgroup-hog", "the best there is");
    stress.inject().await;
    assert!(stress.reaches(1.0, 10.seconds()).await.is_some(), "it never came");
    let charged = group.figure("memory.usage_in_bytes");
    assert!(charged >= 128 * MIB, "{charged} are charged to the group");
    stress.revert().await;
    let charged = group.figure("memory.usage_in_bytes");
    assert!(charged < 128 * MIB, "{charged} are still charged to the group");
}
