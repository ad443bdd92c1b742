#[chaos_test(scenario = "Service Recovery")]
async fn service_recovery() {}
