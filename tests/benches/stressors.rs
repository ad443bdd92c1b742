//! The faults that take something from the host, beside stress-ng where it is installed, in the same run: how exactly a
//! share of a processor is held, how soon each fault is there and gone, and what holding memory costs.
//!
//! What a share comes to, and when memory is there, is read from the kernel in the same way for both.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a bench reads clocks and starts processes"
)]

use std::num::NonZeroU32;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use chaos_test::inject::MemoryLeak;
use chaos_test::model::Fault;
use chaos_test::port::Target;
use chaos_test::prelude::*;
use chaos_test::units::ByteSize;
use suite::figures::{asked, median};
use suite::stress::{Stress, cpu_used};

/// How often each figure is taken; the median is told.
const RUNS: usize = 5;
/// How long a share is measured.
const MEASURED: Duration = Duration::from_secs(3);
const GIB: u64 = 1 << 30;

fn main() {
    if !asked() {
        return;
    }
    let peer = Command::new("stress-ng").arg("--version").output().is_ok();
    if !peer {
        println!("stress-ng is not installed: ours alone");
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let app = Process::cargo_bin("stub").args(["--port", "{port}"]).ready(Probe::http("/"));
        let environment = Environment::builder().process("app", app).start().await.expect("a stub");
        let target = environment.service("app").expect("just started").target();
        shares(&target, peer).await;
        memory(&target, peer).await;
        times(&target).await;
    });
}

/// A process of the peer, ended when this is dropped.
struct Peer(Child);

impl Peer {
    fn start(args: &[&str]) -> Self {
        let mut command = Command::new("stress-ng");
        command.args(args).stdout(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().expect("it is installed"))
    }

    /// It and all that it has started.
    fn family(&self) -> Vec<u32> {
        let mut family = vec![self.0.id()];
        let mut at = 0;
        while let Some(pid) = family.get(at) {
            let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
            family.extend(
                children
                    .unwrap_or_default()
                    .split_ascii_whitespace()
                    .filter_map(|pid| pid.parse::<u32>().ok()),
            );
            at += 1;
        }
        family
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = nix::sys::signal::kill(
            nix::unistd::Pid::from_raw(self.0.id() as i32),
            nix::sys::signal::Signal::SIGTERM,
        );
        let _ = self.0.wait();
    }
}

/// The share of a processor that these processes use.
async fn share(pids: &[u32]) -> f64 {
    let used = || pids.iter().map(|pid| cpu_used(*pid)).sum::<Duration>();
    let (before, begun) = (used(), Instant::now());
    tokio::time::sleep(MEASURED).await;
    (used() - before).div_duration_f64(begun.elapsed())
}

async fn shares(target: &Target, peer: bool) {
    println!("share of one processor, percent, {RUNS} runs of {} s: median and worst", MEASURED.as_secs());
    println!("{:<8} {:>10} {:>10} {:>12} {:>10}", "asked", "ours", "worst", "stress-ng", "worst");
    for percent in [25.0, 50.0, 75.0, 100.0] {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..RUNS {
            let load = Percent::new(percent).expect("a percentage");
            let fault = Fault::CpuExhaust { workers: NonZeroU32::MIN, load };
            let stress = Stress::prepare(&fault, target, None).await.expect("workers");
            stress.inject().await;
            tokio::time::sleep(Duration::from_millis(300)).await;
            ours.push(share(&stress.workers()).await * 100.0);
            stress.revert().await;
            if peer {
                let peer = Peer::start(&["--cpu", "1", "--cpu-load", &percent.to_string(), "-t", "60"]);
                tokio::time::sleep(Duration::from_millis(300)).await;
                theirs.push(share(&peer.family()).await * 100.0);
            }
        }
        let worst =
            |figures: &[f64]| figures.iter().map(|figure| (figure - percent).abs()).fold(f64::NAN, f64::max);
        println!(
            "{percent:<8} {:>10.2} {:>10.2} {:>12.2} {:>10.2}",
            median(ours.clone()),
            worst(&ours),
            median(theirs.clone()),
            worst(&theirs)
        );
    }
    println!("goal: within 1 of what was asked, on a processor that is free\n");
}

/// The most resident memory that one of these processes has, in bytes.
fn resident(pids: &[u32]) -> u64 {
    let of = |pid: &u32| {
        let text = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
        Some(line.split_ascii_whitespace().next()?.parse::<u64>().ok()? * 1024)
    };
    pids.iter().filter_map(of).max().unwrap_or(0)
}

async fn until_resident(pids: impl Fn() -> Vec<u32>) {
    while resident(&pids()) < GIB / 1000 * 999 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn memory(target: &Target, peer: bool) {
    let fault = Fault::MemoryLeak { size: ByteSize::new(GIB) };
    let (mut ours, mut held, mut gone) = (Vec::new(), Vec::new(), Vec::new());
    let (mut their, mut their_held, mut their_gone) = (Vec::new(), Vec::new(), Vec::new());
    let ms = |begun: Instant| begun.elapsed().as_secs_f64() * 1e3;
    for _ in 0..RUNS {
        let stress =
            Stress::with(Box::new(MemoryLeak::at_once()), &fault, target, None).await.expect("a hog");
        let begun = Instant::now();
        stress.inject().await;
        let hog = stress.workers();
        until_resident(|| hog.clone()).await;
        ours.push(ms(begun));
        held.push(share(&hog).await * 100.0);
        let begun = Instant::now();
        stress.revert().await;
        gone.push(ms(begun));
        if peer {
            let begun = Instant::now();
            let peer = Peer::start(&["--vm", "1", "--vm-bytes", "1G", "--vm-keep", "-t", "60"]);
            until_resident(|| peer.family()).await;
            their.push(ms(begun));
            their_held.push(share(&peer.family()).await * 100.0);
            let begun = Instant::now();
            drop(peer);
            their_gone.push(ms(begun));
        }
    }
    println!("1 GiB of memory at once, medians of {RUNS}");
    println!("{:<40} {:>10} {:>12}", "", "ours", "stress-ng");
    println!("{:<40} {:>10.0} {:>12.0}", "until it is resident, ms", median(ours), median(their));
    println!("{:<40} {:>10.2} {:>12.2}", "processor while it is held, %", median(held), median(their_held));
    println!("{:<40} {:>10.0} {:>12.0}", "until it is free again, ms", median(gone), median(their_gone));
    println!("goals: sooner than stress-ng; held with less than 5 %\n");
}

/// From the injection until the witness sees half of it and all of it, and from the revert until it sees none.
async fn times(target: &Target) {
    let faults = [
        Fault::CpuExhaust { workers: NonZeroU32::MIN, load: Percent::HUNDRED },
        Fault::CpuExhaust { workers: NonZeroU32::MIN, load: Percent::new(50.0).expect("a percentage") },
        Fault::MemoryLeak { size: ByteSize::new(256 << 20) },
        Fault::DiskStress { workers: NonZeroU32::MIN, sync: None },
    ];
    println!(
        "ms from the injection until the witness sees it, and from the revert until it is gone; medians of {RUNS}"
    );
    println!("{:<34} {:>10} {:>10} {:>10}", "", "half", "all", "gone");
    for fault in faults {
        let (mut half, mut all, mut gone) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..RUNS {
            let stress = Stress::prepare(&fault, target, None).await.expect("it is possible here");
            let ms = |begun: Instant| begun.elapsed().as_secs_f64() * 1e3;
            let begun = Instant::now();
            stress.inject().await;
            stress.reaches(0.5, Duration::from_secs(20)).await.expect("half of it");
            half.push(ms(begun));
            stress.reaches(0.9, Duration::from_secs(20)).await.expect("nine tenths of it");
            all.push(ms(begun));
            let begun = Instant::now();
            stress.revert().await;
            assert_eq!(stress.measured().await, Ok(0.0));
            gone.push(ms(begun));
        }
        println!(
            "{:<34} {:>10.0} {:>10.0} {:>10.0}",
            fault.to_string(),
            median(half),
            median(all),
            median(gone)
        );
    }
    println!("`all` is nine tenths; memory grows by 256 MiB a second on purpose");
}
