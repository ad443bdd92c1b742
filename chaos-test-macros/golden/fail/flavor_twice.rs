#[chaos_test(scenario = "Light CPU Stress", flavor = "multi_thread")]
#[tokio::test]
async fn f() {}
