#[chaos_test(scenario = "Medium CPU Stress")]
#[test_log::test]
async fn logs() {}
