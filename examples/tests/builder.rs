//! Something already running, without a macro, inside any test runner.

use chaos_test::prelude::*;

#[tokio::test]
async fn buying_tea_survives_a_slow_network() -> Result<(), Box<dyn std::error::Error>> {
    // Stands for a service that somebody else has started.
    let running = Environment::builder()
        .process(
            "shop",
            Process::cargo_bin("shop").args(["--port", "{port}"]).ready(Probe::http("/api/health")),
        )
        .start()
        .await?;
    let url = format!("http://{}", running.service("shop").expect("it was just started").direct_address());

    let report = Experiment::scenario("Medium Network Delay")?
        .against(url)
        .slo("staging")
        .duration(12.seconds())
        .repeat_with(20.per_second(), |chaos| async move {
            let answer = chaos.client("target").post("/orders").body("1 x tea").send().await?;
            answer.error_for_status().map(drop)
        })
        .run()
        .await?;

    report.expect_pass();
    Ok(())
}
