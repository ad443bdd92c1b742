#[chaos_test(scenario = "Light CPU Stress")]
const unsafe extern "C" fn f<T: Default, const N: usize>(n: &T, args: ...) {}
