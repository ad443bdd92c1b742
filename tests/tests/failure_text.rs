//! What a failing test prints, and what CI systems read of it: the example that fails on purpose, run by nextest.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "test code may start programs and read files"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace is above").to_path_buf()
}

/// The value of an attribute of the first `<failure …>` in a test case.
fn failure<'x>(junit: &'x str, test: &str) -> (&'x str, &'x str) {
    let case = junit
        .split("<testcase ")
        .find(|case| case.contains(&format!("name=\"{test}\"")))
        .expect("the test ran");
    let failure = case.split_once("<failure ").expect("and failed").1;
    let message = failure.split_once("message=\"").expect("with a message").1.split_once('"').unwrap().0;
    let text = failure.split_once('>').unwrap().1.split_once("</failure>").unwrap().0;
    (message, text)
}

/// Runs the example and reads its JUnit.
fn run_the_example() -> String {
    // nextest keeps its files below the workspace, wherever cargo builds.
    let junit = root().join("target/nextest/failing/junit.xml");
    let _ = std::fs::remove_file(&junit);
    let run = Command::new(env!("CARGO"))
        // Of the whole workspace, so that all but the example itself is built already.
        .args(["nextest", "run", "--profile", "failing", "--workspace"])
        .args(["--features", "chaos-test-examples/failing", "--test", "failing"])
        .current_dir(root())
        // This test's own run is none of its business.
        .env_remove("NEXTEST_RUN_ID")
        .env_remove("NEXTEST_PROFILE")
        .env_remove("CHAOS_TEST_RUN_ID")
        .output()
        .expect("cargo is here: it started this test");
    println!("{}", String::from_utf8_lossy(&run.stderr));
    assert_eq!(run.status.code(), Some(100), "nextest says that tests failed");
    std::fs::read_to_string(&junit).expect("the profile writes JUnit")
}

/// What the example says of its services; on a host that is too busy to say anything of them, again.
fn junit_of_the_example() -> String {
    for _ in 0..3 {
        let junit = run_the_example();
        let busy = |label: &&str| junit.contains(&format!("message=\"Error: {label}"));
        if !suite::VOID[..2].iter().any(busy) {
            return junit;
        }
        println!("this host was too busy to measure: once more");
    }
    panic!("this host is too busy for any run");
}

#[test]
fn the_first_line_says_it_all_and_junit_has_it() {
    let junit = junit_of_the_example();
    let (message, text) = failure(&junit, "a_chatty_checkout_survives::medium_network_delay");
    println!("JUnit message: {message}");
    let sentence = "Error: SLO &quot;staging&quot; breached under &quot;Medium Network Delay&quot;: p95 latency degradation ";
    assert!(message.starts_with(sentence) && message.ends_with(" &gt; 500 ms"), "{message}");
    let target = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".into());
    let records = format!("record     {target}/chaos-test/");
    for part in [
        "objective",
        "p95 degradation",
        "FAIL",
        "over the limit",
        "network_delay 200 ms on stock by proxy (stream): asked 200.0 ms, measured 2",
        "baseline 4.0 s │ inject",
        "hint",
        "4 × 200 ms",
        "app:",
        "shop listens on",
        &records,
        "a_chatty_checkout_survives__medium_network_delay.json",
        "cargo nextest run -E &apos;binary_id(=chaos-test-examples::failing) &amp; test(=a_chatty_checkout_survives::medium_network_delay)&apos;",
    ] {
        let found = text.contains(part) || text.contains(&part.replace("&apos;", "'"));
        assert!(found, "`{part}` is missing in:\n{text}");
    }

    // The body panicked as well, and the sentence still comes first.
    let (message, text) = failure(&junit, "a_body_that_panics_too::medium_network_delay");
    println!("JUnit message: {message}");
    assert!(message.starts_with(sentence), "{message}");
    assert!(message.contains("the test body failed too: panicked at examples/tests/failing.rs"), "{message}");
    assert!(text.contains("this order was not expected to be accepted"), "{text}");

    // A panic on another thread does not take the first line either.
    let (message, _) = failure(&junit, "a_task_that_panics_elsewhere::medium_network_delay");
    println!("JUnit message: {message}");
    assert!(
        message.starts_with("Error: the test body failed under &quot;Medium Network Delay&quot; while SLO &quot;staging&quot; held: task "),
        "{message}"
    );
}
