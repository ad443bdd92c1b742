//! How exact faults on packets are: the error of a round trip with `nfqueue` (or `netem`, where the kernel has it) beside
//! this machine's own timer floor, and the share of packets that `nft-drop` loses, all in one run, in a network of its own
//! without privileges or with. The goal is a mean error of at most 0.5 ms and a p99 of at most 2 ms above the floor, and a
//! share within a tenth of what was asked.
#![allow(clippy::disallowed_methods, reason = "a bench reads the clock")]

use std::time::{Duration, Instant};

use chaos_test::port::{PacketPath, PacketShape};
use chaos_test::prelude::*;
use suite::figures::{Times, asked};

fn main() {
    if !asked() {
        return;
    }
    println!(
        "goal: mean and p99 of the error at most 0.5 ms and 2 ms above the floor; a share within a tenth of what was asked"
    );
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let stub = Process::cargo_bin("stub").args(["--port", "{port}"]).own_network();
        let environment = Environment::builder().process("app", stub).start().await.expect("it starts");
        let packets = environment.service("app").unwrap().target().packets.expect("it has its own");
        for mechanism in ["netem", "nfqueue"] {
            delays(&*packets, mechanism).await;
        }
        for mechanism in ["netem", "nft-drop"] {
            losses(&*packets, mechanism).await;
        }
    });
}

/// Whether this host has it; says why not.
fn has(packets: &dyn PacketPath, mechanism: &str) -> bool {
    let refusal = packets.refusal(mechanism);
    if let Some(why) = &refusal {
        println!("{mechanism}: {why}");
    }
    refusal.is_none()
}

async fn delays(packets: &dyn PacketPath, mechanism: &str) {
    if !has(packets, mechanism) {
        return;
    }
    let without = round_trips(packets, 200, Duration::ZERO).await;
    println!(
        "round trip without a fault: p50 {:.3} ms, p99 {:.3} ms",
        without.quantile_ms(0.5),
        without.quantile_ms(0.99)
    );
    println!("{mechanism}: error of a round trip, ms (and how late this machine wakes up a sleeper)");
    for delay in [10_u32, 50, 200].map(TimeUnits::ms) {
        let count = (6_000 / delay.as_millis() as usize).clamp(30, 200);
        let shape = PacketShape { delay: delay / 2, ..PacketShape::default() };
        packets.apply("bench", mechanism, shape).expect("it can be done");
        let ours = round_trips(packets, count, delay).await;
        packets.remove("bench").expect("it can be undone");
        let floor = Times::of(
            (0..count.min(50))
                .map(|_| {
                    let start = Instant::now();
                    std::thread::sleep(delay / 2);
                    start.elapsed() - delay / 2
                })
                .collect(),
        );
        println!(
            "{:>5} ms | mean {:.3}, p50 {:.3}, p99 {:.3}, max {:.3} | floor {:.3}, p99 {:.3}   n = {}",
            delay.as_millis(),
            ours.mean_ms(),
            ours.quantile_ms(0.5),
            ours.quantile_ms(0.99),
            ours.quantile_ms(1.0),
            floor.mean_ms(),
            floor.quantile_ms(0.99),
            ours.count(),
        );
    }
}

async fn round_trips(packets: &dyn PacketPath, count: usize, delay: Duration) -> Times {
    let mut errors = Vec::new();
    for _ in 0..count {
        errors.push(packets.round_trip().await.expect("it can be measured").saturating_sub(delay));
    }
    Times::of(errors)
}

async fn losses(packets: &dyn PacketPath, mechanism: &str) {
    if !has(packets, mechanism) {
        return;
    }
    const PACKETS: u32 = 200_000;
    for share in [0.05, 0.15, 0.3] {
        packets
            .apply("bench", mechanism, PacketShape { loss: share, ..PacketShape::default() })
            .expect("it can be done");
        let begun = Instant::now();
        let lost = packets.lost(PACKETS).await.expect("it can be counted");
        let took = begun.elapsed().as_secs_f64() * 1e6 / f64::from(PACKETS);
        packets.remove("bench").expect("it can be undone");
        println!(
            "{mechanism}: asked {:.0} %, lost {:.3} % of {PACKETS} packets ({took:.1} µs each)",
            share * 100.0,
            lost * 100.0
        );
    }
}
