use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use super::Custom;
use crate::model::Outcome;
use crate::port::{self, Begins, BoxFuture};
use crate::sys::runtime;

/// A user's own look. It is anybody's code and may block its thread, so it never runs on the harness's: the guardian,
/// the revert and the signals are there.
pub(super) struct Own {
    look: Custom,
    door: SocketAddr,
}

impl Own {
    pub(super) fn new(look: Custom, door: SocketAddr) -> Self {
        Self { look, door }
    }
}

impl port::Probe for Own {
    fn check(&self, begins: Begins) -> BoxFuture<'static, Outcome> {
        let (look, door) = (Arc::clone(&self.look), self.door);
        Box::pin(async move {
            let (give_up, given_up) = oneshot::channel::<()>();
            let probes = runtime::probes();
            let task = probes.spawn_blocking(move || {
                begins();
                probes.block_on(async move {
                    tokio::select! {
                        biased;
                        _ = given_up => Outcome::Timeout,
                        // The call itself is part of the look: it may block too.
                        seen = async { look(door).await } => {
                            if seen.is_ok() { Outcome::Good } else { Outcome::Failed }
                        }
                    }
                })
            });
            let _dropped = GiveUp { queued: task.abort_handle(), _running: give_up };
            task.await.unwrap_or(Outcome::Panicked)
        })
    }
}

/// Dropped, a look that waits for a thread never begins, and one that waits for something else ends there.
struct GiveUp {
    queued: AbortHandle,
    _running: oneshot::Sender<()>,
}

impl Drop for GiveUp {
    fn drop(&mut self) {
        self.queued.abort();
    }
}
