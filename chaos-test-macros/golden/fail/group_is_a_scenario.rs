#[chaos_test(group = "Light CPU Stress")]
async fn f() {}
