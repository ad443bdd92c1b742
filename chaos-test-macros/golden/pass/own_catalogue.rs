#[chaos_test(group = "odd", slo = "qa")]
async fn from_the_repository(chaos: Chaos) {}
