//! Fails on purpose, to show what a failure looks like:
//! `cargo nextest run -p chaos-test-examples --features failing --test failing`.
//!
//! The shop asks its stock four times per order, one question after the other. On a quiet day nobody notices.

use chaos_test::prelude::*;

async fn chatty_shop() -> Result<Environment, Error> {
    let health = || Probe::http("/api/health").every(50.ms());
    Environment::builder()
        .process("stock", Process::cargo_bin("shop").args(["--port", "{port}"]).ready(health()))
        .process("app", Process::cargo_bin("shop").args(["--port", "{port}", "--chatty"]).ready(health()))
        .env("app", "STOCK_URL", |env| env.url_for("stock", "http://{host}:{port}"))
        .start()
        .await
}

#[chaos_test(scenario = "Medium Network Delay", slo = "staging", environment = chatty_shop, repeat = "20/s", duration = "15s")]
async fn a_chatty_checkout_survives(chaos: Chaos) -> anyhow::Result<()> {
    chaos.client("app").post("/orders").body("1 x tea").send().await?.error_for_status()?;
    Ok(())
}

#[chaos_test(
    scenario = "Medium Network Delay",
    slo = "staging",
    environment = chatty_shop,
    duration = "10s",
    objectives(max_latency_degradation_ms = 100)
)]
async fn a_body_that_panics_too(chaos: Chaos) {
    chaos.until(Phase::Recovery).await;
    let answer = chaos.client("app").post("/orders").body("1 x tea").send().await;
    assert!(answer.is_err(), "this order was not expected to be accepted");
}

#[chaos_test(scenario = "Medium Network Delay", slo = "staging", environment = chatty_shop, duration = "10s")]
async fn a_task_that_panics_elsewhere() -> anyhow::Result<()> {
    let task = tokio::spawn(async { panic!("a task of the test's own") });
    task.await?;
    Ok(())
}
