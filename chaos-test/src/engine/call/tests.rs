#![allow(clippy::disallowed_methods, reason = "a test may read the clock")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::time::Instant;

use super::*;
use crate::port::BoxFuture;

struct Real(Instant);

impl Clock for Real {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }
    fn sleep_until(&self, at: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep_until(self.0 + at))
    }
}

const LIMIT: Duration = Duration::from_millis(50);

/// Runs it on a runtime that does not wait for threads that never end.
fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let output = runtime.block_on(test);
    runtime.shutdown_background();
    output
}

#[test]
fn a_call_has_its_output() {
    let output = run(async { call(&Real(Instant::now()), LIMIT * 100, async { 7 }).await });
    assert_eq!(output, Ok(7));
}

#[test]
fn a_call_that_waits_for_good_is_dropped_at_its_limit() {
    struct Told(Arc<AtomicBool>);
    impl Drop for Told {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Release);
        }
    }
    let dropped = Arc::new(AtomicBool::new(false));
    let told = Told(Arc::clone(&dropped));
    run(async move {
        let clock = Real(Instant::now());
        let mut call = Call::begin(async move {
            let _told = told;
            std::future::pending::<()>().await;
        });
        assert_eq!(call.result(&clock, LIMIT).await, Err(Lost::NotDone(LIMIT)));
        assert!(call.withdraw(&clock).await && clock.now() >= LIMIT);
    });
    assert!(dropped.load(Ordering::Acquire));
}

#[test]
fn a_call_that_blocks_its_thread_holds_up_nobody_and_is_known_to_go_on() {
    run(async {
        let clock = Real(Instant::now());
        let mut call = Call::begin(async {
            loop {
                std::thread::park();
            }
        });
        assert_eq!(call.result(&clock, LIMIT).await, Err::<(), _>(Lost::NotDone(LIMIT)));
        assert!(!call.has_ended());
    });
}

#[test]
fn a_call_that_panics_tells_the_text() {
    let output = run(async {
        call(&Real(Instant::now()), LIMIT * 100, async { assert!(LIMIT.is_zero(), "the rope is torn") }).await
    });
    assert_eq!(output, Err(Lost::Panicked("the rope is torn".into())));
}
