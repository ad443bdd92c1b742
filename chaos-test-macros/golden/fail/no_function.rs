#[chaos_test(scenario = "Light CPU Stress")]
struct Shop;
