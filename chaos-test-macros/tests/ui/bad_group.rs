//! A misspelt group is told, and the other mistakes of the same attribute with it.

use chaos_test::prelude::*;

#[chaos_test(group = "smok_test", repeat = "20", colour = "red")]
async fn checkout_survives(chaos: Chaos) {
    let _ = chaos;
}

fn main() {}
