#[chaos_test(
    scenario = "Light CPU Stress",
    objectives(max_eror_rate_percent = 1, mttr_seconds = "5", min_availability_percent = 101, mttr_seconds = 5,
        max_recovery_time_seconds = -5, nonsense)
)]
async fn f() {}
