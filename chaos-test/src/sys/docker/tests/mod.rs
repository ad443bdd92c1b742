//! What needs an engine to be seen.
//!
//! Without one these tests say so and do nothing, unless `CHAOS_TEST_REQUIRE` names `docker`.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "starts victims and looks at the clock"
)]

use std::io::{self, BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::Place;
use super::engine::{engine, on_harness};
use super::remove::marked;
use crate::sys::owner;

mod packets;
mod sidecars;
mod target;
mod work;

pub(crate) use target::Idle;

/// The variable that makes a test of this program a victim.
const VICTIM: &str = "CHAOS_TEST_VICTIM";

/// Whether there is an engine; says so if not.
pub(crate) async fn has_engine() -> bool {
    let Err(missing) = on_harness(async { Ok(engine().await?) }).await else { return true };
    let required = std::env::var("CHAOS_TEST_REQUIRE").unwrap_or_default();
    assert!(!required.split(',').any(|name| name.trim() == "docker"), "docker is required: {missing}");
    eprintln!("SKIPPED: this host has no docker: {missing}");
    false
}

/// How many things carry that mark.
pub(crate) async fn count(mark: &str) -> usize {
    let mark = mark.to_owned();
    on_harness(async move { Ok(marked(engine().await?, Some(&mark)).await?.len()) }).await.expect("a look")
}

/// How long it takes until nothing carries that mark.
async fn gone(mark: &str, limit: Duration) -> Duration {
    let began = Instant::now();
    while count(mark).await > 0 {
        assert!(began.elapsed() < limit, "still there after {limit:?}: {mark}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    began.elapsed()
}

/// A sidecar in a network of its own, that nothing else is in.
fn alone() -> Place {
    Place { mark: owner::new_mark(), service: "none".into(), network: "none".into(), ..Place::default() }
}

/// This program as a process that does what that ignored test does, up to its first word, which is returned.
fn victim(test: &str, order: &str) -> io::Result<(Victim, String)> {
    let child = Command::new(std::env::current_exe()?)
        .args(["--exact", test, "--ignored", "--nocapture"])
        .env(VICTIM, order)
        .stdout(Stdio::piped())
        .spawn()?;
    let mut victim = Victim(child);
    let output = victim.0.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    for line in BufReader::new(output).lines() {
        // The runner says what it runs on the same line.
        if let Some((_, word)) = line?.split_once("holds ") {
            return Ok((victim, word.to_owned()));
        }
    }
    Err(io::Error::other("the victim ended before it held anything"))
}

/// A process of this program that holds something for ever. Dropped, it is killed, as what it holds goes with it.
struct Victim(Child);

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.0.kill().and_then(|()| self.0.wait());
    }
}

/// The order of a victim, if this is one.
fn ordered() -> Option<String> {
    std::env::var(VICTIM).ok()
}
