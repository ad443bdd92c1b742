#[chaos_test(scenario = "Medium CPU Stress", environment = shop, dry_run)]
async fn f() {}
