#[cfg_attr(not(test), allow(dead_code))]
async fn from_the_repository(chaos: Chaos) {}
#[cfg(test)]
mod from_the_repository {
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
        slo: ::core::option::Option::Some("qa"),
        ..::chaos_test::__private::Test::DEFAULT
    };
    #[test]
    fn _500_errors() -> ::chaos_test::TestResult {
        ::chaos_test::__private::run(
            &TEST,
            "_500_errors",
            "500 errors",
            ::chaos_test::__private::no_environment,
            |cx| ::std::boxed::Box::pin(async move {
                ::chaos_test::__private::outcome(
                    super::from_the_repository(cx.chaos()).await,
                )
            }),
        )
    }
    #[test]
    fn match_() -> ::chaos_test::TestResult {
        ::chaos_test::__private::run(
            &TEST,
            "match_",
            "match",
            ::chaos_test::__private::no_environment,
            |cx| ::std::boxed::Box::pin(async move {
                ::chaos_test::__private::outcome(
                    super::from_the_repository(cx.chaos()).await,
                )
            }),
        )
    }
}
