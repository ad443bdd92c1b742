#[cfg_attr(not(test), allow(dead_code))]
async fn survives(chaos: Chaos) {}
#[cfg(test)]
mod survives {
    #[allow(unused_imports)]
    use super::*;
    const _: ::core::option::Option<&str> = ::core::option_env!("CHAOS_TEST_CATALOGUE");
    const TEST: ::chaos_test::__private::Test = ::chaos_test::__private::Test {
        module: ::core::module_path!(),
        manifest_dir: ::core::env!("CARGO_MANIFEST_DIR"),
        inconclusive: ::core::option::Option::Some("extend"),
        sequential: false,
        ..::chaos_test::__private::Test::DEFAULT
    };
    #[test]
    fn medium_cpu_stress() -> ::chaos_test::TestResult {
        ::chaos_test::__private::run(
            &TEST,
            "medium_cpu_stress",
            "Medium CPU Stress",
            || ::std::boxed::Box::pin(shop()),
            |cx| ::std::boxed::Box::pin(async move {
                ::chaos_test::__private::outcome(super::survives(cx.chaos()).await)
            }),
        )
    }
}
