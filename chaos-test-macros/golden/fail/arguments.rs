#[chaos_test(scenario = "Light CPU Stress")]
async fn f(&self, a: Chaos, b: &Chaos, c: &Shop, d: Arc<Shop>, e: &mut Chaos, #[cfg(unix)] f: Chaos, #[case] g: u32) {}
