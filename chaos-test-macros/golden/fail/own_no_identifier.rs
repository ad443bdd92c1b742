#[chaos_test(scenarios = ["x²", "500 errors", "500 Errors!"])]
async fn f() {}
