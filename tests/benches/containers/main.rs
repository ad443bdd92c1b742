//! What services in containers cost, beside the engine itself in the same run: the start of an environment, its memory, and
//! how soon each fault is there and gone. Without a container engine it says so and does nothing.
//!
//! Each start is made in a process of its own, as under nextest each test is one; they take turns, so that what else the
//! host does meanwhile befalls all alike. Read the ratios. `-- start` or `-- faults` makes one half of it.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a bench reads clocks and starts processes"
)]

mod engine;
mod faults;
mod start;

use std::path::Path;
use std::time::Duration;

use chaos_test::testcontainers::GenericImage;
use chaos_test::testcontainers::core::IntoContainerPort;
use suite::docker::{STUB, has_docker, stub_image};
use suite::figures::asked;

/// Set in the processes that start something: what they start.
const CHILD: &str = "CONTAINERS_CHILD";
/// Where the stub listens in its container.
const PORT: u16 = 8000;
/// How long between two looks whether it answers: as often as an environment looks.
const LOOK: Duration = Duration::from_millis(5);

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    if let Ok(kind) = std::env::var(CHILD) {
        return runtime.block_on(start::child(&kind));
    }
    if !asked() || !has_docker() {
        return;
    }
    stub_image(Path::new(env!("CARGO_BIN_EXE_stub")));
    let only = std::env::args().skip(1).find(|arg| !arg.starts_with('-'));
    let wanted = |part: &str| only.as_ref().is_none_or(|only| only == part);
    if wanted("start") {
        start::compare();
    }
    if wanted("faults") {
        runtime.block_on(faults::compare());
    }
}

fn image() -> GenericImage {
    GenericImage::new(STUB.0, STUB.1).with_exposed_port(PORT.tcp())
}

/// Waits until something answers well there.
async fn until_it_answers(url: &str) {
    while !reqwest::get(url).await.is_ok_and(|answer| answer.status().is_success()) {
        tokio::time::sleep(LOOK).await;
    }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
