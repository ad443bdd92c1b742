#[chaos_test(scenario = "Light CPU Stress")]
#[should_panic]
async fn f() {}
