//! The time to recover and the recovery time of real services against what they were told to do: five stubs in a run, each
//! down for a while under the fault, and not well for another while after it was gone. (Two hundred simulated ones are in
//! the library's own tests.)
#![allow(clippy::disallowed_methods, reason = "test code may use clocks")]

use std::time::Duration;

use chaos_test::model::{Fault, Outcome, Phase};
use chaos_test::prelude::*;
use chaos_test::report::Report;
use chaos_test::slo::RecoveryTime;
use chaos_test::stats::SplitMix;
use suite::{Answer, Scripted, Stub, at_once, unless_void_with};

const RUNS: u64 = 4;
const STUBS: usize = 5;
const INTERVAL: Duration = Duration::from_millis(50);
/// How long the fault is there.
const HELD: f64 = 10.0;

/// What is allowed: an interval of the probe, or a twentieth.
fn allowed(truth: Duration) -> Duration {
    (truth / 20).max(INTERVAL)
}

async fn observed(run: u64) -> (Report, Scripted) {
    let mut random = SplitMix::new(run);
    let mut between = |least: f64, most: f64| Duration::from_secs_f64(least + (most - least) * random.unit());
    let mut parts = Vec::new();
    for n in 0..STUBS {
        // From 1.3 s on a twentieth is as long as two samples may be apart.
        let (begin, down, back) = (between(0.3, 0.8), between(1.3, 3.2), between(1.3, 3.2));
        let late = between(9.4, 9.6);
        let after = if n % 2 == 0 { Answer::Down } else { Answer::Slow(300.ms()) };
        let well = (Duration::from_secs_f64(HELD) + back, Answer::Well);
        let script = vec![(begin, Answer::Down), (begin + down, Answer::Well), (late, after), well];
        parts.push((Stub::start(0).await.expect("a free port"), script));
    }
    let urls: Vec<String> = parts.iter().map(|(stub, _)| stub.url()).collect();
    let scripted = Scripted::many(parts).lasting();
    let fault =
        Fault::NetworkDelay { delay: 1.ms(), jitter: Duration::ZERO, bandwidth: None, interface: None };
    let report = Experiment::fault(fault, Duration::from_secs_f64(HELD))
        .expect("the built-in catalogue")
        .environment(move || {
            let stubs = urls.into_iter().enumerate().fold(Environment::builder(), |all, (n, url)| {
                let name = format!("stub-{n}");
                all.url(&name, url).probe(&name, Probe::http("/").every(INTERVAL))
            });
            stubs.start()
        })
        .injector(scripted.clone())
        // Here the outages are the point.
        .abort_conditions(AbortConditions::default())
        .baseline(2.seconds())
        .name(format!("recovery truth {run}"))
        .progress(false)
        .run()
        .await
        .expect("the experiment is well formed");
    (report, scripted)
}

/// One in which a time is off while the harness itself was later than an interval says nothing of how exact it is, and is made
/// again, three times at most.
async fn measured(run: u64) -> (Report, Scripted) {
    for _ in 0..=3 {
        let (report, scripted) = unless_void_with(move || observed(run)).await;
        let is_blurred = |(_, measured, truth, late): &(String, Duration, Duration, Duration)| {
            *late > INTERVAL && measured.abs_diff(*truth) > allowed(*truth) + *late
        };
        if !times(&report, &scripted).iter().any(is_blurred) {
            return (report, scripted);
        }
        println!("void: the harness was late\n{}", report.text());
    }
    panic!("this host is too busy for any run");
}

/// Each measured time of a run with the true one, and by how much the harness was late at that stream.
fn times(report: &Report, scripted: &Scripted) -> Vec<(String, Duration, Duration, Duration)> {
    let (marks, gone) = (&report.trace.marks, scripted.gone().expect("it was undone"));
    assert!(marks.removed.is_some(), "{}", report.text());
    let mut times = Vec::new();
    for (n, figures) in report.judgement.streams.iter().enumerate() {
        let truth = scripted.truth_of(n);
        let at = |index: usize| truth[index].0;
        let late = report.trace.streams[n].samples.iter().filter(|s| s.outcome != Outcome::Timeout);
        let late = late.filter(|s| marks.phase_of(s.at) != Some(Phase::Baseline)).map(|s| s.lag).max();
        let late = late.unwrap_or_default();
        let name = &figures.name;
        let mut expected = vec![at(1) - at(0)];
        expected.extend((truth[2].1 == Answer::Down).then(|| at(3) - at(2)));
        let outages: Vec<_> = figures.outages.iter().map(|o| o.end.expect("it ended") - o.start).collect();
        assert_eq!(outages.len(), expected.len(), "{name}: {}", report.text());
        let both = outages.into_iter().zip(expected);
        times.extend(both.map(|(measured, truth)| (format!("{name} outage"), measured, truth, late)));
        let Some(RecoveryTime::After(recovered)) = figures.recovery_time else {
            panic!("{name} came back: {}", report.text())
        };
        times.push((format!("{name} recovery"), recovered, at(3) - gone, late));
    }
    times
}

#[tokio::test]
async fn times_of_real_services_are_right_to_an_interval_or_a_twentieth() {
    // Two at a time: each has a hundred probes a second.
    let mut runs = at_once((0..RUNS / 2).map(measured)).await;
    runs.extend(at_once((RUNS / 2..RUNS).map(measured)).await);
    let (mut total, mut strict) = (0, 0);
    for (report, scripted) in &runs {
        for (what, measured, truth, late) in times(report, scripted) {
            let off = measured.abs_diff(truth);
            println!("{what}: {truth:?}, measured {measured:?}, off by {off:?} of {:?}", allowed(truth));
            assert!(
                off <= allowed(truth) + late,
                "{what}: {truth:?} was measured as {measured:?}, late {late:?}"
            );
            total += 1;
            strict += u32::from(off <= allowed(truth));
        }
    }
    println!(
        "{RUNS} runs of {STUBS} services, {total} times, {strict} of them within what is allowed of a host in time"
    );
}
