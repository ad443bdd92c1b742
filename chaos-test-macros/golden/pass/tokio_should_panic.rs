#[chaos_test(scenario = "Medium CPU Stress")]
#[tokio::test]
#[should_panic(expected = "breached")]
async fn breaches_on_tokio() {}
