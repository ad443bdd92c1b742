#[cfg_attr(not(test), allow(dead_code))]
async fn drinks(drink: &str, chaos: Chaos, mut count: u32) -> anyhow::Result<()> {
    Ok(())
}
#[cfg(test)]
mod drinks {
    #[allow(unused_imports)]
    use super::*;
    const _: ::core::option::Option<&str> = ::core::option_env!("CHAOS_TEST_CATALOGUE");
    const TEST: ::chaos_test::__private::Test = ::chaos_test::__private::Test {
        module: ::core::module_path!(),
        manifest_dir: ::core::env!("CARGO_MANIFEST_DIR"),
        ..::chaos_test::__private::Test::DEFAULT
    };
    #[rstest]
    #[case::tea("tea", 1)]
    #[case::coffee("coffee", 2)]
    fn medium_network_delay(
        #[case]
        drink: &'static str,
        #[case]
        count: u32,
    ) -> ::chaos_test::TestResult {
        ::chaos_test::__private::run(
            &TEST,
            "medium_network_delay",
            "Medium Network Delay",
            || ::std::boxed::Box::pin(shop()),
            move |cx| {
                let (drink, count) = (Clone::clone(&drink), Clone::clone(&count));
                ::std::boxed::Box::pin(async move {
                    ::chaos_test::__private::outcome(
                        super::drinks(drink, cx.chaos(), count).await,
                    )
                })
            },
        )
    }
}
