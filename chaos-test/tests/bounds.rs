//! Bounds beyond the usual five, and those that only warn: held against synthetic samples, and shown.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "test code may touch files, processes and the clock"
)]

#[path = "bounds/custom.rs"]
mod custom;
#[path = "bounds/endpoints.rs"]
mod endpoints;
#[path = "bounds/latency.rs"]
mod latency;
mod synthetic;
#[path = "bounds/throughput.rs"]
mod throughput;
#[path = "bounds/warnings.rs"]
mod warnings;

use chaos_test::report::Report;
use chaos_test::slo::{Evaluation, Indicator};
use chaos_test::units::Percent;

fn percent(value: f64) -> Option<Percent> {
    Some(Percent::new(value).unwrap())
}

/// The only evaluation of that indicator.
#[track_caller]
fn evaluated(report: &Report, indicator: Indicator) -> &Evaluation {
    let mut found = report.judgement.evaluations.iter().filter(|found| found.indicator == indicator);
    let first = found.next().expect("it was judged");
    assert!(found.next().is_none(), "more than one of {indicator}");
    first
}
