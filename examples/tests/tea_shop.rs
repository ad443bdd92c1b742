//! A tea shop whose database or cache goes away for three seconds: as it should be, and with each of its planted bugs.
//!
//! Where Postgres and Redis are not installed (Debian: `apt-get install postgresql redis-server`) these tests say so and do
//! nothing, unless `CHAOS_TEST_REQUIRE` names `postgres` or `redis`.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "databases have to be looked for and set up before they can be started"
)]

#[path = "tea/bugs.rs"]
mod bugs;
#[path = "databases/redis.rs"]
mod caches;
#[path = "tea/customers.rs"]
mod customers;
#[path = "databases/postgres.rs"]
mod databases;
#[path = "databases/postgres_answers.rs"]
mod postgres_answers;
#[path = "databases/redis_answers.rs"]
mod redis_answers;

use std::path::PathBuf;
use std::time::Duration;

use bugs::{Place, assert_well, down, run};
use caches::{redis, redis_or_skip};
use chaos_test::model::OutageMode;
use chaos_test::prelude::*;
use chaos_test::report::Report;
use customers::{ORDERS, Seen, TEA};
use databases::{postgres, postgres_or_skip};

/// The shop with both, and where they keep their data.
struct Shop {
    environment: Environment,
    _data: tempfile::TempDir,
}

impl AsEnvironment for Shop {
    fn environment(&self) -> &Environment {
        &self.environment
    }
}

/// Here, as processes: with the programs of this host.
#[derive(Clone)]
struct Processes {
    postgres: PathBuf,
    redis: PathBuf,
}

impl Processes {
    fn or_skip() -> Option<Self> {
        Some(Self { postgres: postgres_or_skip()?, redis: redis_or_skip()? })
    }
}

impl Place for Processes {
    type Shop = Shop;
    const LASTS: Duration = Duration::from_secs(3);

    async fn open(self, bug: &'static str, probe: &'static str) -> Result<Shop, Error> {
        let (data, postgres) = postgres(&self.postgres).map_err(Error::setup)?;
        let shop = Process::cargo_bin("tea-shop")
            .args(["--port", "{port}", "--bug", bug])
            // Not before its tables are there.
            .ready(Probe::http(TEA));
        let environment = Environment::builder()
            .process("postgres", postgres)
            .process("redis", redis(&self.redis, data.path()))
            .process("shop", shop)
            .env("shop", "DATABASE_URL", |env| {
                env.url_for("postgres", "postgres://shop@{host}:{port}/postgres")
            })
            .env("shop", "CACHE_URL", |env| env.url_for("redis", "redis://{host}:{port}"))
            .probe("shop", bugs::probe(probe, 100.ms()))
            .start()
            .await?;
        Ok(Shop { environment, _data: data })
    }
}

/// The database or the cache is away; nothing, if this host has none.
async fn outage(of: &str, mode: OutageMode) -> Option<(Report, Seen)> {
    Some(run(Processes::or_skip()?, down(of, mode), of, "none", TEA).await)
}

/// No request for a tea failed, and none took long; nobody's order was in doubt for long.
fn assert_teas_can_be_had(report: &Report, seen: &Seen) {
    let teas = seen.visits.iter().filter(|visit| visit.path == TEA);
    let bad: Vec<_> = teas.clone().filter(|visit| visit.status != 200).collect();
    assert!(bad.is_empty(), "{bad:?}");
    assert!(teas.count() > 20);
    let hung: Vec<_> = seen.visits.iter().filter(|visit| visit.status == 0).collect();
    assert!(hung.is_empty(), "{hung:?}");
    assert_well(report);
    let last = seen.visits.iter().rfind(|visit| visit.path == ORDERS).expect("orders were made");
    assert_eq!(last.status, 200, "{last:?}");
}

fn assert_stale_teas_and_honest_refusals(seen: &Seen) {
    let teas = seen.of(TEA, Phase::Chaos);
    assert!(teas.iter().any(|visit| visit.text.starts_with("stale")), "{teas:?}");
    let orders = seen.of(ORDERS, Phase::Chaos);
    assert!(orders.iter().any(|visit| visit.status == 503), "{orders:?}");
    assert!(
        orders.iter().any(|visit| visit.text.contains("left alone")),
        "the breaker never opened: {orders:?}"
    );
    assert!(seen.count("retries") <= 25.0, "{}", seen.stats);
}

#[tokio::test]
async fn without_its_database_the_shop_knows_old_prices() {
    let Some((report, seen)) = outage("postgres", OutageMode::Crash).await else { return };
    assert_teas_can_be_had(&report, &seen);
    assert_stale_teas_and_honest_refusals(&seen);
}

#[tokio::test]
async fn with_a_database_that_hangs_the_shop_knows_old_prices() {
    let Some((report, seen)) = outage("postgres", OutageMode::Hang).await else { return };
    assert_teas_can_be_had(&report, &seen);
    assert_stale_teas_and_honest_refusals(&seen);
}

#[tokio::test]
async fn without_its_cache_the_shop_asks_the_database() {
    let Some((report, seen)) = outage("redis", OutageMode::Crash).await else { return };
    assert_teas_can_be_had(&report, &seen);
    assert_the_database_answers(&seen);
}

#[tokio::test]
async fn with_a_cache_that_hangs_the_shop_asks_the_database() {
    let Some((report, seen)) = outage("redis", OutageMode::Hang).await else { return };
    assert_teas_can_be_had(&report, &seen);
    assert_the_database_answers(&seen);
}

fn assert_the_database_answers(seen: &Seen) {
    let teas = seen.of(TEA, Phase::Chaos);
    assert!(teas.iter().filter(|visit| visit.text.starts_with("database")).count() > 5, "{teas:?}");
    let refused = seen.visits.iter().filter(|visit| visit.path == ORDERS && visit.status != 200).count();
    assert_eq!(refused, 0, "orders need no cache");
}

#[tokio::test]
async fn without_timeouts_customers_wait_in_vain() {
    let Some(here) = Processes::or_skip() else { return };
    bugs::without_timeouts(here).await;
}

#[tokio::test]
async fn a_pool_that_never_recovers_takes_no_order_again() {
    let Some(here) = Processes::or_skip() else { return };
    bugs::with_a_pool_that_never_recovers(here).await;
}

#[tokio::test]
async fn a_retry_storm_makes_an_outage_of_a_delay() {
    let Some(here) = Processes::or_skip() else { return };
    bugs::in_a_retry_storm(here).await;
}
