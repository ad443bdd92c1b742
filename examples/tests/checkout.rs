//! An existing integration test becomes a chaos test: the body is the transaction.
//!
//! No Docker, no root: the services are child processes. The body runs twenty times a second through baseline, chaos
//! and recovery; every run is a sample.

use chaos_test::prelude::*;

async fn shop() -> Result<Environment, Error> {
    let health = || Probe::http("/api/health").every(50.ms());
    Environment::builder()
        .process("app", Process::cargo_bin("shop").args(["--port", "{port}"]).ready(health()))
        .start()
        .await
}

#[chaos_test(
    scenarios = ["Light CPU Stress", "Light Network Delay"],
    slo = "staging",
    environment = shop,
    repeat = "20/s",
    duration = "12s"
)]
async fn a_customer_can_check_out(chaos: Chaos) -> anyhow::Result<()> {
    let app = chaos.client("app");
    let order = app.post("/orders").body("1 x tea").send().await?.error_for_status()?;
    assert_eq!(order.text().await?, "accepted");
    Ok(())
}
