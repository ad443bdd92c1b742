#[chaos_test(scenario = "Light CPU Stress")]
async fn f();
