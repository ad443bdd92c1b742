use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

use crate::port::PathShape;

/// What all connections of one proxy share.
pub(super) struct Link {
    shape: watch::Sender<PathShape>,
    /// Whether the shape does anything: the one thing an undisturbed connection looks at for every read.
    shaped: AtomicBool,
    /// Where the harness's own round-trip measurements come from.
    witnesses: Mutex<HashSet<SocketAddr>>,
    seeds: AtomicU64,
}

impl Link {
    pub(super) fn new() -> Self {
        Self {
            shape: watch::Sender::new(PathShape::default()),
            shaped: AtomicBool::new(false),
            witnesses: Mutex::default(),
            seeds: AtomicU64::new(0),
        }
    }

    pub(super) fn set(&self, shape: PathShape) {
        self.shaped.store(shape != PathShape::default(), Ordering::Release);
        self.shape.send_replace(shape);
    }

    pub(super) fn is_shaped(&self) -> bool {
        self.shaped.load(Ordering::Acquire)
    }

    pub(super) fn watch(&self) -> watch::Receiver<PathShape> {
        self.shape.subscribe()
    }

    /// A seed for a connection's jitter.
    pub(super) fn seed(&self) -> u64 {
        self.seeds.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn expect_witness(&self, from: SocketAddr) {
        self.witnesses.lock().unwrap_or_else(PoisonError::into_inner).insert(from);
    }

    /// Whether a connection from there is a measurement of ours; each is expected once.
    pub(super) fn is_witness(&self, from: SocketAddr) -> bool {
        self.witnesses.lock().unwrap_or_else(PoisonError::into_inner).remove(&from)
    }
}
