//! The attribute above other test attributes.

use chaos_test::prelude::*;
use rstest::rstest;

/// Asked so seldom that a busy host can keep up: what is tested here cannot be made again.
async fn stub() -> Result<Environment, Error> {
    let app = Process::cargo_bin("stub").args(["--port", "{port}"]).ready(Probe::http("/").every(50.ms()));
    Environment::builder().process("app", app).start().await
}

#[chaos_test(scenario = "Light Network Delay", slo = "dev", environment = stub, duration = "2s", baseline = "2s", inconclusive = "pass")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn above_tokio(chaos: Chaos) {
    assert_eq!(
        tokio::runtime::Handle::current().runtime_flavor(),
        tokio::runtime::RuntimeFlavor::MultiThread
    );
    assert_eq!(chaos.phase().await, Phase::Chaos);
}

#[chaos_test(scenario = "Light Network Delay", slo = "dev", environment = stub, duration = "2s", baseline = "2s", inconclusive = "pass")]
#[rstest]
#[case::one("a", 1)]
#[case::two("b", 2)]
#[tokio::test]
async fn with_cases(chaos: Chaos, #[case] word: &str, #[case] number: u32) -> anyhow::Result<()> {
    anyhow::ensure!(matches!((word, number), ("a", 1) | ("b", 2)));
    chaos.client("app").get("/").send().await?.error_for_status()?;
    Ok(())
}

#[derive(Clone)]
struct Order {
    items: u32,
}

/// What a reference leads to may be cloned as well: it is the reference that is handed on.
#[chaos_test(scenario = "Light Network Delay", slo = "dev", environment = stub, duration = "2s", baseline = "2s", inconclusive = "pass")]
#[rstest]
#[case::of_one(&Order { items: 1 })]
#[tokio::test]
async fn cases_by_reference(#[case] order: &Order) {
    assert_eq!(order.items, 1);
}

/// Nested modules are part of the test's name, and the record knows it.
mod nested {
    use super::stub;
    use chaos_test::prelude::*;

    #[chaos_test(scenario = "Light Network Delay", slo = "dev", environment = stub, duration = "1s", baseline = "2s")]
    #[should_panic(expected = "nested::deeper::light_network_delay")]
    async fn deeper() -> Result<(), &'static str> {
        Err("so that the name stands somewhere")
    }
}

/// Each case has a record of its own, under the name that runs it again.
#[chaos_test(scenario = "Light Network Delay", slo = "dev", environment = stub, duration = "1s", baseline = "2s")]
#[rstest]
#[case::one(1)]
#[case::two(2)]
#[tokio::test]
#[should_panic(expected = "record_of_a_case::light_network_delay::case_")]
async fn record_of_a_case(#[case] number: u32) -> Result<(), u32> {
    Err(number)
}
