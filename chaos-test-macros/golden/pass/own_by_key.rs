#[chaos_test(scenarios = ["Slow Payments", "Light CPU Stress"], catalogue = "chaos_scenarios.yml")]
async fn r#try() {}
