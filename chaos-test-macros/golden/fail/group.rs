#[chaos_test(group = "smok_test", slo = "qa")]
async fn f() {}
