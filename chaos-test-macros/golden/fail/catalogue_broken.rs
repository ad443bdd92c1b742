#[chaos_test(scenario = "Not Looked Up", catalogue = "broken.yml")]
fn f() {}
