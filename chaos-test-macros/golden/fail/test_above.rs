#[::core::prelude::v1::test]
#[chaos_test(scenario = "Light CPU Stres")]
fn f() {}
