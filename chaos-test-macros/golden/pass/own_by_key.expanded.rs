#[cfg_attr(not(test), allow(dead_code))]
async fn r#try() {}
#[cfg(test)]
mod r#try {
    #[allow(unused_imports)]
    use super::*;
    const _: ::core::option::Option<&str> = ::core::option_env!("CHAOS_TEST_CATALOGUE");
    const TEST: ::chaos_test::__private::Test = ::chaos_test::__private::Test {
        module: ::core::module_path!(),
        manifest_dir: ::core::env!("CARGO_MANIFEST_DIR"),
        catalogue: ::core::option::Option::Some((
            "/repo/chaos_scenarios.yml",
            ::core::include_str!("/repo/chaos_scenarios.yml"),
        )),
        catalogue_named: true,
        ..::chaos_test::__private::Test::DEFAULT
    };
    #[test]
    fn slow_payments() -> ::chaos_test::TestResult {
        ::chaos_test::__private::run(
            &TEST,
            "slow_payments",
            "Slow Payments",
            ::chaos_test::__private::no_environment,
            |_| ::std::boxed::Box::pin(async move {
                ::chaos_test::__private::outcome(super::r#try().await)
            }),
        )
    }
    #[test]
    fn light_cpu_stress() -> ::chaos_test::TestResult {
        ::chaos_test::__private::run(
            &TEST,
            "light_cpu_stress",
            "Light CPU Stress",
            ::chaos_test::__private::no_environment,
            |_| ::std::boxed::Box::pin(async move {
                ::chaos_test::__private::outcome(super::r#try().await)
            }),
        )
    }
}
