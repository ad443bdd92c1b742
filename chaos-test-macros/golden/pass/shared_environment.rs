#[chaos_test(scenario = "Heavy Disk Stress", environment = super::shop)]
async fn shares(shop: std::sync::Arc<Shop>, mut chaos: Chaos) {}
