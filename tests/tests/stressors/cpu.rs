//! Processor time.

use std::num::NonZeroU32;
use std::time::Duration;

use chaos_test::model::Fault;
use chaos_test::prelude::*;
use suite::stress::cpu_used;
use suite::{OwnGroup, Stress};

use crate::stub;

fn workers(workers: u32, percent: f64) -> Fault {
    let load = Percent::new(percent).expect("a percentage");
    Fault::CpuExhaust { workers: NonZeroU32::new(workers).expect("some"), load }
}

#[tokio::test]
async fn cpu_exhaust_at_a_share_takes_that_share_and_no_more() {
    let environment = stub().await;
    let target = environment.service("app").unwrap().target();
    for percent in [25.0, 50.0] {
        let stress = Stress::prepare(&workers(1, percent), &target, None).await.expect("workers");
        assert_eq!(stress.prepared.asked, percent / 100.0);
        stress.inject().await;
        assert!(stress.reaches(0.5, 5.seconds()).await.is_some(), "{percent} % never came");
        let worker = stress.workers()[0];
        let (before, begun) = (cpu_used(worker), std::time::Instant::now());
        tokio::time::sleep(1.seconds()).await;
        let share = (cpu_used(worker) - before).div_duration_f64(begun.elapsed());
        println!("{percent} % asked, {:.2} % taken", share * 100.0);
        // A busy host gives less; what is missed is made up for, and that is bounded.
        assert!(share <= percent / 100.0 + 0.12, "{share}");
        let measured = stress.measured().await.expect("a reading");
        assert!(
            measured > percent / 200.0 && measured < percent / 100.0 + 0.3,
            "the witness says {measured}"
        );
        stress.revert().await;
        assert!(stress.workers().is_empty());
    }
}

#[tokio::test]
async fn cpu_exhaust_in_the_cgroup_of_the_service_is_proven_by_the_kernel() {
    let Some(group) = OwnGroup::below("cpu") else { return };
    let environment = stub().await;
    let service = environment.service("app").unwrap();
    let refused = Stress::prepare(&workers(2, 100.0), &service.target(), Some("cgroup-workers")).await;
    let refused = refused.err().expect("there is nothing to gain");
    assert!(refused.contains("in the same CPU cgroup as the test: nothing to gain"), "{refused}");
    group.take(service.pid().expect("it runs"));
    let stress = Stress::prepare(&workers(2, 100.0), &service.target(), None).await.expect("a rung");
    assert_eq!(stress.prepared.mechanism, "cgroup-workers", "the best there is");
    stress.inject().await;
    assert!(stress.reaches(0.6, 5.seconds()).await.is_some(), "it never came");
    let workers = stress.workers();
    assert_eq!(workers.len(), 2);
    assert!(workers.iter().all(|worker| group.has(*worker)), "they are where the service is");
    // Throttled by the quota of their group they still ask for all of it: that is what the service feels.
    group.set("cpu.cfs_quota_us", "20000");
    // The kernel adds a wait when it is over: up to a period of 100 ms is missing at the end, which is little of this.
    tokio::time::sleep(Duration::from_millis(2500)).await;
    let measured = stress.measured().await.expect("a reading");
    assert!(measured > 1.0, "throttled workers ask for {measured} cores");
    stress.revert().await;
    assert!(stress.workers().is_empty());
}
