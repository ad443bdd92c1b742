#[cfg_attr(not(test), allow(dead_code))]
async fn hidden() {}
#[cfg(test)]
mod hidden {
    #[allow(unused_imports)]
    use super::*;
    const _: ::core::option::Option<&str> = ::core::option_env!("CHAOS_TEST_CATALOGUE");
    const TEST: ::chaos_test::__private::Test = ::chaos_test::__private::Test {
        module: ::core::module_path!(),
        manifest_dir: ::core::env!("CARGO_MANIFEST_DIR"),
        ..::chaos_test::__private::Test::DEFAULT
    };
    #[test]
    fn database_brief_outage() -> ::chaos_test::TestResult {
        ::chaos_test::__private::run(
            &TEST,
            "database_brief_outage",
            "Database Brief Outage",
            || ::std::boxed::Box::pin(super::database_brief_outage()),
            |_| ::std::boxed::Box::pin(async move {
                ::chaos_test::__private::outcome(super::hidden().await)
            }),
        )
    }
}
