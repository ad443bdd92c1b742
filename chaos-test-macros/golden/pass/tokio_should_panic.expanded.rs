#[cfg_attr(not(test), allow(dead_code))]
async fn breaches_on_tokio() {}
#[cfg(test)]
mod breaches_on_tokio {
    #[allow(unused_imports)]
    use super::*;
    const _: ::core::option::Option<&str> = ::core::option_env!("CHAOS_TEST_CATALOGUE");
    const TEST: ::chaos_test::__private::Test = ::chaos_test::__private::Test {
        module: ::core::module_path!(),
        manifest_dir: ::core::env!("CARGO_MANIFEST_DIR"),
        ..::chaos_test::__private::Test::DEFAULT
    };
    #[tokio::test]
    #[should_panic(expected = "breached")]
    async fn medium_cpu_stress() {
        let result = ::chaos_test::__private::run_in(
                &TEST,
                "medium_cpu_stress",
                "Medium CPU Stress",
                ::chaos_test::__private::no_environment,
                |_| ::std::boxed::Box::pin(async move {
                    ::chaos_test::__private::outcome(super::breaches_on_tokio().await)
                }),
            )
            .await;
        ::chaos_test::__private::expect_pass(result)
    }
}
