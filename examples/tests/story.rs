//! The body as a story: it runs once, under the fault, and checks what only it can know.

#![allow(clippy::disallowed_methods, reason = "a story may look at the files its service wrote")]

use chaos_test::prelude::*;

/// An environment of one's own: the services, and where they keep their data.
struct Shop {
    environment: Environment,
    orders: std::path::PathBuf,
}

impl AsEnvironment for Shop {
    fn environment(&self) -> &Environment {
        &self.environment
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.orders);
    }
}

async fn shop() -> anyhow::Result<Shop> {
    let orders = std::env::temp_dir().join(format!("chaos-test-example-orders-{}", std::process::id()));
    let app = Process::cargo_bin("shop")
        .args(["--port", "{port}", "--data"])
        .arg(&orders)
        .ready(Probe::http("/api/health"));
    Ok(Shop { environment: Environment::builder().process("app", app).start().await?, orders })
}

#[chaos_test(
    scenario = "Application Container Restart",
    environment = shop,
    duration = "20s",
    objectives(max_error_rate_percent = 20, min_availability_percent = 70)
)]
async fn no_acknowledged_order_is_lost(chaos: Chaos, shop: &Shop) -> anyhow::Result<()> {
    let app = chaos.client("app");
    let mut acknowledged = 0;
    while chaos.phase().await != Phase::Recovered {
        let answer = app.post("/orders").body("1 x tea").timeout(1.seconds()).send().await;
        if answer.is_ok_and(|answer| answer.status().is_success()) {
            acknowledged += 1;
        }
        tokio::time::sleep(20.ms()).await;
    }
    let kept = std::fs::read_to_string(&shop.orders)?.lines().count();
    chaos.note(format!("{acknowledged} orders acknowledged, {kept} kept"));
    anyhow::ensure!(kept >= acknowledged, "{acknowledged} orders were acknowledged and only {kept} kept");
    Ok(())
}
