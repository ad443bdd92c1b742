//! A chaos phase lasts as long as it takes to tell, on a real service: no longer, and where that is asked for no shorter.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "starts programs and reads their records"
)]

use std::process::Command;
use std::time::Duration;

use chaos_test::prelude::*;
use chaos_test::report::Report;
use chaos_test::slo::{Indicator, Reason, Verdict};
use suite::{Answer, Scripted, Stub, is_void, unless_void, unless_void_with};

/// A fault that lasts: its script is what the service does meanwhile.
async fn experiment(answers: Answer, duration: Duration, every: Duration) -> (Experiment, Stub) {
    let stub = Stub::start(0).await.expect("a free port");
    let url = stub.url();
    let fault =
        Fault::NetworkDelay { delay: 1.ms(), jitter: Duration::ZERO, bandwidth: None, interface: None };
    let experiment = Experiment::fault(fault, duration)
        .expect("the built-in catalogue")
        .environment(move || {
            Environment::builder().url("stub", url).probe("stub", Probe::http("/").every(every)).start()
        })
        .injector(Scripted::new(stub.clone(), vec![(Duration::ZERO, answers)]))
        .abort_conditions(AbortConditions::default())
        .slo("staging")
        .baseline(2.seconds())
        .name(format!("{answers:?} for {duration:?}"));
    (experiment, stub)
}

/// Carries it out, each time at a stub of its own.
async fn run(made: impl AsyncFn() -> (Experiment, Stub)) -> Report {
    unless_void(async || {
        let (experiment, _stub) = made().await;
        let report = experiment.run().await.expect("the experiment is well formed");
        println!("{}\n", report.text());
        report
    })
    .await
}

fn chaos(report: &Report) -> Duration {
    let marks = report.trace.marks;
    marks.chaos_ended.expect("it ended") - marks.injected.expect("it was injected")
}

#[tokio::test]
async fn a_service_that_bears_it_passes_before_the_end() {
    let report = run(async || experiment(Answer::Well, 60.seconds(), 10.ms()).await).await;
    assert_eq!(report.verdict(), Verdict::Pass);
    // Not before it has settled, and long before the minute is over.
    assert!(chaos(&report) >= 5.seconds() && chaos(&report) < 50.seconds(), "{:?}", chaos(&report));
    assert!(report.text().contains("decided after 10"), "1055 samples");
}

#[tokio::test]
async fn a_service_that_does_not_fails_at_once_and_the_fault_is_gone() {
    let report = run(async || experiment(Answer::Slow(700.ms()), 60.seconds(), 20.ms()).await).await;
    assert_eq!(report.verdict(), Verdict::Fail);
    assert!(chaos(&report) < 40.seconds(), "{:?}", chaos(&report));
    assert!(report.trace.marks.removed.is_some());
    assert!(report.headline().contains("p95 latency degradation"), "{}", report.headline());
    assert!(report.trace.events.iter().any(|event| event.text.starts_with("decided: a share")));
}

#[tokio::test]
async fn a_phase_that_is_to_be_whole_is_whole() {
    let report = run(async || {
        let (experiment, stub) = experiment(Answer::EveryNth(2), 4.seconds(), 20.ms()).await;
        (experiment.sequential(false), stub)
    })
    .await;
    assert_eq!(report.verdict(), Verdict::Fail);
    assert!(chaos(&report) >= 4.seconds(), "{:?}", chaos(&report));
    assert!(report.judgement.evaluations.iter().all(|evaluation| evaluation.evidence.is_none()));
}

#[tokio::test]
async fn a_phase_that_could_not_tell_goes_on_where_that_is_asked_for() {
    // Three seconds have some 75 samples, and 162 good ones are needed.
    let short = async || experiment(Answer::Well, 3.seconds(), 40.ms()).await;
    let told = run(short).await;
    assert_eq!(told.verdict(), Verdict::Inconclusive);
    assert!(matches!(told.judgement.weightiest(), Some(Reason::NeedsMoreSamples { more: Some(60..=120) })));
    let extended = run(async || {
        let (experiment, stub) = short().await;
        (experiment.inconclusive(Inconclusive::Extends), stub)
    })
    .await;
    assert_eq!(extended.verdict(), Verdict::Pass);
    assert!(chaos(&extended) >= 6.seconds(), "{:?}", chaos(&extended));
    assert!(extended.trace.events.iter().any(|event| event.text.starts_with("undecided: goes on")));
}

#[tokio::test]
async fn a_short_phase_that_may_go_on_is_proven_all_the_same() {
    let report = run(async || {
        let (experiment, stub) = experiment(Answer::Down, 1.seconds(), 20.ms()).await;
        (experiment.inconclusive(Inconclusive::Extends), stub)
    })
    .await;
    assert_eq!(report.verdict(), Verdict::Fail);
    assert!(report.trace.delivery.as_ref().is_some_and(|delivery| delivery.readings.len() >= 5));
}

#[tokio::test]
async fn of_two_probes_of_one_service_the_one_that_fails_is_named() {
    let report = unless_void(async || {
        let stub = Stub::start(0).await.expect("a free port");
        let (url, every) = (stub.url(), 20.ms());
        let fault =
            Fault::NetworkDelay { delay: 1.ms(), jitter: Duration::ZERO, bandwidth: None, interface: None };
        Experiment::fault(fault, 60.seconds())
            .expect("the built-in catalogue")
            .environment(move || {
                let builder = Environment::builder().url("stub", url);
                let any = Probe::http("/any").expect_status(200..=599).every(every);
                builder.probe("stub", any).probe("stub", Probe::http("/").every(every)).start()
            })
            .injector(Scripted::new(stub, vec![(Duration::ZERO, Answer::Down)]))
            .abort_conditions(AbortConditions::default())
            .slo("staging")
            .baseline(2.seconds())
            .name("two probes of one service")
            .run()
            .await
            .expect("it is well formed")
    })
    .await;
    println!("{}\n", report.text());
    let names: Vec<&str> = report.trace.streams.iter().map(|stream| stream.name.as_str()).collect();
    assert_eq!(names, ["stub", "stub (2)"]);
    let planned = report.plan.as_ref().expect("it has a plan");
    assert!(planned.streams.iter().map(|stream| stream.name.as_str()).eq(names), "{planned:?}");
    assert_eq!(report.verdict(), Verdict::Fail);
    assert!(report.judgement.broken().iter().all(|broken| broken.stream == "stub (2)"));
    assert!(report.headline().contains("error rate of stub (2) "), "{}", report.headline());
}

/// The try of nextest with that number, in a process of its own; returns its record.
fn attempt(results: &std::path::Path, url: &str, name: &str, n: u32) -> Report {
    let status = Command::new(env!("CARGO_BIN_EXE_experiment"))
        .args(["--url", url, "--hold", "5s", "--watch", "10s", "--name", name])
        .env("CHAOS_TEST_DIR", results)
        .env("CHAOS_TEST_RUN_ID", "tries")
        .env("NEXTEST_BINARY_ID", "suite::tries")
        .env("NEXTEST_ATTEMPT", n.to_string())
        .status()
        .expect("it starts");
    assert!(status.success());
    let retry = if n > 1 { format!("__attempt-{n}") } else { String::new() };
    let record = results.join("tries").join(format!("suite__tries__tried-again{retry}.json"));
    Report::from_json(&std::fs::read(&record).expect("its record")).expect("a record")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_try_goes_on_where_the_first_one_stopped() {
    let errors = |report: &Report| {
        let found = report.judgement.evaluations.iter().find(|e| e.indicator == Indicator::ErrorRate);
        found.and_then(|evaluation| evaluation.counts).expect("it is judged")
    };
    // Twenty a second for five seconds are a hundred samples; 162 are needed.
    let (_, [first, second]) = unless_void_with(async || {
        let stub = Stub::start(0).await.expect("a free port");
        let results = tempfile::tempdir().expect("a folder");
        let (folder, url) = (results.path().to_owned(), stub.url());
        let tries = move || [1, 2].map(|n| attempt(&folder, &url, "tried again", n));
        let both = tokio::task::spawn_blocking(tries).await.expect("they end");
        (both.iter().find(|one| is_void(one)).unwrap_or(&both[1]).clone(), both)
    })
    .await;
    assert_eq!(first.verdict(), Verdict::Inconclusive, "{}", first.text());
    assert_eq!(second.trace.carried.as_ref().map(|carried| carried.tries), Some(1));
    assert!(errors(&second).1 >= errors(&first).1 + 80, "{:?} after {:?}", errors(&second), errors(&first));
    assert_eq!(second.verdict(), Verdict::Pass, "{}", second.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_test_whose_file_has_the_same_name_is_no_earlier_try() {
    let (first, second) = unless_void_with(async || {
        let stub = Stub::start(0).await.expect("a free port");
        let results = tempfile::tempdir().expect("a folder");
        let (folder, url) = (results.path().to_owned(), stub.url());
        let tries =
            move || (attempt(&folder, &url, "tried again", 1), attempt(&folder, &url, "tried/again", 2));
        tokio::task::spawn_blocking(tries).await.expect("they end")
    })
    .await;
    // Else there would be nothing to go on from, whatever the second one is called.
    assert_eq!(first.verdict(), Verdict::Inconclusive, "{}", first.text());
    let why = first.judgement.weightiest();
    assert!(matches!(why, Some(Reason::NeedsMoreSamples { .. })), "{}", first.text());
    assert_eq!((first.trace.carried, second.trace.carried), (None, None));
}
