//! How often a verdict on a share is wrong, counted on simulated services.
//!
//! Two thousand services for each true error rate, with independent errors and with bursts of ten on average, probed fifty
//! times a second for as long as their objective needs. Seeded: the same figures every time.

use std::fmt::Write as _;

use chaos_test::stats::{ALLOWED_BURST, Decision, Question, Sequential, SplitMix};

const SERVICES: u64 = 2000;
const PER_SECOND: usize = 50;
/// Samples of the first seconds do not yet pass anything.
const SETTLING: usize = 5 * PER_SECOND;
/// The limit, and how many seconds of chaos it is given.
const OBJECTIVES: [(f64, usize); 3] = [(0.01, 120), (0.05, 60), (0.10, 45)];
/// The truth, as a part of the limit.
const TRUTHS: [f64; 10] = [0.1, 0.25, 0.5, 0.8, 1.0, 1.1, 1.25, 1.5, 2.0, 4.0];

/// A service whose errors come in bursts of a geometric length, or one by one.
struct Service {
    random: SplitMix,
    is_bad: bool,
    begins: f64,
    goes_on: f64,
}

impl Service {
    fn new(seed: u64, error_rate: f64, burst: f64) -> Self {
        let goes_on = if burst > 1.0 { 1.0 - 1.0 / burst } else { error_rate };
        let begins = if burst > 1.0 { error_rate * (1.0 - goes_on) / (1.0 - error_rate) } else { error_rate };
        let mut random = SplitMix::new(seed);
        let is_bad = random.unit() < error_rate;
        Self { random, is_bad, begins, goes_on }
    }

    fn next(&mut self) -> bool {
        let bad = self.is_bad;
        self.is_bad = self.random.unit() < if bad { self.goes_on } else { self.begins };
        bad
    }
}

#[derive(Default)]
struct Cell {
    pass: u64,
    fail: u64,
    samples: u64,
}

fn cell(limit: f64, seconds: usize, truth: f64, burst: f64) -> Cell {
    let question = Question { limit, wrong_pass: 0.005, wrong_fail: 0.0005, burst: ALLOWED_BURST };
    let mut cell = Cell::default();
    for n in 0..SERVICES {
        let mut service = Service::new(n * 1000 + (truth * 100.0) as u64, limit * truth, burst);
        let mut evidence = Sequential::new(question);
        let mut taken = 0;
        while taken < seconds * PER_SECOND && evidence.decided().is_none() {
            evidence.push(service.next(), taken / PER_SECOND, taken >= SETTLING);
            taken += 1;
        }
        cell.samples += taken as u64;
        match evidence.conclude() {
            Decision::Within => cell.pass += 1,
            Decision::Beyond => cell.fail += 1,
            Decision::Unclear => {}
        }
    }
    cell
}

#[test]
fn verdicts_are_as_wrong_as_they_say() {
    let mut table = String::new();
    let mut wrong = Vec::new();
    for (limit, seconds) in OBJECTIVES {
        for (kind, burst) in [("one by one", 1.0), ("bursts of 10", 10.0)] {
            for truth in TRUTHS {
                let cell = cell(limit, seconds, truth, burst);
                let share = |count: u64| count as f64 / SERVICES as f64 * 100.0;
                let is_wrong = share(if truth <= 1.0 { cell.fail } else { cell.pass });
                let most = if truth <= 0.5 || truth >= 2.0 { 0.1 } else { 1.0 };
                let line = format!(
                    "| {:.0} % in {seconds} s | {kind} | {truth} × | {:.2} % | {:.2} % | {:.2} % | {is_wrong:.2} % | {:.1} s |",
                    limit * 100.0,
                    share(cell.pass),
                    share(cell.fail),
                    share(SERVICES - cell.pass - cell.fail),
                    cell.samples as f64 / (SERVICES * PER_SECOND as u64) as f64,
                );
                writeln!(table, "{line}").unwrap();
                if is_wrong > most {
                    wrong.push(line);
                }
            }
        }
    }
    println!("{table}");
    assert!(wrong.is_empty(), "wrong too often:\n{}", wrong.join("\n"));
}
