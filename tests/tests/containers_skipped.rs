//! Where there is no container engine: a test whose environment says so is skipped, and fails where it is relied on.
//!
//! Needs no engine: it looks for one where nobody listens.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests start processes")]

use std::process::{Command, Output};

use chaos_test::prelude::*;
use chaos_test::testcontainers::GenericImage;
use chaos_test::testcontainers::core::IntoContainerPort;

async fn shop() -> Result<Environment, Error> {
    let image = GenericImage::new("chaos-test/nobody-has-this", "x").with_exposed_port(8000.tcp());
    Environment::builder().container("shop", image).skip_without_engine().start().await
}

#[chaos_test(scenario = "Light Network Delay", environment = shop)]
#[ignore = "it is started by other tests"]
async fn victim(chaos: Chaos) -> Result<(), reqwest::Error> {
    chaos.client("shop").get("/").send().await.map(drop)
}

/// That test in a process of its own, without an engine.
fn without_an_engine(required: &str) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    Command::new(std::env::current_exe().expect("this test"))
        .args(["victim::light_network_delay", "--exact", "--ignored", "--nocapture"])
        .env("CHAOS_TEST_DIR", folder.path())
        .env("CHAOS_TEST_REQUIRE", required)
        // Discard; if somebody listens there, it is no engine.
        .env("DOCKER_HOST", "tcp://127.0.0.1:9")
        .env_remove("NEXTEST")
        .output()
        .expect("it ends")
}

#[test]
fn a_test_that_may_be_skipped_says_so_and_passes() {
    let ended = without_an_engine("postgres, redis");
    let told = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{told}");
    assert!(
        told.contains("SKIPPED: no container engine: there is no container engine to be reached"),
        "{told}"
    );
    assert!(told.contains("Skipped(no container engine) under \"Light Network Delay\""), "no pass: {told}");
}

#[test]
fn a_test_that_is_required_fails_instead() {
    let ended = without_an_engine("redis, docker");
    let told = String::from_utf8_lossy(&ended.stderr);
    assert!(!ended.status.success(), "{told}");
    assert!(told.contains("Error(setup)") && told.contains("there is no container engine"), "{told}");
    assert!(!told.contains("SKIPPED"), "{told}");
}
