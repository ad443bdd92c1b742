//! The time to recover and the recovery time, against what a simulated service really did.

use std::time::Duration;

use chaos_test::slo::{RecoveryTime, judge};
use chaos_test::stats::SplitMix;

use crate::service::{Mood, no_objectives, run, secs, stream};

const RUNS: u64 = 200;

/// A time may be off by an interval of the probe or a twentieth of itself.
fn allowed(truth: f64, interval: Duration) -> Duration {
    secs(truth * 0.05).max(interval)
}

#[test]
fn times_are_right_to_an_interval_or_a_twentieth_in_200_simulated_runs() {
    let (mut worst, mut times) = (0.0_f64, 0);
    for seed in 0..RUNS {
        let mut random = SplitMix::new(seed);
        let interval = [10, 20, 50, 100].map(Duration::from_millis)[seed as usize % 4];
        let shortest = 0.3_f64.max(interval.as_secs_f64() * 25.0);
        let mut between = |least: f64, most: f64| least + (most - least) * random.unit();
        // Down for a while under the fault; then not well for a while after it.
        let (begin, down, back) = (between(3.2, 6.0), between(shortest, 9.0), between(shortest, 9.0));
        let removed = 20.0;
        let mood = if seed % 2 == 0 { Mood::Down } else { Mood::Slow };
        let spells = [(begin, begin + down, Mood::Down), (removed - 1.0, removed + back, mood)];
        let trace = run(stream(seed, interval, 40.0, &spells), removed, 40.0);
        let judgement = judge(&trace, &no_objectives());
        let figures = &judgement.streams[0];
        let mut held = vec![];
        let outages: Vec<_> = figures.outages.iter().map(|o| o.end.expect("it ended") - o.start).collect();
        let expected = if mood == Mood::Down { vec![down, back + 1.0] } else { vec![down] };
        assert_eq!(outages.len(), expected.len(), "run {seed}: {figures:?}");
        held.extend(outages.into_iter().zip(expected));
        match figures.recovery_time {
            Some(RecoveryTime::After(time)) => held.push((time, back)),
            other => panic!("run {seed}: {other:?}, and it was back after {back} s"),
        }
        for (measured, truth) in held {
            let off = measured.abs_diff(secs(truth));
            assert!(off <= allowed(truth, interval), "run {seed}: {truth} s was measured as {measured:?}");
            worst = worst.max(off.as_secs_f64() / allowed(truth, interval).as_secs_f64());
            times += 1;
        }
    }
    println!("{RUNS} simulated runs, {times} times: at worst {:.0} % of what is allowed", worst * 100.0);
}
