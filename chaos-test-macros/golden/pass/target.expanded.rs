#[cfg_attr(not(test), allow(dead_code))]
async fn running_already(chaos: chaos_test::Chaos) {}
#[cfg(test)]
mod running_already {
    #[allow(unused_imports)]
    use super::*;
    const _: ::core::option::Option<&str> = ::core::option_env!("CHAOS_TEST_CATALOGUE");
    const TEST: ::chaos_test::__private::Test = ::chaos_test::__private::Test {
        module: ::core::module_path!(),
        manifest_dir: ::core::env!("CARGO_MANIFEST_DIR"),
        target: ::core::option::Option::Some("http://127.0.0.1:8000"),
        ..::chaos_test::__private::Test::DEFAULT
    };
    #[test]
    fn light_cpu_stress() -> ::chaos_test::TestResult {
        ::chaos_test::__private::run(
            &TEST,
            "light_cpu_stress",
            "Light CPU Stress",
            ::chaos_test::__private::no_environment,
            |cx| ::std::boxed::Box::pin(async move {
                ::chaos_test::__private::outcome(
                    super::running_already(cx.chaos()).await,
                )
            }),
        )
    }
    #[test]
    fn light_memory_stress() -> ::chaos_test::TestResult {
        ::chaos_test::__private::run(
            &TEST,
            "light_memory_stress",
            "Light Memory Stress",
            ::chaos_test::__private::no_environment,
            |cx| ::std::boxed::Box::pin(async move {
                ::chaos_test::__private::outcome(
                    super::running_already(cx.chaos()).await,
                )
            }),
        )
    }
    #[test]
    fn light_network_delay() -> ::chaos_test::TestResult {
        ::chaos_test::__private::run(
            &TEST,
            "light_network_delay",
            "Light Network Delay",
            ::chaos_test::__private::no_environment,
            |cx| ::std::boxed::Box::pin(async move {
                ::chaos_test::__private::outcome(
                    super::running_already(cx.chaos()).await,
                )
            }),
        )
    }
}
