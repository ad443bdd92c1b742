//! A witness that is slow, or stops answering.

use chaos_test::model::Fault;
use chaos_test::prelude::*;
use suite::{Stub, carried_out, unless_void};

use super::{Flag, Misbehaves};

#[tokio::test]
async fn what_has_happened_is_proven_by_a_slow_witness_as_well() {
    let report = carried_out(async || {
        let stub = Stub::start(0).await.expect("a free port");
        let crash = Fault::ServiceRecovery { container: None, recovery_time_expected: None };
        let flag = Flag::that(Misbehaves::ReadsSlowly);
        let experiment = Experiment::fault(crash, 4.seconds()).expect("the built-in catalogue");
        let experiment = experiment.against(stub.url()).injector(flag).baseline(1.seconds());
        experiment.run().await.expect("it can be carried out")
    })
    .await;
    let readings = &report.trace.delivery.as_ref().expect("it was injected").readings;
    assert!(readings.len() >= 3, "{}", report.text());
    assert_ne!(report.judgement.label(), "Inconclusive(fault not delivered)", "{}", report.text());
}

#[tokio::test]
async fn a_witness_that_stops_answering_proves_nothing_more() {
    let report = unless_void(async || {
        let stub = Stub::start(0).await.expect("a free port");
        let experiment = Experiment::scenario("Light Network Delay").unwrap().against(stub.url());
        let experiment = experiment.injector(Flag::that(Misbehaves::StopsReading)).sequential(false);
        experiment.baseline(1.seconds()).duration(9.seconds()).run().await.expect("well formed")
    })
    .await;
    assert_eq!(report.judgement.label(), "Inconclusive(fault not delivered)", "{}", report.text());
    assert!(report.trace.marks.injected.is_some(), "it answered at first: {}", report.text());
}

#[tokio::test]
async fn a_crash_lasts_no_longer_for_a_witness_that_is_slow_in_its_end() {
    let report = carried_out(async || {
        let stub = Stub::start(0).await.expect("a free port");
        let crash =
            Fault::ContainerCrash { container: None, downtime: 2.seconds(), recovery_time_expected: None };
        let experiment = Experiment::fault(crash, 5.seconds()).expect("the built-in catalogue");
        let experiment = experiment.injector(Flag::that(Misbehaves::ReadsSlowlyInTheEnd)).confirmed(true);
        experiment.against(stub.url()).baseline(1.seconds()).run().await.expect("it can be carried out")
    })
    .await;
    println!("{}", report.text());
    let delivery = report.trace.delivery.as_ref().expect("it was injected");
    assert_eq!((delivery.readings.len(), delivery.failed_readings), (5, 0), "{delivery:?}");
    let marks = &report.trace.marks;
    let held = marks.revert_started.expect("it went") - marks.injected.expect("it was in");
    assert!(
        held < 2.seconds() + 500.ms(),
        "the sixth reading takes until 3.3 s, and it was held for {held:?}"
    );
}
