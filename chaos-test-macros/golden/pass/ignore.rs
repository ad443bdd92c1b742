#[chaos_test(scenario = "Medium CPU Stress")]
#[ignore = "slow"]
#[cfg_attr(windows, ignore)]
#[serial_test::serial]
#[allow(clippy::unwrap_used)]
async fn later(_: Chaos) {}
