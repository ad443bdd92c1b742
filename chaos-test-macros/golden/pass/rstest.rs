#[chaos_test(scenario = "Medium Network Delay", environment = shop)]
#[rstest]
#[case::tea("tea", 1)]
#[case::coffee("coffee", 2)]
async fn drinks(#[case] drink: &str, chaos: Chaos, #[case] mut count: u32) -> anyhow::Result<()> {
    Ok(())
}
