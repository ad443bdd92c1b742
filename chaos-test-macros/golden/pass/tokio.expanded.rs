#[cfg_attr(not(test), allow(dead_code))]
async fn on_tokio(chaos: Chaos) -> Result<(), MyError> {
    Ok(())
}
#[cfg(test)]
mod on_tokio {
    #[allow(unused_imports)]
    use super::*;
    const _: ::core::option::Option<&str> = ::core::option_env!("CHAOS_TEST_CATALOGUE");
    const TEST: ::chaos_test::__private::Test = ::chaos_test::__private::Test {
        module: ::core::module_path!(),
        manifest_dir: ::core::env!("CARGO_MANIFEST_DIR"),
        ..::chaos_test::__private::Test::DEFAULT
    };
    #[tokio::test(flavor = "multi_thread")]
    async fn medium_cpu_stress() -> ::chaos_test::TestResult {
        ::chaos_test::__private::run_in(
                &TEST,
                "medium_cpu_stress",
                "Medium CPU Stress",
                || ::std::boxed::Box::pin(shop()),
                |cx| ::std::boxed::Box::pin(async move {
                    ::chaos_test::__private::outcome(super::on_tokio(cx.chaos()).await)
                }),
            )
            .await
    }
    #[tokio::test(flavor = "multi_thread")]
    async fn light_cpu_stress() -> ::chaos_test::TestResult {
        ::chaos_test::__private::run_in(
                &TEST,
                "light_cpu_stress",
                "Light CPU Stress",
                || ::std::boxed::Box::pin(shop()),
                |cx| ::std::boxed::Box::pin(async move {
                    ::chaos_test::__private::outcome(super::on_tokio(cx.chaos()).await)
                }),
            )
            .await
    }
}
