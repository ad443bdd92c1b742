//! The tea shop as its team tests it: three containers, a chaos test for each group of the catalogue, and three mistakes
//! that were made on purpose.
//!
//! The images are made by `tests/images/build`. Without a container engine these tests say so and are skipped, unless
//! `CHAOS_TEST_REQUIRE` names `docker`.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "customers look at their watches")]

#[path = "tea/bugs.rs"]
mod bugs;
#[path = "tea/customers.rs"]
mod customers;
#[path = "databases/postgres_answers.rs"]
mod postgres_answers;
#[path = "databases/redis_answers.rs"]
mod redis_answers;

use std::time::{Duration, Instant};

use bugs::Place;
use chaos_test::prelude::*;
use chaos_test::testcontainers::GenericImage;
use chaos_test::testcontainers::core::IntoContainerPort;
use chaos_test::{EnvironmentBuilder, RequestBuilder};
use customers::{ORDERS, PATIENCE, TEA};
use postgres_answers::postgres_answers;
use redis_answers::redis_answers;

fn image(name: &str, port: u16) -> Container {
    let image = GenericImage::new(format!("chaos-test/{name}"), "local".into());
    Container::of(image.with_exposed_port(port.tcp()))
}

/// The shop, with its database and its cache.
fn three_containers(bug: &str) -> EnvironmentBuilder {
    let shop = image("shop", 8000)
        .env("BUG", bug)
        .restart(Restart::OnFailure)
        // Not before its tables are there.
        .ready(Probe::http(TEA));
    Environment::builder()
        .container("postgres", image("postgres", 5432).ready(postgres_answers("postgres")))
        .container("redis", image("redis", 6379).ready(redis_answers()))
        .container("shop", shop)
        .env("shop", "DATABASE_URL", |env| {
            env.url_for("postgres", "postgres://postgres@{host}:{port}/postgres")
        })
        .env("shop", "CACHE_URL", |env| env.url_for("redis", "redis://{host}:{port}"))
        .skip_without_engine()
}

async fn shop() -> Result<Environment, Error> {
    three_containers("none").start().await
}

/// A customer who is not answered asks again, for as long as the patience lasts.
async fn asked(request: impl Fn() -> RequestBuilder) -> anyhow::Result<String> {
    let began = Instant::now();
    loop {
        let answer = async {
            let answer = request().timeout(PATIENCE).send().await?.error_for_status()?;
            answer.text().await
        };
        match answer.await {
            Err(_) if began.elapsed() < PATIENCE => tokio::time::sleep(100.ms()).await,
            answer => return Ok(answer?),
        }
    }
}

async fn asks_for_a_price(chaos: &Chaos) -> anyhow::Result<()> {
    let shop = chaos.client("shop");
    let price = asked(|| shop.get(TEA)).await?;
    anyhow::ensure!(price.contains("690"), "what sencha costs: {price}");
    Ok(())
}

async fn orders_a_tea(chaos: &Chaos) -> anyhow::Result<()> {
    let shop = chaos.client("shop");
    // However often it is asked for, it is one order.
    let key = fastrand::u64(..).to_string();
    let order = || shop.post(ORDERS).header("idempotency-key", &key).body("1 x sencha");
    anyhow::ensure!(asked(order).await? == "accepted");
    Ok(())
}

#[chaos_test(
    group = "smoke",
    catalogue = "tests/tea/chaos_scenarios.yml",
    slo = "staging",
    environment = shop,
    repeat = "30/s"
)]
async fn on_a_good_day_tea_can_be_ordered(chaos: Chaos) -> anyhow::Result<()> {
    orders_a_tea(&chaos).await
}

#[chaos_test(
    group = "standard",
    catalogue = "tests/tea/chaos_scenarios.yml",
    slo = "staging",
    environment = shop,
    repeat = "30/s"
)]
async fn on_a_bad_day_tea_can_be_ordered(chaos: Chaos) -> anyhow::Result<()> {
    orders_a_tea(&chaos).await
}

/// What is at its limits may be slow. It loses no order.
#[chaos_test(
    group = "stress",
    catalogue = "tests/tea/chaos_scenarios.yml",
    slo = "staging",
    objectives(max_latency_degradation_ms = 2000),
    environment = shop,
    repeat = "20/s"
)]
async fn at_its_limits_the_shop_takes_orders_slowly(chaos: Chaos) -> anyhow::Result<()> {
    orders_a_tea(&chaos).await
}

#[chaos_test(
    group = "infrastructure",
    catalogue = "tests/tea/chaos_scenarios.yml",
    slo = "staging",
    environment = shop,
    repeat = "30/s"
)]
async fn whatever_dies_prices_are_told(chaos: Chaos) -> anyhow::Result<()> {
    asks_for_a_price(&chaos).await
}

#[chaos_test(
    group = "production_readiness",
    catalogue = "tests/tea/chaos_scenarios.yml",
    slo = "staging",
    environment = shop,
    repeat = "30/s"
)]
async fn the_shop_is_ready_for_customers(chaos: Chaos) -> anyhow::Result<()> {
    asks_for_a_price(&chaos).await
}

/// Here, in containers.
#[derive(Clone)]
struct Containers;

impl Place for Containers {
    type Shop = Environment;
    // A witness in containers takes a second for a look.
    const LASTS: Duration = Duration::from_secs(8);

    async fn open(self, bug: &'static str, probe: &'static str) -> Result<Environment, Error> {
        three_containers(bug).probe("shop", bugs::probe(probe, 50.ms())).start().await
    }
}

#[tokio::test]
async fn without_timeouts_customers_wait_in_vain() {
    bugs::without_timeouts(Containers).await;
}

#[tokio::test]
async fn a_pool_that_never_recovers_takes_no_order_again() {
    bugs::with_a_pool_that_never_recovers(Containers).await;
}

#[tokio::test]
async fn a_retry_storm_makes_an_outage_of_a_delay() {
    bugs::in_a_retry_storm(Containers).await;
}
