//! Runs that a busy host makes void.

use chaos_test::report::Report;

/// What is said of a run that a busy host has made void; the first two, that its samples were late.
pub const VOID: [&str; 3] =
    ["Inconclusive(prober starved)", "Inconclusive(noisy host)", "Inconclusive(baseline unhealthy)"];

/// Whether a busy host has made it void.
pub fn is_void(report: &Report) -> bool {
    VOID.contains(&report.judgement.label().as_str())
}

/// Makes a run; one that is void is made again, three times at most. Any other verdict stands.
pub async fn unless_void(run: impl AsyncFn() -> Report) -> Report {
    unless_void_with(async || (run().await, ())).await.0
}

/// The same, with something beside the report.
pub async fn unless_void_with<T>(run: impl AsyncFn() -> (Report, T)) -> (Report, T) {
    again(run, is_void).await
}

/// The same where an unhealthy baseline is what is expected.
pub async fn unless_late(run: impl AsyncFn() -> Report) -> Report {
    let late = |report: &Report| VOID[..2].contains(&report.judgement.label().as_str());
    again(async || (run().await, ()), late).await.0
}

/// The same where all that matters is that it came to its fault.
pub async fn carried_out(run: impl AsyncFn() -> Report) -> Report {
    let kept = |report: &Report| report.trace.delivery.is_none() && is_void(report);
    again(async || (run().await, ()), kept).await.0
}

async fn again<T>(run: impl AsyncFn() -> (Report, T), void: impl Fn(&Report) -> bool) -> (Report, T) {
    for _ in 0..=3 {
        let (report, with) = run().await;
        if !void(&report) {
            return (report, with);
        }
        println!("void: {}", report.headline());
    }
    panic!("this host is too busy for any run");
}
