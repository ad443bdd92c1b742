#[chaos_test(
    scenarios = ["Database Brief Outage", "Service Recovery"],
    slo = "prod",
    environment = self::services::shop,
    repeat = "0.5/s",
    duration = "10s",
    baseline = "500ms",
    inconclusive = "fail",
    flavor = "multi_thread",
    objectives(max_error_rate_percent = 1.5, mttr_seconds = 10, min_availability_percent = 99.0,),
    crate = crate::testing,
)]
pub(crate) async fn no_order_is_lost(chaos: &Chaos, shop: &Shop) -> Result<(), Box<dyn Error>> {
    Ok(())
}
