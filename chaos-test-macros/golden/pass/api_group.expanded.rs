/// Tea for everyone.
#[cfg_attr(not(test), allow(dead_code))]
async fn a_customer_can_check_out(chaos: Chaos) -> anyhow::Result<()> {
    Ok(())
}
#[cfg(test)]
mod a_customer_can_check_out {
    #[allow(unused_imports)]
    use super::*;
    const _: ::core::option::Option<&str> = ::core::option_env!("CHAOS_TEST_CATALOGUE");
    const TEST: ::chaos_test::__private::Test = ::chaos_test::__private::Test {
        module: ::core::module_path!(),
        manifest_dir: ::core::env!("CARGO_MANIFEST_DIR"),
        slo: ::core::option::Option::Some("staging"),
        repeat: ::core::option::Option::Some("20/s"),
        ..::chaos_test::__private::Test::DEFAULT
    };
    #[test]
    fn medium_cpu_stress() -> ::chaos_test::TestResult {
        ::chaos_test::__private::run(
            &TEST,
            "medium_cpu_stress",
            "Medium CPU Stress",
            || ::std::boxed::Box::pin(shop()),
            |cx| ::std::boxed::Box::pin(async move {
                ::chaos_test::__private::outcome(
                    super::a_customer_can_check_out(cx.chaos()).await,
                )
            }),
        )
    }
    #[test]
    fn medium_memory_stress() -> ::chaos_test::TestResult {
        ::chaos_test::__private::run(
            &TEST,
            "medium_memory_stress",
            "Medium Memory Stress",
            || ::std::boxed::Box::pin(shop()),
            |cx| ::std::boxed::Box::pin(async move {
                ::chaos_test::__private::outcome(
                    super::a_customer_can_check_out(cx.chaos()).await,
                )
            }),
        )
    }
    #[test]
    fn medium_network_delay() -> ::chaos_test::TestResult {
        ::chaos_test::__private::run(
            &TEST,
            "medium_network_delay",
            "Medium Network Delay",
            || ::std::boxed::Box::pin(shop()),
            |cx| ::std::boxed::Box::pin(async move {
                ::chaos_test::__private::outcome(
                    super::a_customer_can_check_out(cx.chaos()).await,
                )
            }),
        )
    }
    #[test]
    fn light_packet_loss() -> ::chaos_test::TestResult {
        ::chaos_test::__private::run(
            &TEST,
            "light_packet_loss",
            "Light Packet Loss",
            || ::std::boxed::Box::pin(shop()),
            |cx| ::std::boxed::Box::pin(async move {
                ::chaos_test::__private::outcome(
                    super::a_customer_can_check_out(cx.chaos()).await,
                )
            }),
        )
    }
    #[test]
    fn light_disk_stress() -> ::chaos_test::TestResult {
        ::chaos_test::__private::run(
            &TEST,
            "light_disk_stress",
            "Light Disk Stress",
            || ::std::boxed::Box::pin(shop()),
            |cx| ::std::boxed::Box::pin(async move {
                ::chaos_test::__private::outcome(
                    super::a_customer_can_check_out(cx.chaos()).await,
                )
            }),
        )
    }
}
