//! Known truth: a stub follows a script and remembers what it did; what was measured must be what happened.
#![allow(clippy::disallowed_methods, reason = "test code may use clocks")]

use std::time::Duration;

use chaos_test::model::{Fault, Outcome, Phase, Stream};
use chaos_test::prelude::*;
use chaos_test::report::Report;
use suite::{Answer, Scripted, Stub, unless_late, unless_void_with};

const INTERVAL: Duration = Duration::from_millis(20);

/// Runs a script against a stub for eight seconds, with 50 probes a second.
async fn observed(script: Vec<(Duration, Answer)>) -> (Report, Scripted, Stub) {
    let (report, (scripted, stub)) = unless_void_with(async || {
        let stub = Stub::start(0).await.expect("a free port");
        let scripted = Scripted::new(stub.clone(), script.clone());
        let url = stub.url();
        // Which fault it is called makes no difference: the script is the fault.
        let fault =
            Fault::NetworkDelay { delay: 1.ms(), jitter: Duration::ZERO, bandwidth: None, interface: None };
        let report = Experiment::fault(fault, 8.seconds())
            .expect("the built-in catalogue")
            .environment(move || {
                Environment::builder()
                    .url("stub", url)
                    .probe("stub", Probe::http("/").every(INTERVAL))
                    .start()
            })
            .injector(scripted.clone())
            // Here the outages are the point.
            .abort_conditions(AbortConditions::default())
            // And all of the script.
            .sequential(false)
            .baseline(2.seconds())
            .name(format!("known truth {:?}", scripted.truth().len()))
            .run()
            .await
            .expect("the experiment is well formed");
        (report, (scripted, stub))
    })
    .await;
    (report, scripted, stub)
}

fn stream(report: &Report) -> &Stream {
    &report.trace.streams[0]
}

/// How far a measured time may be off: the samples are at most an interval and its jitter apart, and each was as
/// late at the stub as its own lag and latency tell.
fn resolution(report: &Report) -> Duration {
    let stream = stream(report);
    let late =
        stream.samples.iter().filter(|s| s.outcome != Outcome::Timeout).map(|s| s.lag + s.latency).max();
    stream.interval.mul_f64(1.25) + late.unwrap_or_default()
}

async fn outage(length: Duration) {
    let begin = Duration::from_millis(1000);
    let (report, scripted, _stub) =
        observed(vec![(begin, Answer::Down), (begin + length, Answer::Well)]).await;
    let figures = &report.judgement.streams[0];
    assert_eq!(figures.outages.len(), 1, "{}", report.text());
    let outage = figures.outages[0];
    let truth = scripted.span(0, 1);
    let measured = outage.end.expect("it ended") - outage.start;
    let error = measured.abs_diff(truth);
    println!("outage of {truth:?}: measured {measured:?}, off by {error:?}, interval {INTERVAL:?}");
    assert!(error <= resolution(&report), "{truth:?} was measured as {measured:?}");
    assert_eq!(outage.flaps, 0);
    // Availability is what the outages leave, to the sample.
    let (from, to) = report.trace.marks.exposed().expect("it ran");
    let left = 1.0 - measured.as_secs_f64() / (to - from).as_secs_f64();
    let availability = report
        .judgement
        .evaluations
        .iter()
        .find(|e| e.indicator == chaos_test::slo::Indicator::Availability)
        .and_then(|e| e.measured);
    assert_eq!(availability, Some(chaos_test::slo::Figure::Share(left)));
}

#[tokio::test]
async fn outages_are_measured_to_the_probe_interval() {
    tokio::join!(outage(500.ms()), outage(2.seconds()), outage(5.seconds()));
}

#[tokio::test]
async fn error_rates_are_right_to_the_sample() {
    let rate = |n: u64| async move {
        let (report, _, stub) = observed(vec![(Duration::ZERO, Answer::EveryNth(n))]).await;
        let bad_served = stub.served().iter().filter(|served| !served.good).count();
        let bad_measured = stream(&report).samples.iter().filter(|sample| !sample.is_good()).count();
        assert_eq!(bad_measured, bad_served, "every bad answer is one bad sample, and no other is");
        let all_bad_are = stream(&report).samples.iter().filter(|s| !s.is_good());
        assert!(all_bad_are.clone().all(|s| s.outcome == Outcome::BadStatus(503)));
        let marks = &report.trace.marks;
        let chaos = |only_bad: bool| {
            let of_phase =
                stream(&report).samples.iter().filter(|s| marks.phase_of(s.at) == Some(Phase::Chaos));
            of_phase.filter(|s| !only_bad || !s.is_good()).count() as u64
        };
        assert_eq!(report.judgement.streams[0].chaos, (chaos(false), chaos(true)));
        // Nothing is lost: eight seconds at fifty a second, to the sample.
        let scheduled = (marks.chaos_ended.unwrap() - marks.injected.unwrap()).as_secs_f64() * 50.0;
        assert!((chaos(false) as f64 - scheduled).abs() <= 2.0, "{} of {scheduled}", chaos(false));
        println!(
            "one in {n}: served {bad_served} bad, measured {bad_measured} of {} in the chaos phase",
            chaos(false)
        );
    };
    tokio::join!(rate(100), rate(20), rate(4), rate(2));
}

#[tokio::test]
async fn a_hang_is_not_hidden() {
    let (report, scripted, _) =
        observed(vec![(1.seconds(), Answer::Hang), (6.seconds(), Answer::Well)]).await;
    let hang = scripted.span(0, 1);
    assert!(hang >= Duration::from_millis(4900), "the stub really hung: {hang:?}");
    let marks = &report.trace.marks;
    let chaos: Vec<_> =
        stream(&report).samples.iter().filter(|s| marks.phase_of(s.at) == Some(Phase::Chaos)).collect();
    let bad = chaos.iter().filter(|s| !s.is_good()).count();
    // A request sent in the last second of the hang (the probe's timeout) is answered after all; all others are bad.
    // A closed loop would have sent one request a second, and reported five bad ones.
    assert!(bad >= 195, "{bad} of {} bad", chaos.len());
    assert_eq!(report.verdict(), Verdict::Fail);
    let slow = chaos.iter().filter(|s| s.latency >= Duration::from_millis(500)).count();
    assert!(slow >= 220, "the late answers are as late as they were: {slow}");
    println!("a hang of {hang:?}: {bad} of {} samples bad, {slow} of half a second or more", chaos.len());
}

#[tokio::test]
async fn a_sick_baseline_stops_the_run_before_the_fault() {
    let stub = Stub::start(0).await.expect("a free port");
    stub.tell(Answer::EveryNth(2));
    let scripted = Scripted::new(stub.clone(), vec![(Duration::ZERO, Answer::Down)]);
    let report = unless_late(async || {
        Experiment::scenario("Light Network Delay")
            .expect("a known scenario")
            .against(stub.url())
            .injector(scripted.clone())
            .baseline(1.seconds())
            .run()
            .await
            .expect("well formed")
    })
    .await;
    assert_eq!(report.judgement.label(), "Inconclusive(baseline unhealthy)", "{}", report.text());
    assert!(scripted.truth().is_empty(), "nothing was injected");
    assert!(report.trace.marks.inject_started.is_none());
}
