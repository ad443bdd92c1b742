#[chaos_test(scenario = "Medium CPU Stress", environment = shop, sequential = false, inconclusive = "extend")]
async fn survives(chaos: Chaos) {}
