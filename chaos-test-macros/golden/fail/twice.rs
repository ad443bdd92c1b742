#[chaos_test(scenario = "Light CPU Stress")]
#[chaos_test::chaos_test(scenario = "Heavy CPU Stress")]
async fn f() {}
