//! A real database goes away for three seconds, in every way it can, under a service with a pool of connections.
//!
//! What the service's clients see, how long the pool takes to be itself again, and that no order is lost that was
//! acknowledged. Where Postgres is not installed (Debian: `apt-get install postgresql`) these tests say so and do nothing,
//! unless `CHAOS_TEST_REQUIRE` names `postgres`.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a database has to be looked for and set up before it can be started"
)]

#[path = "databases/postgres.rs"]
mod databases;
#[path = "databases/postgres_answers.rs"]
mod postgres_answers;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use anyhow::{Context, ensure};
use chaos_test::model::{BodyEnd, OutageMode};
use chaos_test::prelude::*;
use chaos_test::report::Report;
use chaos_test::slo::{Indicator, RecoveryTime};
use databases::{postgres, postgres_or_skip};

/// A shop with a database, and where that keeps its data.
struct Shop {
    environment: Environment,
    _data: tempfile::TempDir,
}

impl AsEnvironment for Shop {
    fn environment(&self) -> &Environment {
        &self.environment
    }
}

async fn shop(bin: PathBuf) -> anyhow::Result<Shop> {
    let (data, postgres) = postgres(&bin)?;
    let orders = Process::cargo_bin("orders").args(["--port", "{port}"]).ready(Probe::http("/api/health"));
    let environment = Environment::builder()
        .process("postgres", postgres)
        .process("orders", orders)
        .env("orders", "DATABASE_URL", |env| {
            env.url_for("postgres", "postgres://shop@{host}:{port}/postgres")
        })
        // Goes through the pool to the database and back.
        .probe("orders", Probe::http("/orders/count").every(100.ms()).timeout(4.seconds()))
        .start()
        .await?;
    Ok(Shop { environment, _data: data })
}

/// What the service told its clients while the database was away.
type Seen = Arc<Mutex<BTreeSet<String>>>;

/// Orders tea until all is over; whatever was acknowledged must be there then.
async fn no_acknowledged_order_is_lost(chaos: Chaos, seen: Seen) -> anyhow::Result<()> {
    let app = chaos.client("orders");
    let mut acknowledged = 0_u64;
    while chaos.phase().await != Phase::Recovered {
        match app.post("/orders").body("1 x tea").timeout(5.seconds()).send().await {
            Ok(answer) if answer.status().is_success() => acknowledged += 1,
            Ok(answer) => {
                let why = answer.text().await?;
                seen.lock().unwrap().insert(why);
            }
            Err(error) => {
                seen.lock().unwrap().insert(format!("no answer at all: {error}"));
            }
        }
        tokio::time::sleep(20.ms()).await;
    }
    let answer = app.get("/orders/count").timeout(5.seconds()).send().await?.error_for_status()?;
    let kept: u64 = answer.text().await?.parse().context("a number of orders")?;
    chaos.note(format!("{acknowledged} orders acknowledged, {kept} kept"));
    ensure!(acknowledged > 0, "no order was ever acknowledged");
    ensure!(kept >= acknowledged, "{acknowledged} orders were acknowledged and only {kept} kept");
    Ok(())
}

async fn outage(bin: PathBuf, mode: OutageMode) -> (Report, BTreeSet<String>) {
    let fault = Fault::DatabaseDown { database: Some("postgres".into()), mode, recovery_time_expected: None };
    let seen = Seen::default();
    let body_sees = Arc::clone(&seen);
    let percent = |value| Percent::new(value).expect("a percentage");
    let report = Experiment::fault(fault, 3.seconds())
        .expect("the built-in catalogue")
        .name(format!("postgres {mode:?}"))
        .environment(move || shop(bin))
        .body(move |chaos| no_acknowledged_order_is_lost(chaos, Arc::clone(&body_sees)))
        .baseline(2.seconds())
        // While the database is away nothing works. What matters is what comes after it.
        .objective(Objective::ErrorRate(percent(100.0)))
        .objective(Objective::Availability(percent(0.0)))
        .objective(Objective::LatencyDegradation(10.seconds()))
        .objective(Objective::RecoveryTime(15.seconds()))
        .run()
        .await
        .expect("well formed");
    println!("{}\n", report.text());
    let told = seen.lock().unwrap().clone();
    let recovered = report.judgement.streams.iter().find(|stream| stream.name == "orders");
    println!("{mode:?}: the pool is well again {:?}; its clients saw:", recovered.map(|it| it.recovery_time));
    told.iter().for_each(|text| println!("  {text}"));
    (report, told)
}

/// The outage was real, no order was lost, and the pool came back by itself in time. (While all of the database is away
/// nothing answers, so there is no latency to judge, and the verdict is not a pass.)
fn assert_recovered(report: &Report) {
    let judgement = &report.judgement;
    assert!(judgement.broken().is_empty() && !judgement.is_void(), "{}", report.text());
    assert_eq!(report.trace.body, Some(BodyEnd::Ok), "{}", report.text());
    let of = |indicator| judgement.evaluations.iter().find(|found| found.indicator == indicator);
    for indicator in [Indicator::RecoveryTime, Indicator::WorstTimeToRecover] {
        let verdict = of(indicator).map(|evaluation| evaluation.verdict);
        assert_eq!(verdict, Some(Verdict::Pass), "{}", report.text());
    }
    let orders = &report.judgement.streams[0];
    assert!(matches!(orders.recovery_time, Some(RecoveryTime::After(_))), "{}", report.text());
    assert_eq!(orders.outages.len(), 1, "{}", report.text());
    let down = orders.outages[0].end.expect("it ended") - orders.outages[0].start;
    // Of the three seconds: who asks within a client's patience of their end waits, and is answered after all.
    assert!(down >= 1300.ms(), "down for {down:?} only");
}

fn ran_out_of_patience(text: &str) -> bool {
    text.contains("Timeout occurred") || text.contains("deadline has elapsed")
}

#[tokio::test]
async fn a_database_that_refuses() {
    let Some(bin) = postgres_or_skip() else { return };
    let (report, seen) = outage(bin, OutageMode::Refuse).await;
    assert_recovered(&report);
    assert!(seen.iter().any(|text| text.contains("Connection refused")), "{seen:?}");
    assert!(!seen.iter().any(|text| text.contains("no answer at all")), "{seen:?}");
}

#[tokio::test]
async fn a_database_that_hangs() {
    let Some(bin) = postgres_or_skip() else { return };
    let (report, seen) = outage(bin, OutageMode::Hang).await;
    assert_recovered(&report);
    assert_eq!(report.trace.delivery.as_ref().expect("it was delivered").mechanism, "sigstop");
    // Nobody tells the client anything, so its own patience is all it has.
    assert!(!seen.is_empty() && seen.iter().all(|text| ran_out_of_patience(text)), "{seen:?}");
}

#[tokio::test]
async fn a_database_that_crashes() {
    let Some(bin) = postgres_or_skip() else { return };
    let (report, seen) = outage(bin, OutageMode::Crash).await;
    assert_recovered(&report);
    assert_eq!(report.trace.delivery.as_ref().expect("it was delivered").mechanism, "sigkill");
    // The door stays open before a server that is gone, so a new connection opens and ends at once.
    let broken =
        |text: &String| text.contains("closed") || text.contains("reset") || text.contains("refused");
    assert!(seen.iter().any(broken), "{seen:?}");
}

#[tokio::test]
async fn a_database_behind_a_broken_network() {
    let Some(bin) = postgres_or_skip() else { return };
    let (report, seen) = outage(bin, OutageMode::Partition).await;
    assert_recovered(&report);
    assert!(!seen.is_empty() && seen.iter().all(|text| ran_out_of_patience(text)), "{seen:?}");
}
