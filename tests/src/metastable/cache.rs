use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::lines;

/// What the expensive thing takes where nothing else is computed; those computed at once share the processor.
const COST: Duration = Duration::from_millis(400);
/// How long a request may take. Fifty a second that all compute leave each of them a fraction of what it needs.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long the cache is waited for.
const LOOK: Duration = Duration::from_millis(100);

/// A cache of one value, empty when it starts.
pub(super) async fn store(port: u16) -> std::io::Result<()> {
    let value = Arc::new(Mutex::new(None::<String>));
    lines::serve(port, move |line| {
        let mut value = value.lock().expect("nobody panics while holding it");
        if let Some(new) = line.strip_prefix("set ") {
            *value = Some(new.to_owned());
        }
        let said = value.as_ref().map_or_else(|| "nothing".into(), |value| format!("value {value}"));
        async move { said }
    })
    .await
}

/// A service in which everybody who finds the cache empty computes, and gives up when out of time. In the healthy one one
/// computes for all of them, and does not give up.
pub(super) struct Service {
    store: SocketAddr,
    healthy: bool,
    computing: Arc<AtomicUsize>,
    flight: Mutex<Option<watch::Receiver<bool>>>,
}

impl Service {
    pub(super) fn new(store: SocketAddr, healthy: bool) -> Self {
        Self { store, healthy, computing: Arc::default(), flight: Mutex::default() }
    }

    /// Fills the cache, before anybody asks.
    pub(super) async fn warm_up(&self) {
        compute(Arc::clone(&self.computing), self.store).await;
    }

    pub(super) async fn answer(self: Arc<Self>) -> bool {
        if matches!(timeout(LOOK, lines::ask(self.store, "get")).await, Ok(Ok(said)) if said.starts_with("value "))
        {
            return true;
        }
        if !self.healthy {
            return timeout(PATIENCE, compute(Arc::clone(&self.computing), self.store)).await.is_ok();
        }
        let mut landed = self.join();
        landed.wait_for(|landed| *landed).await.is_ok()
    }

    /// The one computation under way, begun if there is none.
    fn join(&self) -> watch::Receiver<bool> {
        let mut flight = self.flight.lock().expect("nobody panics while holding it");
        if let Some(under_way) = flight.as_ref().filter(|flight| !*flight.borrow()) {
            return under_way.clone();
        }
        let (land, landed) = watch::channel(false);
        let (computing, store) = (Arc::clone(&self.computing), self.store);
        tokio::spawn(async move {
            compute(computing, store).await;
            land.send_replace(true);
        });
        *flight = Some(landed.clone());
        landed
    }
}

/// Computes the value and puts it into the cache, if that takes it. It takes its share of a processor in time only, so that
/// nobody else on the host has less of it.
async fn compute(computing: Arc<AtomicUsize>, store: SocketAddr) {
    let _share = Share::of(Arc::clone(&computing));
    let (mut done, mut last) = (Duration::ZERO, Instant::now());
    while done < COST {
        sleep(Duration::from_millis(5)).await;
        let sharing = computing.load(Ordering::Relaxed).max(1);
        done += last.elapsed() / u32::try_from(sharing).unwrap_or(u32::MAX);
        last = Instant::now();
    }
    let _ = lines::ask(store, "set 42").await;
}

/// One more that computes, until it is dropped.
struct Share(Arc<AtomicUsize>);

impl Share {
    fn of(computing: Arc<AtomicUsize>) -> Self {
        computing.fetch_add(1, Ordering::Relaxed);
        Self(computing)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
