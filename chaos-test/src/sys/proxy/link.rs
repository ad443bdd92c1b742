use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

use super::bucket::Bucket;
use crate::model::ConnectionFault;
use crate::port::{Closed, PathShape};
use crate::stats::SplitMix;

/// What all connections of one proxy share.
pub(super) struct Link {
    shape: watch::Sender<PathShape>,
    /// Whether the shape does anything: the one thing an undisturbed connection looks at for every read.
    shaped: AtomicBool,
    /// Where the harness's own measurements come from.
    witnesses: Mutex<HashSet<SocketAddr>>,
    seeds: AtomicU64,
    /// Towards the service, and back.
    pub(super) there: Bucket,
    pub(super) back: Bucket,
}

/// How one connection stands under the shape of its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Bytes pass.
    Open,
    /// Bytes wait.
    Held,
    /// Nothing passes any more, ever: the ends no longer know of one another.
    HalfOpen,
    /// It is to be reset.
    Broken,
}

impl Standing {
    /// How the connection that drew `luck`, from 0 to 1, stands.
    pub(super) fn of(shape: &PathShape, luck: f64) -> Self {
        let hit = shape.connections.filter(|(share, _)| luck < *share).map(|(_, how)| how);
        match (shape.closed, hit) {
            (Some(Closed::Refuse), _) | (_, Some(ConnectionFault::Reset)) => Self::Broken,
            (_, Some(ConnectionFault::HalfOpen)) => Self::HalfOpen,
            (Some(Closed::BlackHole), None) => Self::Held,
            (None, None) => Self::Open,
        }
    }

    /// How it stands after it stood like that. Where packets pass again, the first one over a half-open connection is
    /// answered by a reset (RFC 9293, section 3.5.1).
    pub(super) fn after(self, before: Self) -> Self {
        if before == Self::HalfOpen && self != Self::HalfOpen { Self::Broken } else { self }
    }
}

impl Link {
    pub(super) fn new() -> Self {
        Self {
            shape: watch::Sender::new(PathShape::NONE),
            shaped: AtomicBool::new(false),
            witnesses: Mutex::default(),
            seeds: AtomicU64::new(0),
            there: Bucket::default(),
            back: Bucket::default(),
        }
    }

    pub(super) fn set(&self, shape: PathShape) {
        self.shaped.store(shape != PathShape::NONE, Ordering::Release);
        self.there.restart();
        self.back.restart();
        self.shape.send_replace(shape);
    }

    pub(super) fn is_shaped(&self) -> bool {
        self.shaped.load(Ordering::Acquire)
    }

    /// The share of segments that is lost now.
    pub(super) fn loss(&self) -> f64 {
        self.shape.borrow().loss
    }

    pub(super) fn watch(&self) -> watch::Receiver<PathShape> {
        self.shape.subscribe()
    }

    /// Returns when the connection that drew `luck` is to be reset.
    pub(super) async fn broken(&self, luck: f64) {
        let mut shapes = self.watch();
        let mut standing = Standing::Open;
        loop {
            standing = Standing::of(&shapes.borrow_and_update(), luck).after(standing);
            if standing == Standing::Broken {
                return;
            }
            // The sender lives as long as the link, so this is never an error.
            let _ = shapes.changed().await;
        }
    }

    /// A seed for the dice of one connection, or of one of its directions.
    pub(super) fn seed(&self) -> u64 {
        self.seeds.fetch_add(1, Ordering::Relaxed)
    }

    /// What a new connection draws: where it is among all, from 0 to 1.
    pub(super) fn luck(&self) -> f64 {
        SplitMix::new(self.seed()).unit()
    }

    pub(super) fn expect_witness(&self, from: SocketAddr) {
        self.witnesses.lock().unwrap_or_else(PoisonError::into_inner).insert(from);
    }

    /// Whether a connection from there is a measurement of ours; each is expected once.
    pub(super) fn is_witness(&self, from: SocketAddr) -> bool {
        self.witnesses.lock().unwrap_or_else(PoisonError::into_inner).remove(&from)
    }
}
