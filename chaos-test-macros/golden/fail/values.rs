#[chaos_test(
    scenario = 5, slo = staging, repeat = "20", duration = 10, baseline = "5 s", inconclusive = "fails",
    flavor = "multi", environment = shop(), objectives = 5, crate = "x"
)]
async fn f() {}
