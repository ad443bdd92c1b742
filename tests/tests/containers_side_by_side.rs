//! Shops in containers side by side: what is done to one, no other feels; and experiments at a time do not see each other's
//! faults. Without a container engine it says so and does nothing, unless `CHAOS_TEST_REQUIRE` names `docker`.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests start processes")]

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use chaos_test::model::{Catalogue, Marks, OutageMode, Stream};
use chaos_test::prelude::*;
use chaos_test::report::Report;
use chaos_test::slo::{Proof, median, proof, show_dose};
use chaos_test::testcontainers::core::IntoContainerPort;
use chaos_test::testcontainers::{GenericImage, ImageExt};
use suite::docker::{STUB, has_docker, stub_image};
use suite::figures::Times;

/// How long each answer takes: so long that a tenth of it is more than what a busy host adds.
const ANSWER: &str = "100ms";
/// How far the 95th percentile of a shop may move that nothing is done to.
const MOVES: f64 = 1.10;
/// How often a scenario may be carried out. What a fault does, it does every time; what else this host is busy with, it
/// does not.
const TRIES: usize = 3;

/// Whether there is an engine; then there is the image as well.
fn ready() -> bool {
    let there = has_docker();
    if there {
        stub_image(Path::new(env!("CARGO_BIN_EXE_stub")));
    }
    there
}

/// A service with limits of its own, so that what is taken from one is taken from no other: half a processor, of the first
/// one if it is to be faulted, else of the last.
fn service(is_faulted: bool) -> Container {
    let image = GenericImage::new(STUB.0, STUB.1).with_exposed_port(8000.tcp());
    let last = std::thread::available_parallelism().map_or(0, |count| count.get() - 1);
    let processor = if is_faulted { 0 } else { last };
    let limited = image.with_cmd(["--slow", ANSWER]).with_host_config_modifier(move |config| {
        config.nano_cpus = Some(500_000_000);
        config.cpuset_cpus = Some(processor.to_string());
        config.memory = Some(1536 << 20);
    });
    Container::of(limited).ready(Probe::http("/").every(50.ms())).restart(Restart::OnFailure)
}

/// The shop that is faulted, and another service in its network.
async fn shop() -> Result<Environment, Error> {
    let probe = || Probe::http("/").every(40.ms());
    let shop = Environment::builder().container("app", service(true)).container("beside", service(false));
    shop.probe("app", probe()).probe("beside", probe()).start().await
}

/// A scenario on one shop, while customers are in the other; their visits are the body.
async fn beside(name: &str, url: &Arc<str>) -> Report {
    let (client, url) = (reqwest::Client::new(), Arc::clone(url));
    Experiment::scenario(name)
        .expect("it is built in")
        .environment(shop)
        .target("app")
        .abort_conditions(AbortConditions::default())
        .baseline(4.seconds())
        .duration(5.seconds())
        .watch(2.seconds())
        .progress(false)
        .repeat(25.per_second(), move || {
            let asked = client.get(&*url).send();
            async move { asked.await?.error_for_status().map(drop) }
        })
        .run()
        .await
        .expect("well formed")
}

/// The 95th percentiles of a stream in the baseline and under the fault, in ms; without samples none.
fn p95(stream: &Stream, marks: &Marks) -> [f64; 2] {
    [Phase::Baseline, Phase::Chaos].map(|phase| {
        let of = stream.samples.iter().filter(|sample| marks.phase_of(sample.at) == Some(phase));
        Times::of(of.map(|sample| sample.latency).collect()).quantile_ms(0.95)
    })
}

fn stream<'a>(report: &'a Report, name: &str) -> &'a Stream {
    report.trace.streams.iter().find(|stream| stream.name == name).expect("it is measured")
}

/// Whether a shop that nothing was done to went on as before.
fn is_unmoved(report: &Report, name: &str) -> bool {
    let (stream, marks) = (stream(report, name), &report.trace.marks);
    let [before, during] = p95(stream, marks);
    let exposed = stream.samples.iter().filter(|sample| marks.phase_of(sample.at) == Some(Phase::Chaos));
    during < before * MOVES
        && exposed.clone().count() > 50
        && exposed.into_iter().all(|sample| sample.is_good())
}

/// Whether the fault was there, by its witness.
fn is_proven(report: &Report) -> bool {
    let proof = proof(report.trace.delivery.as_ref(), &report.trace.marks);
    report.trace.trouble.is_none() && matches!(proof, Proof::Delivered { .. })
}

fn row(report: &Report) -> String {
    let marks = &report.trace.marks;
    let mut row = format!("{:<30}", report.scenario.name);
    match &report.trace.delivery {
        Some(delivery) => {
            let measured = show_dose(delivery.unit, median(&delivery.readings));
            row += &format!(" {:<16} {measured:>12}", delivery.mechanism);
        }
        None => row += &format!(" {}", report.headline()),
    }
    for stream in &report.trace.streams {
        let [before, during] = p95(stream, marks);
        row += &format!("  {before:>6.1} {during:>7.1} {:>+7.1} %", (during / before - 1.0) * 100.0);
    }
    row
}

#[tokio::test]
async fn what_is_done_to_one_shop_no_other_feels() {
    if !ready() {
        return;
    }
    let other = Environment::builder().container("app", service(false)).start().await.expect("it starts");
    let url: Arc<str> = other.service("app").expect("it was added").url().into();
    println!(
        "95th percentile before and under the fault, in ms: the faulted service, one beside it, another shop"
    );
    let mut felt = Vec::new();
    for scenario in Catalogue::builtin().scenarios() {
        // All containers write to the same disk: that is felt, if not by one that writes nothing. It has to be there all
        // the same.
        let shared = scenario.fault.disk_space_taken().is_some();
        let mut reports = Vec::new();
        let well = loop {
            let report = beside(&scenario.name, &url).await;
            println!("{}{}", row(&report), if shared { "  (the disk is everybody's)" } else { "" });
            let unmoved = || is_unmoved(&report, "beside") && is_unmoved(&report, "body");
            let well = is_proven(&report) && (shared || unmoved());
            reports.push(report.text());
            if well || reports.len() >= TRIES {
                break well;
            }
        };
        if !well {
            felt.extend(reports);
        }
    }
    assert!(felt.is_empty(), "{}", felt.join("\n\n"));
}

/// A fault of that name: `delay 50`, `loss 15`, `hang`.
fn fault(text: &str) -> Fault {
    let (what, dose) = text.split_once(' ').unwrap_or((text, "0"));
    let dose: f64 = dose.parse().expect("a number");
    match what {
        "delay" => Fault::NetworkDelay {
            delay: Duration::from_secs_f64(dose / 1e3),
            jitter: Duration::ZERO,
            bandwidth: None,
            interface: None,
        },
        "loss" => Fault::NetworkLoss {
            loss: Percent::new(dose).expect("a percentage"),
            connections: None,
            interface: None,
        },
        _ => Fault::DatabaseDown {
            database: None,
            mode: if what == "hang" { OutageMode::Hang } else { OutageMode::Crash },
            recovery_time_expected: None,
        },
    }
}

/// One of several experiments at a time.
#[tokio::test]
#[ignore = "it is started by other tests"]
async fn one_of_several() {
    let text = std::env::var("FAULT").expect("another test starts it");
    let file = std::env::var("REPORT").expect("and says where its report goes");
    let report = Experiment::fault(fault(&text), 6.seconds())
        .expect("the built-in catalogue")
        .name(text.clone())
        .environment(shop)
        .target("app")
        .abort_conditions(AbortConditions::default())
        .baseline(4.seconds())
        .watch(2.seconds())
        .progress(false)
        .run()
        .await
        .expect("it can be carried out");
    std::fs::write(file, serde_json::to_vec(&report).expect("it is a record")).expect("it can be written");
}

/// Carries these out at a time, each in a process of its own, as a runner of tests does.
fn at_a_time(faults: &[&str]) -> Vec<Report> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |fault: &str| folder.path().join(fault.replace(' ', "-"));
    let start = |fault: &&str| -> Child {
        Command::new(std::env::current_exe().expect("this test"))
            .args(["one_of_several", "--exact", "--ignored", "--nocapture"])
            .env("FAULT", fault)
            .env("REPORT", file(fault))
            .env("CHAOS_TEST_DIR", folder.path().join("results"))
            .env_remove("NEXTEST")
            .stdout(Stdio::null())
            .spawn()
            .expect("it starts")
    };
    let children: Vec<Child> = faults.iter().map(start).collect();
    for mut child in children {
        assert!(child.wait().expect("it is our child").success(), "it says why above");
    }
    let read = |fault: &&str| std::fs::read(file(fault)).expect("it was written");
    faults.iter().map(|fault| Report::from_json(&read(fault)).expect("it is a record")).collect()
}

/// From when to when its fault was in, in seconds since 1970, more or less.
fn held(report: &Report) -> Option<(f64, f64)> {
    let marks = &report.trace.marks;
    // The marks count from the baseline, which begins once the environment is up; when that was, its end tells.
    let at = |mark: Option<Duration>| {
        Some(report.started_at + report.took.checked_sub(marks.ended?.checked_sub(mark?)?)?.as_secs_f64())
    };
    Some((at(marks.injected)?, at(marks.revert_started)?))
}

/// The share that was measured under that fault, of all readings together.
fn measured(report: &Report) -> f64 {
    let readings = &report.trace.delivery.as_ref().expect("it was injected").readings;
    readings.iter().map(|reading| reading.measured).sum::<f64>() / readings.len() as f64
}

fn are_their_own(faults: &[&str], reports: &[Report]) -> Result<(), String> {
    let held: Vec<_> = reports.iter().map(held).collect();
    let Some(held) = held.into_iter().collect::<Option<Vec<_>>>() else {
        return Err("one of them was not injected".into());
    };
    let latest = held.iter().map(|held| held.0).fold(0.0, f64::max);
    let together = held.iter().map(|held| held.1).fold(f64::MAX, f64::min) - latest;
    println!("{} at a time, {together:.1} s of it all together", faults.join(", "));
    if together < 3.0 {
        return Err("they were not at a time".into());
    }
    for (fault, report) in faults.iter().zip(reports) {
        let delivery = report.trace.delivery.as_ref().expect("it was injected");
        let asked = delivery.readings.first().map_or(0.0, |reading| reading.asked);
        let dose = median(&delivery.readings);
        println!("  {fault}: {}", row(report));
        let own = match fault.split(' ').next() {
            Some("delay") => (asked..asked * 1.05 + 0.002).contains(&dose),
            // Each reading counts a thousand packets at least.
            Some("loss") => {
                let packets = 1000.0 * delivery.readings.len() as f64;
                (measured(report) - asked).abs() < 0.01 + 3.0 * (asked * (1.0 - asked) / packets).sqrt()
            }
            _ => dose > 0.5,
        };
        if !own || !is_unmoved(report, "beside") {
            return Err(format!("{fault}: {dose}\n{}", report.text()));
        }
    }
    Ok(())
}

#[test]
fn three_experiments_at_a_time_measure_each_its_own_dose() {
    if !ready() {
        return;
    }
    for faults in [["delay 50", "delay 200", "loss 15"], ["hang", "crash", "delay 100"]] {
        let mut why = Vec::new();
        while why.len() < TRIES {
            match are_their_own(&faults, &at_a_time(&faults)) {
                Ok(()) => break,
                Err(text) => why.push(text),
            }
        }
        assert!(why.len() < TRIES, "{}", why.join("\n\n"));
    }
}
