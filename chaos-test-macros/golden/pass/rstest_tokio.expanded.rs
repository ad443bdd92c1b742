#[cfg_attr(not(test), allow(dead_code))]
async fn values((a, b): (u32, u32), #[allow(unused)] chaos: &Chaos) {}
#[cfg(test)]
mod values {
    #[allow(unused_imports)]
    use super::*;
    const _: ::core::option::Option<&str> = ::core::option_env!("CHAOS_TEST_CATALOGUE");
    const TEST: ::chaos_test::__private::Test = ::chaos_test::__private::Test {
        module: ::core::module_path!(),
        manifest_dir: ::core::env!("CARGO_MANIFEST_DIR"),
        ..::chaos_test::__private::Test::DEFAULT
    };
    #[rstest::rstest]
    #[tokio::test]
    async fn application_container_restart(
        #[values(1, 2)]
        argument_0: (u32, u32),
    ) -> ::chaos_test::TestResult {
        ::chaos_test::__private::run_in(
                &TEST,
                "application_container_restart",
                "Application Container Restart",
                ::chaos_test::__private::no_environment,
                move |cx| {
                    let (argument_0,) = (Clone::clone(&argument_0),);
                    ::std::boxed::Box::pin(async move {
                        ::chaos_test::__private::outcome(
                            super::values(argument_0, cx.chaos_ref()).await,
                        )
                    })
                },
            )
            .await
    }
    #[rstest::rstest]
    #[tokio::test]
    async fn database_brief_outage(
        #[values(1, 2)]
        argument_0: (u32, u32),
    ) -> ::chaos_test::TestResult {
        ::chaos_test::__private::run_in(
                &TEST,
                "database_brief_outage",
                "Database Brief Outage",
                ::chaos_test::__private::no_environment,
                move |cx| {
                    let (argument_0,) = (Clone::clone(&argument_0),);
                    ::std::boxed::Box::pin(async move {
                        ::chaos_test::__private::outcome(
                            super::values(argument_0, cx.chaos_ref()).await,
                        )
                    })
                },
            )
            .await
    }
    #[rstest::rstest]
    #[tokio::test]
    async fn service_recovery(
        #[values(1, 2)]
        argument_0: (u32, u32),
    ) -> ::chaos_test::TestResult {
        ::chaos_test::__private::run_in(
                &TEST,
                "service_recovery",
                "Service Recovery",
                ::chaos_test::__private::no_environment,
                move |cx| {
                    let (argument_0,) = (Clone::clone(&argument_0),);
                    ::std::boxed::Box::pin(async move {
                        ::chaos_test::__private::outcome(
                            super::values(argument_0, cx.chaos_ref()).await,
                        )
                    })
                },
            )
            .await
    }
}
