//! The contract every injector keeps, for the mechanisms of containers, on an engine.

mod tests {
    use std::num::NonZeroU32;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use crate::inject::injector_for;
    use crate::model::{Fault, OutageMode, Outcome, Pin};
    use crate::port::{
        Begins, BoxFuture, ContainerControl, ContainerStatus, DynInjector, Prepared, Presence, Probe,
        Readiness, RevertRecord, Target, Work,
    };
    use crate::sys::clock::Stopwatch;
    use crate::sys::containers::is_left;
    use crate::sys::docker::stand_in::{Likeness, StandIn, stand_in};
    use crate::sys::timer;
    use crate::units::{ByteSize, Percent};

    const MS: Duration = Duration::from_millis(1);

    async fn wait(time: Duration) {
        timer::sleep_until(timer::now() + time).await;
    }

    fn outage(mode: OutageMode) -> Fault {
        Fault::DatabaseDown { database: None, mode, recovery_time_expected: None }
    }

    fn crash() -> Fault {
        let downtime = Duration::from_secs(1);
        Fault::ContainerCrash { container: None, downtime, recovery_time_expected: None }
    }

    fn burn(workers: u32) -> Fault {
        let workers = NonZeroU32::new(workers).expect("some");
        Fault::CpuExhaust { workers, load: Percent::HUNDRED }
    }

    fn recovery() -> Fault {
        Fault::ServiceRecovery { container: None, recovery_time_expected: None }
    }

    fn hog(size: u64) -> Fault {
        Fault::MemoryLeak { size: ByteSize::new(size) }
    }

    fn write(workers: u32) -> Fault {
        Fault::DiskStress { workers: NonZeroU32::new(workers).expect("some"), sync: None }
    }

    /// With a policy, which must not bring back what the harness holds down.
    const LIKE: Likeness = Likeness { processors: Some(1.0), memory: None, restarts: true, volume: true };

    async fn prepared(fault: &Fault, target: &Target) -> (Box<dyn DynInjector>, Prepared) {
        let injector = injector_for(fault);
        let choice = injector.support(fault, target).choose(fault.kind(), &Pin::default());
        let mechanism = choice.expect("there is a rung").mechanism;
        let prepared = injector.prepare(fault, target, mechanism).await.expect("it can be prepared");
        (injector, prepared)
    }

    async fn comes_to_be(there: bool, injector: &dyn DynInjector, record: &RevertRecord) -> bool {
        for _ in 0..100 {
            let dose = injector.observe(record).await.expect("a reading");
            if matches!(dose, Presence::Present(dose) if dose.measured > dose.asked / 2.0) == there {
                return true;
            }
            wait(20 * MS).await;
        }
        false
    }

    async fn keeps_the_contract(fault: &Fault) {
        let Some(app) = stand_in("app", LIKE).await else { return };
        let other = stand_in("other", LIKE).await.expect("there is an engine");
        let others = other.container.look().await.expect("a state");

        let (injector, prepared) = prepared(fault, &app.target()).await;
        let record = &prepared.record;
        assert!(comes_to_be(false, &*injector, record).await, "{fault}: preparing changes nothing");
        let took = Stopwatch::start();
        injector.inject(&prepared).await.expect("it can be injected");
        assert!(comes_to_be(true, &*injector, record).await, "{fault}: injected and not there");
        let injected = took.elapsed();
        // It is no state that a policy ends.
        wait(500 * MS).await;
        let seen = injector.observe(record).await.expect("a reading").dose();
        assert!(seen.measured > seen.asked * 0.8, "{fault}: it did not stay: {seen:?}");
        let mut took = Stopwatch::start();
        for time in ["once", "twice"] {
            injector.revert(record).await.expect("it can be undone");
            if time == "once" {
                eprintln!("{fault}: {seen:?} after {injected:?}, reverted {:?}", took.elapsed());
            }
            assert!(comes_to_be(false, &*injector, record).await, "{fault}: reverted {time} and still there");
            took = Stopwatch::start();
        }
        assert!(!is_left(&record.id).await.expect("an answer"), "{fault}: a helper is left");
        comes_up(&app).await;
        assert_eq!(
            other.container.look().await.expect("a state"),
            others,
            "{fault}: the other one was touched"
        );
    }

    async fn comes_up(app: &StandIn) {
        for _ in 0..100 {
            let state = app.container.look().await.expect("a state");
            if state.status == ContainerStatus::Running {
                return;
            }
            wait(20 * MS).await;
        }
        panic!("the container is not up");
    }

    async fn is_undone_after_its_target_died(fault: &Fault) {
        let Some(app) = stand_in("app", LIKE).await else { return };
        let (injector, prepared) = prepared(fault, &app.target()).await;
        injector.inject(&prepared).await.expect("it can be injected");
        tokio::task::spawn_blocking(move || app.end()).await.expect("it ends");
        injector.revert(&prepared.record).await.expect("nothing is left to undo");
        assert!(comes_to_be(false, &*injector, &prepared.record).await, "{fault}: still there");
        assert!(!is_left(&prepared.record.id).await.expect("an answer"), "{fault}: a helper is left");
    }

    async fn is_undone_by_a_stranger(fault: &Fault) {
        let Some(app) = stand_in("app", LIKE).await else { return };
        let (injector, prepared) = prepared(fault, &app.target()).await;
        injector.inject(&prepared).await.expect("it can be injected");
        let stranger = injector_for(fault);
        stranger.revert(&prepared.record).await.expect("by the record alone, or there is nothing to undo");
        if !prepared.record.undo.is_empty() {
            assert!(!is_left(&prepared.record.id).await.expect("an answer"), "{fault}: a helper is left");
            assert!(comes_to_be(false, &*stranger, &prepared.record).await, "{fault}: it sees one");
        }
        injector.revert(&prepared.record).await.expect("and again by the one that made it");
    }

    /// Good while its container runs, from the fifth look at that on.
    struct Up {
        container: Arc<dyn ContainerControl>,
        looks: Arc<AtomicUsize>,
    }

    impl Probe for Up {
        fn check(&self, _begins: Begins) -> BoxFuture<'static, Outcome> {
            let (state, looks) = (self.container.look(), Arc::clone(&self.looks));
            Box::pin(async move {
                let runs = state.await.is_ok_and(|state| state.status == ContainerStatus::Running);
                let good = runs && looks.fetch_add(1, Ordering::SeqCst) >= 4;
                if good { Outcome::Good } else { Outcome::Timeout }
            })
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn an_outage_is_undone_when_its_database_is_ready() {
        for mode in [OutageMode::Hang, OutageMode::Crash, OutageMode::Refuse] {
            let Some(app) = stand_in("app", LIKE).await else { return };
            let mut target = app.target();
            let container = target.container.clone().expect("it is one");
            let looks = Arc::new(AtomicUsize::new(0));
            let up = Up { container, looks: Arc::clone(&looks) };
            target.ready = Some(Readiness { probe: Arc::new(up), timeout: 1000 * MS });
            let (injector, prepared) = prepared(&outage(mode), &target).await;
            let took = Stopwatch::start();
            injector.inject(&prepared).await.expect("it can be injected");
            let injected = took.elapsed();
            assert!(comes_to_be(true, &*injector, &prepared.record).await, "{mode:?}: not there");
            let proven = took.elapsed();
            let took = Stopwatch::start();
            injector.revert(&prepared.record).await.expect("it can be undone");
            eprintln!("{mode:?}: injected {injected:?}, proven {proven:?}, reverted {:?}", took.elapsed());
            assert!(looks.load(Ordering::SeqCst) >= 5, "{mode:?}: it was not waited for");
            assert_eq!(app.container.look().await.expect("a state").status, ContainerStatus::Running);
            assert!(comes_to_be(false, &*injector, &prepared.record).await, "{mode:?}: still there");
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_cannot_be_made_says_what_to_do() {
        let like = Likeness { memory: Some(64 << 20), ..Likeness::default() };
        let Some(app) = stand_in("app", like).await else { return };
        let target = app.target();
        let choose = |fault: &Fault| {
            let support = injector_for(fault).support(fault, &target);
            support.choose(fault.kind(), &Pin::default())
        };
        let refused = choose(&recovery()).expect_err("it has no restart policy");
        assert!(refused.contains("has no restart policy (to have it: give the container one"), "{refused}");
        let too_much = hog(128 << 20);
        let mechanism = choose(&too_much).expect("there is a rung").mechanism;
        let prepared = injector_for(&too_much).prepare(&too_much, &target, mechanism).await;
        let refused = prepared.expect_err("it does not fit").to_string();
        assert!(
            refused.contains("128 MiB do not fit into the container of app, which has 64 MiB"),
            "{refused}"
        );
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_hog_that_the_kernel_ends_is_told_from_a_service_that_ends() {
        let like = Likeness { memory: Some(96 << 20), ..Likeness::default() };
        let Some(app) = stand_in("app", like).await else { return };
        let (injector, prepared) = prepared(&hog(80 << 20), &app.target()).await;
        // The service has grown meanwhile.
        let grown = Work::Hog { bytes: 30 << 20, ramp: Duration::ZERO };
        app.container.work(&crate::sys::owner::new_mark(), grown).await.expect("a helper");
        wait(500 * MS).await;
        injector.inject(&prepared).await.expect("it can be injected");
        for _ in 0..250 {
            if let Err(error) = injector.observe(&prepared.record).await {
                let text = error.to_string();
                assert!(
                    text.contains("was ended, and app was not: by the kernel, if memory ran out"),
                    "{text}"
                );
                return;
            }
            wait(20 * MS).await;
        }
        panic!("the limit did not hold");
    }

    macro_rules! contract {
        ($($name:ident: $fault:expr;)*) => { $(mod $name {
            use super::*;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn keeps_the_contract() {
                super::keeps_the_contract(&$fault).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn is_undone_after_its_target_died() {
                super::is_undone_after_its_target_died(&$fault).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn is_undone_by_a_stranger() {
                super::is_undone_by_a_stranger(&$fault).await;
            }
        })* };
    }

    contract! {
        engine_kill: crash();
        outage_crash: outage(OutageMode::Crash);
        outage_hang: outage(OutageMode::Hang);
        outage_refuse: outage(OutageMode::Refuse);
        host_kill: recovery();
        workers: burn(2);
        memory: hog(64 << 20);
        writers: write(2);
    }
}
