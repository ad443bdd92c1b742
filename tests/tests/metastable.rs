//! Services that do not recover by themselves, and their healthy twins, run through the real harness: the former are named
//! metastable, the latter never are. `CHAOS_TEST_METASTABLE_ROUNDS=20` repeats it.
#![allow(clippy::disallowed_methods, reason = "test code may read the environment")]

use std::path::Path;

use chaos_test::prelude::*;
use chaos_test::report::Report;
use chaos_test::slo::{Finding, NonRecovery, Reason};
use suite::{at_once, unless_void};

/// A service, what it depends on, and what happens to that.
#[derive(Clone, Copy)]
struct Fixture {
    service: &'static str,
    dependency: &'static str,
    scenario: &'static str,
}

impl Fixture {
    async fn run(self, healthy: bool, round: u32) -> Report {
        let environment = move || async move {
            let part = |what: &str| Process::cargo_bin("metastable").args([what, "--port", "{port}"]);
            let app = part(self.service).args(["--healthy", if healthy { "true" } else { "false" }]);
            Environment::builder()
                .process("dependency", part(self.dependency))
                .process("app", app)
                .env("app", "UPSTREAM", |env| env.address("dependency").to_string())
                .probe("app", Probe::http("/").every(20.ms()))
                .start()
                .await
        };
        let catalogue = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/metastable.yml");
        let twin = if healthy { "healthy" } else { "sick" };
        Experiment::scenario_of(catalogue, self.scenario)
            .expect("it is in there")
            .name(format!("metastable {} {twin} {round}", self.service))
            .environment(environment)
            .abort_conditions(AbortConditions::default())
            .baseline(1.seconds())
            .watch(5.seconds())
            .progress(false)
            .run()
            .await
            .expect("well formed")
    }
}

fn named(report: &Report) -> Option<NonRecovery> {
    report.judgement.findings.iter().find_map(|finding| match finding {
        Finding::Metastable { stream, kind } if stream == "app" => Some(*kind),
        _ => None,
    })
}

/// The sick one and its twin, side by side, as often as is asked for; on a host that is too busy to measure, once more.
async fn told_apart(fixture: Fixture, kinds: &[NonRecovery]) {
    let rounds =
        std::env::var("CHAOS_TEST_METASTABLE_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let mut counts = (0, 0, 0);
    for round in 1..=rounds {
        let runs =
            [false, true].map(|healthy| async move { (healthy, measured(fixture, healthy, round).await) });
        for (healthy, report) in at_once(runs).await {
            println!("{}: {}", report.test, report.headline());
            let kind = named(&report);
            if healthy {
                assert_eq!(kind, None, "{}", report.text());
                counts.1 += 1;
                counts.2 += u32::from(report.judgement.lasting().is_empty());
            } else {
                assert!(kind.is_some_and(|kind| kinds.contains(&kind)), "{kind:?}: {}", report.text());
                assert_eq!(report.judgement.label(), "Fail(metastable)");
                assert!(report.judgement.reasons.iter().any(|why| matches!(why, Reason::Metastable { .. })));
                assert!(report.headline().contains("metastable: app still "), "{}", report.headline());
                counts.0 += 1;
            }
        }
    }
    let (sick, healthy, fine) = counts;
    println!(
        "{}: {sick} of {rounds} named, 0 of {healthy} healthy ones; {fine} of those came back for good",
        fixture.service
    );
}

async fn measured(fixture: Fixture, healthy: bool, round: u32) -> Report {
    unless_void(async || fixture.run(healthy, round).await).await
}

#[tokio::test]
async fn a_storm_of_retries_is_named_and_retries_with_a_budget_are_not() {
    let fixture = Fixture { service: "storm", dependency: "worker", scenario: "The dependency hangs" };
    told_apart(fixture, &[NonRecovery::Down, NonRecovery::Failing]).await;
}

#[tokio::test]
async fn a_poisoned_pool_is_named_and_one_that_drops_broken_connections_is_not() {
    let fixture = Fixture { service: "pool", dependency: "echo", scenario: "The dependency crashes" };
    told_apart(fixture, &[NonRecovery::Down]).await;
}

#[tokio::test]
async fn a_stampede_on_a_cold_cache_is_named_and_one_flight_for_all_is_not() {
    let fixture = Fixture { service: "stampede", dependency: "store", scenario: "The dependency crashes" };
    told_apart(fixture, &[NonRecovery::Down, NonRecovery::Failing]).await;
}
