#[chaos_test(scenario = "Database Brief Outage", environment = database_brief_outage)]
async fn hidden() {}
