/// Tea for everyone.
#[chaos_test(group = "standard_test", slo = "staging", environment = shop, repeat = "20/s")]
async fn a_customer_can_check_out(chaos: Chaos) -> anyhow::Result<()> {
    Ok(())
}
