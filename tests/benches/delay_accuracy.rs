//! How exact a delay is: the error of a round trip through the front door at 50, 200 and 500 ms with 1, 100 and 1 000
//! connections, beside the same relay with `tokio::time::sleep`, and beside this machine's own timer floor (how late
//! `nanosleep` wakes one thread up), all in one run. The goal is a mean error of at most 0.3 ms and a p99 of at most
//! 1 ms above the floor.
#![allow(clippy::disallowed_methods, reason = "a bench reads the clock")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chaos_test::port::PathShape;
use chaos_test::prelude::*;
use suite::Relay;
use suite::figures::{Times, asked};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Requests a second over all connections: enough to see waiting, not enough to fill two processors.
const RATE: f64 = 1000.0;

fn main() {
    if !asked() {
        return;
    }
    let echo = Relay::Echo.start(1);
    let clients = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let environment = clients
        .block_on(Environment::builder().url("echo", format!("http://{echo}")).start())
        .expect("a front door");
    let path = environment.service("echo").expect("it is there").target().path.expect("it has a path");
    let direct = clients.block_on(load(echo, 100, Duration::ZERO, Duration::from_secs(2)));
    println!(
        "round trip without a delay, direct, 100 connections: p50 {:.3} ms, p99 {:.3} ms",
        direct.quantile_ms(0.5),
        direct.quantile_ms(0.99)
    );
    println!("error of a round trip, ms; {RATE} requests/s in all");
    println!(
        "{:>8} {:>11} | {:>8} {:>8} | {:>8} {:>8} {:>8} | {:>10} {:>10} | {:>8} {:>8}",
        "delay",
        "connections",
        "floor",
        "p99",
        "mean",
        "p99",
        "max",
        "mean−floor",
        "p99−floor",
        "tokio",
        "p99"
    );
    for delay in [50_u32, 200, 500].map(TimeUnits::ms) {
        let sleepy = Relay::TokioSleep(echo, delay / 2).start(2);
        for connections in [1, 100, 1000] {
            let span = Duration::from_secs(if connections == 1 { 10 } else { 6 }).max(delay * 12);
            let floor = floor(delay);
            path.shape(PathShape { delay: delay / 2, ..PathShape::NONE });
            let ours = clients.block_on(load(environment.address("echo"), connections, delay, span));
            path.shape(PathShape::default());
            let theirs = clients.block_on(load(sleepy, connections, delay, span));
            println!(
                "{:>5} ms {connections:>11} | {:>8.3} {:>8.3} | {:>8.3} {:>8.3} {:>8.3} | {:>10.3} {:>10.3} | {:>8.3} {:>8.3}   n = {}",
                delay.as_millis(),
                floor.mean_ms(),
                floor.quantile_ms(0.99),
                ours.mean_ms(),
                ours.quantile_ms(0.99),
                ours.quantile_ms(1.0),
                ours.mean_ms() - floor.mean_ms(),
                ours.quantile_ms(0.99) - floor.quantile_ms(0.99),
                theirs.mean_ms(),
                theirs.quantile_ms(0.99),
                ours.count(),
            );
        }
    }
    println!("goal: mean−floor ≤ 0.3, p99−floor ≤ 1 (a round trip waits twice, the floor once)");
}

/// How late a sleeping thread wakes up.
fn floor(delay: Duration) -> Times {
    let late = (0..(2000 / delay.as_millis().max(1)).max(20)).map(|_| {
        let start = Instant::now();
        std::thread::sleep(delay);
        start.elapsed() - delay
    });
    Times::of(late.collect())
}

/// How much longer than `delay` round trips take, on connections that are open and have been used once.
async fn load(address: SocketAddr, connections: usize, delay: Duration, span: Duration) -> Times {
    // Each connection waits between its requests, so that all of them together keep the rate.
    let pause = Duration::from_secs_f64(connections as f64 / RATE).saturating_sub(delay);
    let open = Arc::new(tokio::sync::Barrier::new(connections));
    let clients: Vec<_> = (0..connections)
        .map(|n| {
            let open = Arc::clone(&open);
            tokio::spawn(async move {
                // A thousand connections in one instant overflow a listener's queue: what is then seen is the
                // kernel's second of waiting before it asks again, not the delay.
                tokio::time::sleep(Duration::from_millis(n as u64)).await;
                let mut stream = TcpStream::connect(address).await.expect("it listens");
                stream.set_nodelay(true).expect("a TCP socket");
                exchange(&mut stream).await;
                open.wait().await;
                let end = Instant::now() + span;
                // Spread out, as clients are.
                tokio::time::sleep((pause + delay).mul_f64(n as f64 / connections as f64)).await;
                let mut errors = Vec::new();
                while Instant::now() < end {
                    errors.push(exchange(&mut stream).await.saturating_sub(delay));
                    tokio::time::sleep(pause).await;
                }
                errors
            })
        })
        .collect();
    let mut all = Vec::new();
    for client in clients {
        all.extend(client.await.expect("a client does not panic"));
    }
    Times::of(all)
}

async fn exchange(stream: &mut TcpStream) -> Duration {
    let start = Instant::now();
    stream.write_all(b"x").await.expect("open");
    stream.read_exact(&mut [0]).await.expect("open");
    start.elapsed()
}
