#[chaos_test(
    scenaro = "x", scenario = "Light CPU Stress", scenario = "Light CPU Stress", group = "smoke", colour = "red",
    target = "http://x", environment = shop, repeat, slo = , "Heavy CPU Stress", duration "5s", = 5, crate
)]
async fn f() {}
