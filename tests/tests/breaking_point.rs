//! What a real service stands, found by real experiments: a stub behind a slower and slower path.
#![allow(clippy::disallowed_methods, reason = "test code may use clocks")]

use std::time::Duration;

use chaos_test::model::Fault;
use chaos_test::prelude::*;
use chaos_test::slo::BreakingPoint;
use suite::unless_void;

/// The stub with everything sent to it that much later.
async fn delayed(milliseconds: f64) -> Verdict {
    let run = async || {
        let delay = Duration::from_secs_f64(milliseconds / 1000.0);
        let fault = Fault::NetworkDelay { delay, jitter: Duration::ZERO, bandwidth: None, interface: None };
        let stub = || Process::cargo_bin("stub").args(["--port", "{port}"]).ready(Probe::http("/"));
        Experiment::fault(fault, 4.seconds())
            .expect("the built-in catalogue")
            .environment(move || Environment::builder().process("app", stub()).start())
            .objective(Objective::LatencyDegradation(200.ms()))
            .baseline(1.seconds())
            .name(format!("delayed by {milliseconds:.0} ms"))
            .progress(false)
            .run()
            .await
            .expect("well formed")
    };
    let report = unless_void(run).await;
    println!("{}", report.headline());
    report.verdict()
}

/// The limit is 200 ms, so that is where it breaks: between the last delay below and the first one above.
#[tokio::test]
async fn a_service_breaks_where_its_objective_says() {
    let search = BreakingPoint::between(40.0, 800.0).expect("in order").to_within(2.5).at_most(6);
    let found = search.find(async |delay| Ok::<_, Error>(delayed(delay).await)).await.expect("no errors");
    println!("{found}: {:?}", found.points());
    let (holds, breaks) = (found.holds_at().expect("it holds"), found.breaks_at().expect("it breaks"));
    assert!(holds < 200.0 && breaks >= 200.0, "{found}");
    assert!(found.is_monotone(), "{found}");
}
