#[chaos_test(scenario = "Not Looked Up", catalogue = "none.yml", repeat = "5")]
async fn f() {}
