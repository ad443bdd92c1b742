#[chaos_test(group = "smoke", target = "http://127.0.0.1:8000")]
async fn running_already(chaos: chaos_test::Chaos) {}
