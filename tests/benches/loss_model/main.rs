//! How true the model of a lossy path is: the front door that emulates a loss, beside real packets that are really lost,
//! in one run. The real ones are dropped by nftables on the loopback of a network namespace of this program's own, which
//! is gone with the thread that made it. Needs root, `ip` and `nft`; without them only the model's half is measured.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a bench reads the clock and starts programs"
)]

mod load;
mod lossy;

use chaos_test::port::PathShape;
use load::{Figures, Servers};
use lossy::Lossy;
use suite::Door;
use suite::figures::asked;

const SHARES: [f64; 3] = [0.05, 0.15, 0.3];

fn main() {
    if !asked() {
        return;
    }
    println!(
        "2 bytes there and back on 8 open connections; opening and the first answer; 4 MB one way\n\
         {:>6} {:>6} | {:>8} {:>8} {:>8} {:>8} {:>8} | {:>8} {:>8} | {:>9}",
        "loss", "", "req/s", "mean ms", "p50", "p99", "max", "open p50", "p99", "bulk MB/s"
    );
    let model = model();
    match std::thread::spawn(real).join().expect("it does not panic") {
        Err(missing) => println!("real packets cannot be lost here: {missing}"),
        Ok((real, setting)) => {
            for ((share, model), real) in SHARES.iter().zip(&model).zip(&real) {
                println!("{:>4.0} % {:>6} | {}", share * 100.0, "÷", model.ratios(real));
            }
            println!("real: {setting}");
        }
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

fn print(share: f64, kind: &str, figures: &Figures) {
    println!("{:>4.0} % {kind:>6} | {figures}", share * 100.0);
}

/// Through front doors that emulate it.
fn model() -> Vec<Figures> {
    runtime().block_on(async {
        let servers = Servers::start().await;
        let (echo, sink) = (Door::to(servers.echo).await, Door::to(servers.sink).await);
        let through = Servers { echo: echo.address(), sink: sink.address() };
        let mut all = Vec::new();
        for share in SHARES {
            let set = |loss| {
                for door in [&echo, &sink] {
                    door.shape(PathShape { loss, ..PathShape::NONE });
                }
            };
            let figures = load::measure(through, || set(share), || set(0.0)).await;
            print(share, "model", &figures);
            all.push(figures);
        }
        all
    })
}

/// Directly, in a namespace whose loopback loses packets.
fn real() -> Result<(Vec<Figures>, String), String> {
    let lossy = Lossy::enter()?;
    // Its threads are born in the namespace.
    runtime().block_on(async {
        let servers = Servers::start().await;
        let mut all = Vec::new();
        for share in SHARES {
            let lose = |share| lossy.lose(share).expect("nft has worked before");
            let figures = load::measure(servers, || lose(share), || lose(0.0)).await;
            print(share, "real", &figures);
            all.push(figures);
        }
        Ok((all, lossy.setting()))
    })
}
