use std::collections::VecDeque;
use std::time::Instant;

use crate::port::PathShape;
use crate::stats::SplitMix;

/// What may wait in one direction of one connection. A link of 10 Gbit/s and 3 ms holds about as much.
const CAPACITY: usize = 4 * 1024 * 1024;

/// What travels in one direction.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Parcel {
    Bytes(Vec<u8>),
    /// The sender will send no more.
    End,
    /// The sender broke the connection.
    Reset,
}

/// Bytes on their way, in order, each with the time of its arrival.
///
/// The delay is worked out when it is asked for, so a change of the shape applies to what is already waiting.
pub(super) struct DelayLine {
    waiting: VecDeque<Waiting>,
    bytes: usize,
    closed: bool,
    random: SplitMix,
}

struct Waiting {
    arrived: Instant,
    /// Where between no jitter and all of it this parcel lies, from 0 to 1.
    luck: f64,
    parcel: Parcel,
}

impl DelayLine {
    pub(super) fn new(seed: u64) -> Self {
        Self { waiting: VecDeque::new(), bytes: 0, closed: false, random: SplitMix::new(seed) }
    }

    pub(super) fn push(&mut self, arrived: Instant, parcel: Parcel) {
        match &parcel {
            Parcel::Bytes(bytes) => self.bytes += bytes.len(),
            Parcel::End | Parcel::Reset => self.closed = true,
        }
        let luck = self.random.unit();
        self.waiting.push_back(Waiting { arrived, luck, parcel });
    }

    /// When the first parcel is due under `shape`. Parcels keep their order, so later ones never overtake it.
    pub(super) fn due(&self, shape: PathShape) -> Option<Instant> {
        let first = self.waiting.front()?;
        Some(first.arrived + shape.delay + shape.jitter.mul_f64(first.luck))
    }

    pub(super) fn pop(&mut self) -> Option<Parcel> {
        let parcel = self.waiting.pop_front()?.parcel;
        if let Parcel::Bytes(bytes) = &parcel {
            self.bytes -= bytes.len();
        }
        Some(parcel)
    }

    /// Whether more may be read from the sender.
    pub(super) fn takes_more(&self) -> bool {
        !self.closed && self.bytes < CAPACITY
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}
