//! An unknown SLO profile is told with those that exist.

use chaos_test::prelude::*;

#[chaos_test(scenario = "Medium CPU Stress", slo = "stagin")]
async fn misspelt(chaos: Chaos) {
    let _ = chaos;
}

#[chaos_test(scenario = "Medium CPU Stress", slo = "qa")]
async fn unknown(chaos: Chaos) {
    let _ = chaos;
}

fn main() {}
