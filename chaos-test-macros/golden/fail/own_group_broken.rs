#[chaos_test(group = "broken")]
async fn f() {}
