#[chaos_test(scenario = ["Light CPU Stress"], repeat = "0/s", duration = "0s", target = "shop")]
async fn f() {}
