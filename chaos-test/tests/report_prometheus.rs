//! Metrics all the way: pushed by `cargo chaos report --push`, scraped by a real Prometheus, asked for by every panel and
//! every alert. Where Prometheus is not installed (Debian: `apt-get install prometheus prometheus-pushgateway`) these tests
//! say so and do nothing, unless `CHAOS_TEST_REQUIRE` names `prometheus`.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "test code may touch files, processes and the clock"
)]

#[path = "report_prometheus/assets.rs"]
mod assets;
#[path = "report_prometheus/gateway.rs"]
mod gateway;
#[path = "report_prometheus/promtool.rs"]
mod promtool;
#[path = "report_prometheus/pushed.rs"]
mod pushed;
#[allow(dead_code, reason = "each test binary uses a part")]
#[path = "cli/sandbox.rs"]
mod sandbox;
#[path = "report_prometheus/scraped.rs"]
mod scraped;
#[path = "report_prometheus/servers.rs"]
mod servers;
mod synthetic;

use chaos_test::model::Outcome;
use synthetic::{Story, delayed, ms};

pub(crate) fn passes(test: &str) -> Story {
    Story::new(test).chaos(delayed)
}

/// An outage of a tenth of the chaos phase.
pub(crate) fn goes_down(test: &str) -> Story {
    passes(test).chaos(|n, sample| {
        if n >= 900 {
            sample.outcome = Outcome::ConnectError;
        }
    })
}

pub(crate) fn cannot_tell(test: &str) -> Story {
    passes(test).chaos(|_, sample| sample.lag = ms(45))
}

/// Half of its delay, and less, was delivered.
pub(crate) fn undelivered(test: &str) -> Story {
    passes(test).with(|story| {
        let readings = &mut story.trace.delivery.as_mut().unwrap().readings;
        readings.iter_mut().for_each(|reading| reading.measured = 0.05);
    })
}
