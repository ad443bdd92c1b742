#[chaos_test(scenario = "Medium CPU Stress")]
async fn checkout_survives() {
    place_order().await;
}
