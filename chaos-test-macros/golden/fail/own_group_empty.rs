#[chaos_test(group = "empty")]
async fn f() {}
