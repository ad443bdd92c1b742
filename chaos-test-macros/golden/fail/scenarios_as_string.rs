#[chaos_test(scenarios = "Light CPU Stress")]
async fn f() {}
