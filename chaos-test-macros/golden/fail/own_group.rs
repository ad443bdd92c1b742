#[chaos_test(group = "twins", slo = "dev")]
async fn f() {}
