#[chaos_test(scenarios = ["Medum CPU Stres", "smoke", "Light CPU Stress", "Medium Disk", 7, "Light CPU Stress"])]
async fn f(chaos: Chaos) {}
