//! The idle front door beside a direct connection and a plain `copy_bidirectional` relay, in one run: requests a
//! second in a closed loop at 1 and 32 connections, and the median time of one. Rounds alternate, so a machine that
//! gets slower meanwhile gets slower for all three. The goal is 95 % of the relay's throughput.
#![allow(clippy::disallowed_methods, reason = "a bench reads the clock")]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use chaos_test::prelude::*;
use suite::Relay;
use suite::figures::{Times, asked, median};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const ROUNDS: usize = 9;
const ROUND: Duration = Duration::from_millis(1500);
const WORDS: usize = 64;

fn main() {
    if !asked() {
        return;
    }
    let echo = Relay::Echo.start(1);
    let relay = Relay::Plain(echo).start(2);
    let clients = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let environment = clients
        .block_on(Environment::builder().url("echo", format!("http://{echo}")).start())
        .expect("a front door");
    let ways = [("direct", echo), ("relay", relay), ("front door", environment.address("echo"))];
    println!(
        "idle front door, {WORDS}-byte echo, closed loop, median of {ROUNDS} alternating rounds of {ROUND:?}"
    );
    println!("{:<12} {:>11} {:>12} {:>14} {:>16}", "", "connections", "requests/s", "p50 µs", "added p50 µs");
    for connections in [1, 32] {
        let mut rates = vec![Vec::new(); ways.len()];
        let mut medians = vec![Vec::new(); ways.len()];
        for round in 0..=ROUNDS {
            for (n, (_, address)) in ways.iter().enumerate() {
                let times = clients.block_on(load(*address, connections));
                // The first round warms up.
                if round > 0 {
                    rates[n].push(times.count() as f64 / ROUND.as_secs_f64());
                    medians[n].push(times.quantile_ms(0.5) * 1e3);
                }
            }
        }
        let pairs: Vec<f64> = rates[2].iter().zip(&rates[1]).map(|(door, relay)| door / relay).collect();
        let direct = median(medians[0].clone());
        for (n, (name, _)) in ways.iter().enumerate() {
            let (rate, p50) = (median(rates[n].clone()), median(medians[n].clone()));
            println!("{name:<12} {connections:>11} {rate:>12.0} {p50:>14.1} {:>16.1}", p50 - direct);
        }
        println!("front door / relay, median of the pairs: {:.1} % (goal ≥ 95 %)\n", median(pairs) * 100.0);
    }
}

async fn load(address: SocketAddr, connections: usize) -> Times {
    let end = Instant::now() + ROUND;
    let clients: Vec<_> = (0..connections)
        .map(|_| {
            tokio::spawn(async move {
                let mut stream = TcpStream::connect(address).await.expect("it listens");
                stream.set_nodelay(true).expect("a TCP socket");
                let (sent, mut got) = ([7; WORDS], [0; WORDS]);
                let mut times = Vec::new();
                while Instant::now() < end {
                    let start = Instant::now();
                    stream.write_all(&sent).await.expect("open");
                    stream.read_exact(&mut got).await.expect("open");
                    times.push(start.elapsed());
                }
                times
            })
        })
        .collect();
    let mut all = Vec::new();
    for client in clients {
        all.extend(client.await.expect("a client does not panic"));
    }
    Times::of(all)
}
