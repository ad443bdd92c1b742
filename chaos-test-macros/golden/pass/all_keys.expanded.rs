#[cfg_attr(not(test), allow(dead_code))]
pub(crate) async fn no_order_is_lost(
    chaos: &Chaos,
    shop: &Shop,
) -> Result<(), Box<dyn Error>> {
    Ok(())
}
#[cfg(test)]
mod no_order_is_lost {
    #[allow(unused_imports)]
    use super::*;
    const _: ::core::option::Option<&str> = ::core::option_env!("CHAOS_TEST_CATALOGUE");
    const TEST: crate::testing::__private::Test = crate::testing::__private::Test {
        module: ::core::module_path!(),
        manifest_dir: ::core::env!("CARGO_MANIFEST_DIR"),
        slo: ::core::option::Option::Some("production"),
        repeat: ::core::option::Option::Some("0.5/s"),
        duration: ::core::option::Option::Some("10s"),
        baseline: ::core::option::Option::Some("500ms"),
        inconclusive: ::core::option::Option::Some("fail"),
        flavor: ::core::option::Option::Some("multi_thread"),
        objectives: &[
            ("max_error_rate_percent", 1.5),
            ("mttr_seconds", 10.0),
            ("min_availability_percent", 99.0),
        ],
        ..crate::testing::__private::Test::DEFAULT
    };
    #[test]
    fn database_brief_outage() -> crate::testing::TestResult {
        crate::testing::__private::run(
            &TEST,
            "database_brief_outage",
            "Database Brief Outage",
            || ::std::boxed::Box::pin(super::services::shop()),
            |cx| ::std::boxed::Box::pin(async move {
                crate::testing::__private::outcome(
                    super::no_order_is_lost(cx.chaos_ref(), cx.environment()).await,
                )
            }),
        )
    }
    #[test]
    fn service_recovery() -> crate::testing::TestResult {
        crate::testing::__private::run(
            &TEST,
            "service_recovery",
            "Service Recovery",
            || ::std::boxed::Box::pin(super::services::shop()),
            |cx| ::std::boxed::Box::pin(async move {
                crate::testing::__private::outcome(
                    super::no_order_is_lost(cx.chaos_ref(), cx.environment()).await,
                )
            }),
        )
    }
}
