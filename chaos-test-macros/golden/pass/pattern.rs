#[chaos_test(scenario = "Heavy Disk Stress", environment = shop)]
async fn destructures(Shop { app, .. }: &Shop) {}
