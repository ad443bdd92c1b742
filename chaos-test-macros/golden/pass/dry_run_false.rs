#[chaos_test(scenario = "Medium CPU Stress", environment = shop, dry_run = false)]
async fn f() {}
