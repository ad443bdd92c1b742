#[chaos_test(scenario = "Medium CPU Stress", environment = shop, dry_run = "yes")]
async fn f() {}
