use std::collections::VecDeque;
use std::time::Instant;

use super::bucket::{Bucket, Turn};
use super::resend::{self, SEGMENT};
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
/// When they are due is worked out when it is asked for, so a change of the shape applies to what is already waiting.
pub(super) struct DelayLine {
    waiting: VecDeque<Waiting>,
    bytes: usize,
    closed: bool,
    /// When the last parcel left.
    left: Option<Instant>,
    random: SplitMix,
}

struct Waiting {
    arrived: Instant,
    /// Where between no jitter and all of it this parcel lies, from 0 to 1.
    luck: f64,
    /// How often its first segment is lost.
    losses: u32,
    /// Its turn on a link of limited bandwidth, once it has one.
    turn: Option<Turn>,
    parcel: Parcel,
}

impl DelayLine {
    pub(super) fn new(seed: u64) -> Self {
        Self { waiting: VecDeque::new(), bytes: 0, closed: false, left: None, random: SplitMix::new(seed) }
    }

    /// Takes what has arrived. Each segment of it is lost with probability `loss`.
    pub(super) fn push(&mut self, arrived: Instant, parcel: Parcel, loss: f64) {
        let luck = self.random.unit();
        let mut wait = |parcel, losses| {
            self.waiting.push_back(Waiting { arrived, luck, losses, turn: None, parcel });
        };
        match parcel {
            Parcel::Bytes(bytes) => {
                self.bytes += bytes.len();
                for (piece, losses) in cut(bytes, loss, &mut self.random) {
                    wait(Parcel::Bytes(piece), losses);
                }
            }
            Parcel::End => {
                self.closed = true;
                wait(Parcel::End, resend::losses(loss, &mut self.random));
            }
            // A segment that says that a connection is broken is not sent again.
            Parcel::Reset => {
                self.closed = true;
                wait(Parcel::Reset, 0);
            }
        }
    }

    /// When the first parcel is due under `shape`. Parcels keep their order, so later ones never overtake it.
    pub(super) fn due(&mut self, shape: PathShape, link: &Bucket, now: Instant) -> Option<Instant> {
        let all = self.bytes;
        let first = self.waiting.front_mut()?;
        let length = first.parcel.length();
        let mut due = first.arrived + shape.delay + shape.jitter.mul_f64(first.luck);
        if shape.loss > 0.0 && first.losses > 0 {
            // A sender has a window, not all of its bytes, under way: one loss after the other is found out.
            due = due.max(self.left.unwrap_or(due));
            due += resend::stall(first.losses, all - length.min(SEGMENT), shape.round_trip());
        }
        if due > now || length == 0 {
            return Some(due);
        }
        first.turn = shape.bandwidth.map(|rate| link.turn(first.turn, length, rate, now));
        Some(first.turn.map_or(due, |turn| turn.at))
    }

    /// The first parcel if it is due, or as much of it as may pass by its turn.
    pub(super) fn take(&mut self, shape: PathShape, link: &Bucket, now: Instant) -> Option<Parcel> {
        // Asked again: what has just arrived under the shape's delay has yet to take its turn.
        if self.due(shape, link, now)? > now {
            return None;
        }
        let mut first = self.waiting.pop_front()?;
        self.left = Some(now);
        if let Parcel::Bytes(bytes) = &mut first.parcel {
            if let Some(turn) = first.turn
                && turn.bytes < bytes.len()
            {
                let rest = Parcel::Bytes(bytes.split_off(turn.bytes));
                self.waiting.push_front(Waiting { losses: 0, turn: None, parcel: rest, ..first });
            }
            self.bytes -= bytes.len();
        }
        Some(first.parcel)
    }

    /// Whether more may be read from the sender.
    pub(super) fn takes_more(&self) -> bool {
        !self.closed && self.bytes < CAPACITY
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

impl Parcel {
    fn length(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::End | Self::Reset => 0,
        }
    }
}

/// Cuts in front of every segment that is lost, and says how often each first segment is.
fn cut(mut bytes: Vec<u8>, loss: f64, random: &mut SplitMix) -> Vec<(Vec<u8>, u32)> {
    let starts: Vec<_> = (0..bytes.len())
        .step_by(SEGMENT)
        .map(|start| (start, resend::losses(loss, random)))
        .filter(|&(start, losses)| start == 0 || losses > 0)
        .collect();
    let mut pieces: Vec<_> =
        starts.into_iter().rev().map(|(start, losses)| (bytes.split_off(start), losses)).collect();
    pieces.reverse();
    pieces
}
