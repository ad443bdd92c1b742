use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::port::{BoxFuture, Clock};

/// How long a call of the injector may take. No second passes while somebody waits for one, which is how it is known.
pub(super) const PATIENCE: Duration = Duration::from_secs(1_000_000);

/// A clock on which a second takes as long as what happens in it: it goes on to the next instant somebody waits for once
/// everybody waits.
#[derive(Clone, Default)]
pub(super) struct Virtual(Arc<Mutex<Sleepers>>);

#[derive(Default)]
struct Sleepers {
    now: Duration,
    waiting: BTreeMap<(Duration, u64), Waker>,
    /// Woken, and not yet seen to be awake.
    woken: usize,
    count: u64,
}

impl Virtual {
    fn lock(&self) -> MutexGuard<'_, Sleepers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs that on this clock.
    pub(super) fn run<T>(&self, work: impl Future<Output = T>) -> T {
        let (idle, over) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (parks, wakes) = (Arc::clone(&idle), Arc::clone(&idle));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .on_thread_park(move || parks.store(true, Ordering::Release))
            .on_thread_unpark(move || wakes.store(false, Ordering::Release))
            .build()
            .expect("a runtime");
        let (clock, ends) = (self.clone(), Arc::clone(&over));
        let driver = std::thread::spawn(move || {
            while !ends.load(Ordering::Acquire) {
                if idle.load(Ordering::Acquire) {
                    clock.go_on(&idle);
                }
                std::thread::sleep(Duration::from_micros(20));
            }
        });
        let output = runtime.block_on(work);
        over.store(true, Ordering::Release);
        driver.join().expect("it only counts");
        runtime.shutdown_background();
        output
    }

    /// Wakes whoever waits for the next instant, unless somebody is at work.
    fn go_on(&self, idle: &AtomicBool) {
        let mut sleepers = self.lock();
        let called = sleepers.waiting.range((PATIENCE, 0)..(PATIENCE * 2, 0)).next().is_some();
        if sleepers.woken > 0 || called || !idle.load(Ordering::Acquire) {
            return;
        }
        let Some(((at, _), waker)) = sleepers.waiting.pop_first() else { return };
        sleepers.now = sleepers.now.max(at);
        sleepers.woken += 1;
        drop(sleepers);
        waker.wake();
    }
}

impl Clock for Virtual {
    fn now(&self) -> Duration {
        self.lock().now
    }

    fn sleep_until(&self, at: Duration) -> BoxFuture<'static, ()> {
        Box::pin(Sleep { clock: self.clone(), at, key: None })
    }
}

struct Sleep {
    clock: Virtual,
    at: Duration,
    key: Option<(Duration, u64)>,
}

impl Sleep {
    /// No longer waiting, one way or the other.
    fn forget(&mut self, sleepers: &mut Sleepers) {
        if let Some(key) = self.key.take()
            && sleepers.waiting.remove(&key).is_none()
        {
            sleepers.woken -= 1;
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let clock = self.clock.clone();
        let mut sleepers = clock.lock();
        self.forget(&mut sleepers);
        if sleepers.now >= self.at {
            return Poll::Ready(());
        }
        sleepers.count += 1;
        let key = (self.at, sleepers.count);
        sleepers.waiting.insert(key, context.waker().clone());
        self.key = Some(key);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let clock = self.clock.clone();
        self.forget(&mut clock.lock());
    }
}
