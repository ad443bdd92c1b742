#[chaos_test(scenario = "Medium CPU Stress", slo = "default")]
#[should_panic(expected = "breached")]
async fn breaches() {}
