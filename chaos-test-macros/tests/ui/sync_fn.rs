//! A chaos test is async; the function itself stays, so nothing else in the file breaks.

use chaos_test::prelude::*;

#[chaos_test(scenario = "Medium CPU Stress")]
fn checkout_survives(chaos: Chaos) {
    let _ = chaos;
}

fn main() {
    let _still_there: fn(Chaos) = checkout_survives;
}
