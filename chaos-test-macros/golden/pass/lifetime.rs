#[chaos_test(scenario = "Heavy Disk Stress", environment = shop)]
async fn named<'a>(shop: &'a Shop, chaos: &'a Chaos) where 'a: 'a {}
