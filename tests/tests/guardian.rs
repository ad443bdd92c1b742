//! The guardian: abort conditions against a real service, and what becomes of a test process that is told to end.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "test code may start programs and read files"
)]

#[path = "guardian/doomed.rs"]
mod doomed;

use std::io::Write;
use std::time::Duration;

use chaos_test::model::{Abort, AbortCause, BodyEnd, Event, EventKind, Sample};
use chaos_test::prelude::*;
use chaos_test::report::Report;
use chaos_test::units::Percent;
use suite::{Answer, Scripted, Stub};

/// The interval of the health check in this catalogue, by which the conditions count.
const H: Duration = Duration::from_millis(300);
const CATALOGUE: &str = r#"
scenarios:
  - {name: Scripted Delay, type: network_delay, intensity: light, duration: 8, description: a script, parameters: {delay_ms: 1}}
  - {name: Scripted Crash, type: container_crash, intensity: light, duration: 5, description: a script, parameters: {downtime: 3}}
monitoring: {health_check: {interval: "300ms"}}
safety: {abort_conditions: {error_rate_percent: 50, consecutive_failures: 5, response_time_ms: 300}}
"#;

fn experiment(scenario: &str, stub: &Stub, script: Vec<(Duration, Answer)>) -> Experiment {
    let mut file = tempfile::Builder::new().suffix(".yml").tempfile().expect("there is room");
    file.write_all(CATALOGUE.as_bytes()).expect("there is room");
    let url = stub.url();
    Experiment::scenario_of(file.path(), scenario)
        .expect("it is in the catalogue")
        .environment(move || {
            Environment::builder().url("app", url).probe("app", Probe::http("/").every(50.ms())).start()
        })
        .injector(Scripted::new(stub.clone(), script))
        // A crash of something already running wants to be confirmed; here nothing crashes.
        .confirmed(true)
        .baseline(2.seconds())
}

async fn stub() -> Stub {
    Stub::start(0).await.expect("a free port")
}

async fn report(experiment: Experiment) -> Report {
    let report = experiment.run().await.expect("it is well formed");
    println!("{}\n", report.text());
    report
}

/// The run was stopped within a second of the evidence, the fault is gone, and nothing was watched after that.
fn assert_stopped(report: &Report, evidence: Duration) -> &AbortCause {
    let Some(Abort { at, cause }) = &report.trace.abort else { panic!("{}", report.text()) };
    println!("evidence at {evidence:?}, stopped at {at:?}");
    assert!(*at >= evidence, "stopped at {at:?}, before {evidence:?}");
    assert!(*at - evidence < Duration::from_secs(1), "stopped at {at:?}, after {evidence:?}");
    assert_eq!(report.verdict(), Verdict::Aborted);
    assert!(!report.passed() && report.headline().contains(&cause.to_string()), "{}", report.headline());
    let marks = &report.trace.marks;
    let removed = marks.removed.expect("it was seen gone");
    assert!(removed >= *at && marks.chaos_ended >= Some(*at));
    let watched =
        |event: &&Event| event.kind == EventKind::Phase && event.text == Phase::Recovery.to_string();
    assert_eq!(report.trace.events.iter().find(watched), None, "it was watched");
    cause
}

fn samples(report: &Report) -> &[Sample] {
    &report.trace.streams[0].samples
}

fn settled(sample: &Sample) -> Duration {
    sample.at + sample.latency
}

#[tokio::test]
async fn what_a_body_came_to_before_the_run_was_stopped_is_kept() {
    let stub = stub().await;
    let conditions =
        AbortConditions { error_rate: Some(Percent::new(50.0).unwrap()), ..AbortConditions::default() };
    let script = vec![(500.ms(), Answer::Down), (60.seconds(), Answer::Well)];
    let experiment = experiment("Scripted Delay", &stub, script).abort_conditions(conditions);
    let report = report(experiment.body(|_| async { Err::<(), _>("no tea to be had") })).await;
    assert_eq!(report.verdict(), Verdict::Aborted);
    assert!(matches!(&report.trace.body, Some(BodyEnd::Failed(why)) if why.contains("no tea to be had")));
    assert!(report.text().contains("no tea to be had"), "{}", report.text());
}

#[tokio::test]
async fn an_error_rate_over_the_limit_stops_the_run() {
    let stub = stub().await;
    let limit = Percent::new(50.0).unwrap();
    let conditions = AbortConditions { error_rate: Some(limit), ..AbortConditions::default() };
    let script = vec![(1500.ms(), Answer::Down), (60.seconds(), Answer::Well)];
    let report = report(experiment("Scripted Delay", &stub, script).abort_conditions(conditions)).await;
    // By the record: the first answer with which more than half of five intervals' were bad.
    let chaos: Vec<&Sample> =
        samples(&report).iter().filter(|s| Some(s.at) >= report.trace.marks.injected).collect();
    let share_at = |now: Duration| {
        let last: Vec<_> = chaos.iter().filter(|s| s.at + 5 * H >= now && settled(s) <= now).collect();
        last.iter().filter(|s| !s.is_good()).count() as f64 / last.len() as f64
    };
    let evidence = chaos.iter().map(|s| settled(s)).find(|now| share_at(*now) > 0.5).expect("it was bad");
    let cause = assert_stopped(&report, evidence);
    assert!(matches!(cause, AbortCause::ErrorRate { of, .. } if *of >= 20), "{cause:?}");
    assert!(report.judgement.evaluations.iter().any(|e| e.verdict == Verdict::Fail), "shown, and void");
    assert!(report.judgement.broken().is_empty());
}

#[tokio::test]
async fn failures_in_a_row_stop_the_run_and_a_blip_does_not() {
    let conditions = || AbortConditions { consecutive_failures: Some(5), ..AbortConditions::default() };
    let long = async {
        let script = vec![(500.ms(), Answer::Down), (60.seconds(), Answer::Well)];
        let stub = stub().await;
        let report = report(
            experiment("Scripted Delay", &stub, script).abort_conditions(conditions()).name("a long row"),
        )
        .await;
        let bad: Vec<&Sample> = samples(&report).iter().filter(|s| !s.is_good()).collect();
        // Five checks, four intervals.
        let fifth = bad.iter().find(|s| s.at >= bad[0].at + 4 * H).expect("it was down for longer");
        let cause = assert_stopped(&report, settled(fifth));
        assert!(matches!(cause, AbortCause::ConsecutiveFailures { limit: 5, .. }), "{cause:?}");
    };
    let short = async {
        // More than five probes in a row, and yet only for a moment.
        let script = vec![(500.ms(), Answer::Down), (1000.ms(), Answer::Well)];
        let stub = stub().await;
        let experiment = experiment("Scripted Delay", &stub, script).abort_conditions(conditions());
        let report = report(experiment.duration(3.seconds()).name("a blip")).await;
        assert_eq!(report.trace.abort, None);
        assert!(samples(&report).iter().filter(|s| !s.is_good()).count() > 5);
    };
    tokio::join!(long, short);
}

#[tokio::test]
async fn an_answer_that_does_not_come_stops_the_run_before_it_times_out() {
    let stub = stub().await;
    let conditions = AbortConditions { response_time: Some(300.ms()), ..AbortConditions::default() };
    let script = vec![(500.ms(), Answer::Hang), (60.seconds(), Answer::Well)];
    let report = report(experiment("Scripted Delay", &stub, script).abort_conditions(conditions)).await;
    // Those that waited were answered when the fault went.
    let first = samples(&report).iter().find(|s| s.latency > 300.ms()).expect("one waited");
    let cause = assert_stopped(&report, first.at + 300.ms());
    assert!(matches!(cause, AbortCause::ResponseTime { pending: true, .. }), "{cause:?}");
}

#[tokio::test]
async fn an_outage_made_on_purpose_is_no_reason_to_stop_until_it_is_over() {
    let down = || vec![(Duration::ZERO, Answer::Down), (60.seconds(), Answer::Well)];
    let bears = async {
        let stub = stub().await;
        let report = report(experiment("Scripted Crash", &stub, down()).name("an outage")).await;
        assert_eq!(report.trace.abort, None, "the catalogue's conditions are not for this");
        assert!(report.judgement.streams[0].outages.iter().any(|outage| outage.end.is_some()));
    };
    let own = async {
        let stub = stub().await;
        let conditions = AbortConditions { consecutive_failures: Some(5), ..AbortConditions::default() };
        let experiment = experiment("Scripted Crash", &stub, down()).abort_conditions(conditions);
        let report = report(experiment.name("conditions of its own")).await;
        let bad: Vec<&Sample> = samples(&report).iter().filter(|s| !s.is_good()).collect();
        let fifth = bad.iter().find(|s| s.at >= bad[0].at + 4 * H).expect("it was down for longer");
        assert_stopped(&report, settled(fifth));
    };
    let relapse = async {
        let stub = stub().await;
        let again = stub.clone();
        let experiment = experiment("Scripted Crash", &stub, down()).body(move |chaos| {
            let again = again.clone();
            async move {
                chaos.until(Phase::Recovery).await;
                again.tell(Answer::Down);
                std::future::pending::<()>().await;
            }
        });
        let report = report(experiment.name("a relapse")).await;
        let removed = report.trace.marks.removed.expect("it was seen gone");
        let at = report.trace.abort.as_ref().expect("it was stopped").at;
        assert!(at > removed && report.verdict() == Verdict::Aborted, "{}", report.text());
        assert_eq!(report.trace.body, None, "it was stopped with the run, which says nothing of it");
    };
    tokio::join!(bears, own, relapse);
}
