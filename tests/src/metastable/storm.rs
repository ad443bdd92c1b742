use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::lines;

/// What one piece of work takes: two hundred a second are done.
const WORK: Duration = Duration::from_millis(5);
/// As many may wait: two seconds' worth.
const QUEUE: usize = 400;
/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_millis(150);
/// How often a request is tried. Fifty requests a second with eight tries each are twice what the worker can do.
const TRIES: u32 = 8;

/// Does what it is asked for, one after the other, also for who has gone meanwhile.
pub(super) async fn worker(port: u16) -> std::io::Result<()> {
    let (queue, mut work) = mpsc::channel::<oneshot::Sender<()>>(QUEUE);
    tokio::spawn(async move {
        let mut free = Instant::now();
        while let Some(done) = work.recv().await {
            // By the clock: a timer that is late does not make it slower.
            free = free.max(Instant::now()) + WORK;
            sleep_until(free).await;
            let _ = done.send(());
        }
    });
    lines::serve(port, move |_| {
        let queue = queue.clone();
        async move {
            let (done, finished) = oneshot::channel();
            match queue.try_send(done) {
                Ok(()) if finished.await.is_ok() => "done".into(),
                _ => "busy".into(),
            }
        }
    })
    .await
}

/// A service whose retries keep its dependency above what that can do, once they have begun. The healthy one pauses before
/// each, makes two at most, and pays for them from a budget that one request in ten fills.
pub(super) struct Service {
    worker: SocketAddr,
    budget: Option<Mutex<f64>>,
}

impl Service {
    pub(super) fn new(worker: SocketAddr, healthy: bool) -> Self {
        Self { worker, budget: healthy.then(|| Mutex::new(5.0)) }
    }

    pub(super) async fn answer(self: Arc<Self>) -> bool {
        self.pay(-0.1);
        let mut pause = Duration::from_millis(50);
        for tried in 1..=TRIES {
            if matches!(timeout(PATIENCE, lines::ask(self.worker, "work")).await, Ok(Ok(said)) if said == "done")
            {
                return true;
            }
            if self.budget.is_some() {
                if tried == 3 || !self.pay(1.0) {
                    return false;
                }
                sleep(pause).await;
                pause *= 2;
            }
        }
        false
    }

    /// Whether there was enough in the budget.
    fn pay(&self, price: f64) -> bool {
        let Some(budget) = &self.budget else { return true };
        let mut left = budget.lock().expect("nobody panics while holding it");
        let enough = *left >= price;
        if enough {
            *left = (*left - price).min(5.0);
        }
        enough
    }
}
