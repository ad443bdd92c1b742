#[chaos_test(scenario = "Light CPU Stress", slo = "staging")]
/// It says so.
#[ignore]
pub fn checkout(chaos: Chaos) -> Result<()> {
    body()
}
