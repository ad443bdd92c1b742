#[cfg_attr(not(test), allow(dead_code))]
async fn named<'a>(shop: &'a Shop, chaos: &'a Chaos)
where
    'a: 'a,
{}
#[cfg(test)]
mod named {
    #[allow(unused_imports)]
    use super::*;
    const _: ::core::option::Option<&str> = ::core::option_env!("CHAOS_TEST_CATALOGUE");
    const TEST: ::chaos_test::__private::Test = ::chaos_test::__private::Test {
        module: ::core::module_path!(),
        manifest_dir: ::core::env!("CARGO_MANIFEST_DIR"),
        ..::chaos_test::__private::Test::DEFAULT
    };
    #[test]
    fn heavy_disk_stress() -> ::chaos_test::TestResult {
        ::chaos_test::__private::run(
            &TEST,
            "heavy_disk_stress",
            "Heavy Disk Stress",
            || ::std::boxed::Box::pin(shop()),
            |cx| ::std::boxed::Box::pin(async move {
                ::chaos_test::__private::outcome(
                    super::named(cx.environment(), cx.chaos_ref()).await,
                )
            }),
        )
    }
}
