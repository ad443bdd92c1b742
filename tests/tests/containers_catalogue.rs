//! Every scenario of the built-in catalogue on a service in a container: which mechanism, asked and measured, verdict, and
//! how long it took to inject and to revert. Delays and losses are held to what was asked for.
//! Without a container engine it says so and does nothing, unless `CHAOS_TEST_REQUIRE` names `docker`.

use std::path::Path;
use std::time::Duration;

use chaos_test::model::{Catalogue, DoseUnit};
use chaos_test::prelude::*;
use chaos_test::report::Report;
use chaos_test::slo::{Proof, median, proof, show_dose};
use chaos_test::testcontainers::GenericImage;
use chaos_test::testcontainers::core::IntoContainerPort;
use suite::docker::{STUB, has_docker, stub_image};

async fn stub() -> Result<Environment, Error> {
    let image = GenericImage::new(STUB.0, STUB.1).with_exposed_port(8000.tcp());
    // Seldom, so that a busy host can keep up.
    let stub = Container::of(image).ready(Probe::http("/").every(50.ms())).restart(Restart::OnFailure);
    Environment::builder().container("app", stub).start().await
}

/// How often a scenario may be carried out while this host is too busy for its witness.
const TRIES: usize = 3;

async fn carried_out(name: &str) -> Report {
    let mut tries = 0;
    loop {
        tries += 1;
        let report = suite::carried_out(async || {
            let experiment =
                Experiment::scenario(name).expect("it is built in").environment(stub).target("app");
            let experiment = experiment.baseline(2.seconds()).duration(9.seconds()).watch(6.seconds());
            experiment.progress(false).run().await.expect("well formed")
        })
        .await;
        assert!(report.trace.delivery.is_some(), "{}", report.text());
        if unproven(&report).is_none() || !suite::is_void(&report) || tries == TRIES {
            return report;
        }
        println!("unproven, and void: {}", report.headline());
    }
}

/// Why its fault is not proven, if so. A verdict does not tell: one that was aborted or starved names that alone.
fn unproven(report: &Report) -> Option<String> {
    match proof(report.trace.delivery.as_ref(), &report.trace.marks) {
        Proof::Delivered { .. } => None,
        missing => Some(format!("{missing:?}")),
    }
}

/// How long from one mark to another.
fn took(from: Option<Duration>, to: Option<Duration>) -> String {
    let took = to.zip(from).and_then(|(to, from)| to.checked_sub(from));
    took.map_or_else(|| "-".into(), |took| format!("{:.0} ms", took.as_secs_f64() * 1e3))
}

/// A row of a table in Markdown.
fn row(report: &Report) -> String {
    let delivery = report.trace.delivery.as_ref().expect("it was injected");
    let asked = delivery.readings.first().map_or(0.0, |reading| reading.asked);
    let marks = &report.trace.marks;
    let cells = [
        report.scenario.name.clone(),
        format!("`{}`", delivery.mechanism),
        show_dose(delivery.unit, asked),
        show_dose(delivery.unit, median(&delivery.readings)),
        took(marks.inject_started, marks.injected),
        took(marks.revert_started, marks.removed),
        report.judgement.label(),
    ];
    format!("| {} |", cells.join(" | "))
}

/// Why the dose of a fault on the network is not what was asked for, if so.
fn is_off(report: &Report) -> Option<String> {
    let delivery = report.trace.delivery.as_ref().expect("it was injected");
    let asked = delivery.readings.first()?.asked;
    let of = delivery.readings.iter().map(|reading| reading.measured);
    let mean = of.sum::<f64>() / delivery.readings.len() as f64;
    let measured = median(&delivery.readings);
    let off = match delivery.unit {
        DoseUnit::Seconds => !(asked..asked * 1.05 + 0.002).contains(&measured),
        DoseUnit::Share => {
            // A reading counts a thousand packets at least; what chance does to so many comes on top.
            let packets = 1000.0 * delivery.readings.len() as f64;
            (mean - asked).abs() > 0.01 + 3.0 * (asked * (1.0 - asked) / packets).sqrt()
        }
        _ => false,
    };
    off.then(|| format!("{}: asked {asked}, measured {measured}, on average {mean}", report.scenario.name))
}

#[tokio::test]
async fn every_scenario_is_made_and_proven_in_a_container() {
    if !has_docker() {
        return;
    }
    stub_image(Path::new(env!("CARGO_BIN_EXE_stub")));
    let (mut missing, mut off) = (Vec::new(), Vec::new());
    println!(
        "| scenario | mechanism | asked | measured | inject | revert | verdict |\n|---|---|---|---|---|---|---|"
    );
    for scenario in Catalogue::builtin().scenarios() {
        let report = carried_out(&scenario.name).await;
        println!("{}", row(&report));
        let unproven = unproven(&report);
        if unproven.is_some() || report.trace.trouble.is_some() {
            missing.push(format!("{}\n{}", unproven.unwrap_or_default(), report.text()));
        }
        off.extend(is_off(&report));
    }
    assert!(missing.is_empty(), "{}", missing.join("\n\n"));
    assert!(off.is_empty(), "{}", off.join("\n"));
}
