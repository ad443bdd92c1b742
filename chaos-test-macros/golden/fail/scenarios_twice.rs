#[chaos_test(scenarios = ["Light CPU Stress", "unheard of", "Light CPU Stress"])]
async fn f() {}
