#[chaos_test(scenario = "Light CPU Stress")]
#[test]
async fn f() {}
