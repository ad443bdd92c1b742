#[chaos_test(scenarios = [], objectives())]
async fn f() {}
