#[chaos_test]
async fn f() {}
