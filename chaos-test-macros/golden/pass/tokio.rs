#[chaos_test(scenarios = ["Medium CPU Stress", "Light CPU Stress"], environment = shop)]
#[tokio::test(flavor = "multi_thread")]
async fn on_tokio(chaos: Chaos) -> Result<(), MyError> {
    Ok(())
}
