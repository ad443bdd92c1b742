#[chaos_test(scenario = "Medium CPU Stress")]
#[tokio::test]
#[should_panic]
async fn breaches_on_tokio() {}
