//! The attribute: signatures, return types, runtimes, what it passes on. Each test here is also what it tests.

use std::sync::Arc;

use chaos_test::prelude::*;

/// Asked so seldom that a busy host can keep up: what is tested here cannot be made again.
async fn stub() -> Result<Environment, Error> {
    let app = Process::cargo_bin("stub").args(["--port", "{port}"]).ready(Probe::http("/").every(50.ms()));
    Environment::builder().process("app", app).start().await
}

struct Lab {
    environment: Environment,
    word: &'static str,
}

impl AsEnvironment for Lab {
    fn environment(&self) -> &Environment {
        &self.environment
    }
}

async fn lab() -> anyhow::Result<Lab> {
    Ok(Lab { environment: stub().await?, word: "tea" })
}

#[chaos_test(scenario = "Light Network Delay", slo = "dev", environment = stub, duration = "10s", baseline = "2s")]
async fn without_arguments() {}

// What these look at is not what their service does, and is seen in two seconds.

#[chaos_test(scenario = "Light Network Delay", slo = "dev", environment = stub, duration = "2s", baseline = "2s", inconclusive = "pass")]
async fn by_reference(chaos: &Chaos) -> Result<(), Box<dyn std::error::Error>> {
    assert_eq!(chaos.phase().await, Phase::Chaos);
    assert_eq!(chaos.client("app").get("/").send().await?.text().await?, "ok");
    assert_eq!(chaos.request_log().len(), 1);
    chaos.until(Phase::Recovered).await;
    Ok(())
}

#[chaos_test(scenario = "Light Network Delay", slo = "dev", environment = lab, duration = "2s", baseline = "2s", inconclusive = "pass")]
async fn with_an_environment_of_ones_own(chaos: Chaos, lab: &Lab) -> eyre::Result<()> {
    eyre::ensure!(chaos.url("app") == lab.environment.service("app").unwrap().url());
    assert_eq!(lab.word, "tea");
    Ok(())
}

#[chaos_test(scenario = "Light Network Delay", slo = "dev", environment = lab, repeat = "20/s", duration = "2s", baseline = "2s", inconclusive = "pass")]
async fn shared_and_repeated(lab: Arc<Lab>, chaos: &Chaos) -> anyhow::Result<()> {
    chaos.client("app").get(lab.word).send().await?.error_for_status()?;
    Ok(())
}

#[chaos_test(
    scenarios = ["Light Network Delay", "Medium Network Delay"],
    slo = "dev",
    environment = stub,
    duration = "2s",
    baseline = "2s",
    inconclusive = "pass",
    flavor = "multi_thread"
)]
async fn on_several_threads(chaos: Chaos) {
    let answers = (0..4).map(|_| {
        let chaos = chaos.clone();
        tokio::spawn(async move { chaos.client("app").get("/").send().await.map(drop) })
    });
    for answer in answers.collect::<Vec<_>>() {
        answer.await.expect("it does not panic").expect("it answers");
    }
}

#[chaos_test(scenario = "Light Network Delay", slo = "dev", environment = stub, duration = "10s", baseline = "2s")]
#[should_panic(
    expected = "the test body failed under \"Light Network Delay\" while SLO \"development\" held: panicked at"
)]
async fn a_panic_is_a_failure() {
    panic!("as it should");
}

#[chaos_test(
    scenario = "Medium Network Delay",
    slo = "staging",
    environment = stub,
    duration = "10s",
    baseline = "2s",
    objectives(max_latency_degradation_ms = 50)
)]
#[should_panic(expected = "SLO \"staging\" breached under \"Medium Network Delay\": p95 latency degradation")]
async fn an_objective_of_its_own_replaces_the_profiles() {}

/// Too short to tell anything, and allowed to pass all the same.
#[chaos_test(scenario = "Light Network Delay", slo = "staging", environment = stub, duration = "1s", baseline = "2s", inconclusive = "pass")]
async fn inconclusive_may_pass() {}

#[chaos_test(scenario = "Light Network Delay", slo = "staging", environment = stub, duration = "1s", baseline = "2s")]
#[should_panic(expected = "Inconclusive(needs about")]
async fn inconclusive_fails_by_itself() {}

/// A repo's own catalogue extends the built-in one by name.
#[chaos_test(
    group = "links",
    catalogue = "tests/own_catalogue.yml",
    slo = "laboratory",
    environment = stub,
    duration = "2s",
    baseline = "2s",
    inconclusive = "pass"
)]
async fn by_a_catalogue_of_ones_own(chaos: &Chaos) {
    assert_eq!(chaos.phase().await, Phase::Chaos);
}
