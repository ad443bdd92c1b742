#[chaos_test(scenario = "Medum CPU Stres", slo = "stagin", environment = shop)]
async fn f(chaos: Chaos) {}
