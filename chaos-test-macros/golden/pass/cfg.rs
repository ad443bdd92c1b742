/// Only there.
#[cfg(unix)]
#[chaos_test(scenario = "Medium CPU Stress")]
#[expect(unused_variables)]
#[tracing::instrument]
async fn only_unix(chaos: Chaos) {}
