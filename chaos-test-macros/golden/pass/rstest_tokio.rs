#[chaos_test(group = "infrastructure")]
#[rstest::rstest]
#[tokio::test]
async fn values(#[values(1, 2)] (a, b): (u32, u32), #[allow(unused)] chaos: &Chaos) {}
