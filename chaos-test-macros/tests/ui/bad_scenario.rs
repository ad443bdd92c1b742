//! A misspelt scenario is told on its own literal, with the one that was meant.

use chaos_test::prelude::*;

#[chaos_test(scenarios = ["Medum CPU Stres", "Light CPU Stress", "Databse Brief Outage"])]
async fn checkout_survives(chaos: Chaos) {
    let _ = chaos;
}

fn main() {}
