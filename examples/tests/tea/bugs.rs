//! What befalls the tea shop for some seconds, wherever it runs, and how each of its planted bugs is found by that.
//!
//! Each bug breaks another objective; the shop without it keeps that one under the very same fault.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chaos_test::model::OutageMode;
use chaos_test::prelude::*;
use chaos_test::report::Report;
use chaos_test::slo::Indicator;

use super::customers::{COUNT, ORDERS, Seen, TEA, customers};

/// Where the shop runs.
pub(crate) trait Place: Clone + 'static {
    type Shop: AsEnvironment;
    /// How long a fault has to be there to be proven.
    const LASTS: Duration;

    /// Starts it with its database and its cache, with that bug, and measured by a probe of that path.
    fn open(
        self,
        bug: &'static str,
        probe: &'static str,
    ) -> impl Future<Output = Result<Self::Shop, Error>> + 'static;
}

/// A probe that waits longer than any healthy answer takes.
pub(crate) fn probe(path: &str, every: Duration) -> Probe {
    Probe::http(path).every(every).timeout(4.seconds()).into()
}

/// The database or the cache is away.
pub(crate) fn down(of: &str, mode: OutageMode) -> Fault {
    Fault::DatabaseDown { database: Some(of.into()), mode, recovery_time_expected: None }
}

pub(crate) async fn run<P: Place>(
    place: P,
    fault: Fault,
    target: &str,
    bug: &'static str,
    path: &'static str,
) -> (Report, Seen) {
    let seen: Arc<Mutex<Seen>> = Arc::default();
    let customers_see = Arc::clone(&seen);
    let report = Experiment::fault(fault.clone(), P::LASTS)
        .expect("the built-in catalogue")
        .name(format!("tea shop, {fault}, bug {bug}, {path}"))
        .environment(move || place.open(bug, path))
        .target(target)
        .body(move |chaos| customers(chaos, Arc::clone(&customers_see)))
        // To the end, however bad it is.
        .abort_conditions(AbortConditions::default())
        .baseline(2.seconds())
        // A service of this size is back sooner; and what is not is watched no longer.
        .watch(12.seconds())
        .run()
        .await
        .expect("well formed");
    let seen = std::mem::take(&mut *seen.lock().unwrap());
    println!("{}\n{}\n", report.text(), seen.stats);
    (report, seen)
}

fn verdict(report: &Report, of: Indicator) -> Option<Verdict> {
    let found = report.judgement.evaluations.iter().find(|evaluation| evaluation.indicator == of);
    found.map(|evaluation| evaluation.verdict)
}

pub(crate) fn assert_well(report: &Report) {
    assert!(report.judgement.broken().is_empty() && !report.judgement.is_void(), "{}", report.text());
}

/// The bug: a customer's patience ends before the shop's. The latency tells.
pub(crate) async fn without_timeouts(place: impl Place) {
    let hangs = down("postgres", OutageMode::Hang);
    let (report, seen) = run(place.clone(), hangs.clone(), "postgres", "no-timeout", TEA).await;
    if report.verdict() == Verdict::Skipped {
        return;
    }
    assert_eq!(verdict(&report, Indicator::LatencyDegradation), Some(Verdict::Fail), "{}", report.text());
    let waits = seen.visits.iter().filter(|visit| visit.took >= 1500.ms());
    let (teas, orders): (Vec<_>, Vec<_>) = waits.partition(|visit| visit.path == TEA);
    assert!(!teas.is_empty() && !orders.is_empty(), "{teas:?} {orders:?}");
    // Once it goes on, so does what waited for it.
    assert_eq!(seen.visits.last().map(|visit| visit.status), Some(200));

    let (report, _) = run(place, hangs, "postgres", "none", TEA).await;
    assert_well(&report);
    assert_ne!(verdict(&report, Indicator::LatencyDegradation), Some(Verdict::Fail), "{}", report.text());
}

/// The bug: the database is back, and this shop never knows. The recovery tells.
pub(crate) async fn with_a_pool_that_never_recovers(place: impl Place) {
    let crash = down("postgres", OutageMode::Crash);
    let (report, seen) = run(place.clone(), crash.clone(), "postgres", "pool-never-recovers", COUNT).await;
    if report.verdict() == Verdict::Skipped {
        return;
    }
    assert_eq!(verdict(&report, Indicator::RecoveryTime), Some(Verdict::Fail), "{}", report.text());
    assert!(seen.of(ORDERS, Phase::Baseline).iter().all(|visit| visit.status == 200));
    let after = seen.of(ORDERS, Phase::Recovered);
    let refused = after.iter().all(|visit| visit.status == 503 && visit.text.contains("the database"));
    assert!(!after.is_empty() && refused, "{after:?}");

    let (report, _) = run(place, crash, "postgres", "none", COUNT).await;
    assert_eq!(verdict(&report, Indicator::RecoveryTime), Some(Verdict::Pass), "{}", report.text());
}

/// The bug: a database that is slow is asked ten times as often, and nothing comes of it. The error rate tells.
pub(crate) async fn in_a_retry_storm(place: impl Place) {
    let slow =
        Fault::NetworkDelay { delay: 200.ms(), jitter: Duration::ZERO, bandwidth: None, interface: None };
    let (report, storm) = run(place.clone(), slow.clone(), "postgres", "retry-storm", COUNT).await;
    if report.verdict() == Verdict::Skipped {
        return;
    }
    assert_eq!(verdict(&report, Indicator::ErrorRate), Some(Verdict::Fail), "{}", report.text());

    let (report, healthy) = run(place, slow, "postgres", "none", COUNT).await;
    assert_well(&report);
    let share = |seen: &Seen| seen.count("retries") / seen.count("attempts");
    assert!(share(&storm) > 3.0 * share(&healthy), "{} {}", storm.stats, healthy.stats);
}
