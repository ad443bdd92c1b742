use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::timeout;

use super::lines::Peer;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_millis(300);

/// A service with a pool of four connections. It keeps those that a fault has broken; the healthy one drops them.
pub(super) struct Service {
    upstream: SocketAddr,
    healthy: bool,
    pool: [Mutex<Option<Peer>>; 4],
    next: AtomicUsize,
}

impl Service {
    pub(super) fn new(upstream: SocketAddr, healthy: bool) -> Self {
        Self { upstream, healthy, pool: Default::default(), next: AtomicUsize::new(0) }
    }

    pub(super) async fn answer(self: Arc<Self>) -> bool {
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.pool.len();
        let asked = timeout(PATIENCE, async {
            let mut kept = self.pool[turn].lock().await;
            let mut peer = match kept.take() {
                Some(peer) => peer,
                None => Peer::connect(self.upstream).await.ok()?,
            };
            let answered = peer.ask("hello").await.is_ok();
            if answered || !self.healthy {
                *kept = Some(peer);
            }
            Some(answered)
        });
        asked.await.ok().flatten().unwrap_or(false)
    }
}
