//! What the suite `crash` kills, as tests of an ordinary test binary: `cargo test --test crash_victims`. They pass when
//! nobody kills them, except those that end themselves.

use std::time::Duration;

use suite::victim;

/// A body that ends the test in the middle of the chaos phase.
async fn end(how: fn()) {
    tokio::time::sleep(Duration::from_millis(300)).await;
    how();
}

/// A test per family, named like it.
macro_rules! families {
    ($($family:ident)*) => {$(
        #[tokio::test]
        async fn $family() {
            victim::run(stringify!($family)).await.expect("it is carried out");
        }
    )*};
}

families! {
    cpu_exhaust memory_leak network_delay network_loss packet_delay packet_loss packet_partition disk_stress
    sync_delay container_crash database_down_crash database_down_hang service_recovery
}

#[tokio::test]
async fn its_body_panics() {
    let experiment = victim::experiment("cpu_exhaust", victim::CHAOS);
    let report = experiment.body(|_| end(|| panic!("on purpose"))).run().await;
    report.expect("it is carried out").expect_pass();
}

#[tokio::test]
async fn it_panics_beside_its_experiment() {
    let experiment = victim::experiment("cpu_exhaust", Duration::from_secs(60)).run();
    let (report, ()) = tokio::join!(experiment, panic_later());
    report.expect("it is carried out");
}

async fn panic_later() {
    tokio::time::sleep(Duration::from_millis(1500)).await;
    panic!("on purpose");
}

#[tokio::test]
async fn its_body_aborts() {
    let experiment = victim::experiment("cpu_exhaust", victim::CHAOS);
    let report = experiment.body(|_| end(|| std::process::abort())).run().await;
    report.expect("it is carried out");
}

#[tokio::test]
async fn its_body_exits() {
    let experiment = victim::experiment("cpu_exhaust", victim::CHAOS);
    let report = experiment.body(|_| end(|| std::process::exit(0))).run().await;
    report.expect("it is carried out");
}

#[tokio::test]
async fn it_takes_too_long() {
    victim::experiment("cpu_exhaust", Duration::from_secs(60)).run().await.expect("it is carried out");
}
