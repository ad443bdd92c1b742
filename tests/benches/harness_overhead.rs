//! What a chaos test costs beyond its declared phases, with a process service: start, inject, proof, revert, record,
//! end. Prints the median of ten runs; the goal is 150 ms.
#![allow(clippy::disallowed_methods, reason = "a bench reads the clock")]

use std::time::Instant;

use chaos_test::prelude::*;
use suite::figures::{asked, median};

const RUNS: usize = 10;

fn main() {
    if !asked() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    println!(
        "harness overhead: wall time of one test beyond baseline, chaos and recovery watch, ms, {RUNS} runs each"
    );
    println!(
        "{:<32} {:>8} {:>8} {:>8} {:>10} {:>8}",
        "scenario", "median", "min", "max", "of which inject", "revert"
    );
    for scenario in ["Light Network Delay", "Light CPU Stress", "Application Container Restart"] {
        let (mut overheads, mut injects, mut reverts) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..RUNS {
            let (overhead, inject, revert) = runtime.block_on(one(scenario));
            overheads.push(overhead);
            injects.push(inject);
            reverts.push(revert);
        }
        let min = overheads.iter().copied().fold(f64::MAX, f64::min);
        let max = overheads.iter().copied().fold(f64::MIN, f64::max);
        println!(
            "{scenario:<32} {:>8.1} {min:>8.1} {max:>8.1} {:>15.1} {:>8.1}",
            median(overheads),
            median(injects),
            median(reverts)
        );
    }
    println!("goal: median ≤ 150 ms (a delay's proof takes one delayed round trip, here 50 ms)");
}

/// Overhead, time to inject and prove, time to revert and see it gone; ms.
async fn one(scenario: &str) -> (f64, f64, f64) {
    let started = Instant::now();
    let report = Experiment::scenario(scenario)
        .expect("a known scenario")
        .environment(|| {
            let app = Process::cargo_bin("stub").args(["--port", "{port}"]).ready(Probe::http("/"));
            Environment::builder().process("app", app).start()
        })
        .baseline(1.seconds())
        .duration(3.seconds())
        .name("bench")
        .run()
        .await
        .expect("well formed");
    let wall = started.elapsed();
    let marks = report.trace.marks;
    let mark =
        |mark: Option<std::time::Duration>| mark.unwrap_or_else(|| panic!("it ran: {}", report.text()));
    let watched = mark(marks.ended) - mark(marks.chaos_ended);
    let declared = report.planned.baseline + report.planned.chaos + watched;
    let ms = |span: std::time::Duration| span.as_secs_f64() * 1e3;
    (
        wall.as_secs_f64() * 1e3 - ms(declared),
        ms(mark(marks.injected) - mark(marks.inject_started)),
        ms(mark(marks.removed) - mark(marks.revert_started)),
    )
}
