//! What a helper does in the network it was placed in: faults on packets, an echo, and measurements.
//!
//! Who makes a fault, who echoes and who measures are three helpers: one does not vouch for another.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{echo, measure};
use crate::port::PacketShape;
use crate::sys::net::{Applied, Found, Means, Which, tidy, try_all};

/// What it is asked to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "do")]
pub(crate) enum Order {
    /// Find out what can be done to packets, in a network that nobody else is in.
    Try,
    /// Do that to all packets that come in from outside.
    Apply { name: String, means: Means, delay: Duration, jitter: Duration, loss: f64 },
    /// Undo it.
    Undo,
    /// Remove queueing disciplines of ours that were left.
    Tidy,
    /// Answer whoever sends something with what it sends, from now on.
    Echo,
    /// Send a byte to an echo, on a new connection.
    RoundTrip { to: SocketAddr },
    /// Send so many datagrams to an echo.
    Count { to: SocketAddr, packets: u32 },
    /// Try whether somebody takes connections there.
    Knock { to: SocketAddr },
}

/// What came of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "what")]
pub(crate) enum Reply {
    Done,
    Tried {
        found: Found,
    },
    /// The ports the echo is at: for streams and for datagrams.
    Echoes {
        streams: u16,
        datagrams: u16,
    },
    Took {
        time: Duration,
    },
    /// The share of what was sent that did not come back.
    Lost {
        share: f64,
    },
    Knocked {
        open: bool,
    },
}

impl Order {
    pub(crate) fn apply(name: String, means: Means, shape: PacketShape) -> Self {
        let PacketShape { delay, jitter, loss } = shape;
        Self::Apply { name, means, delay, jitter, loss }
    }
}

/// What one helper does to packets.
#[derive(Debug, Default)]
pub(super) struct Packets {
    applied: Option<Applied>,
}

impl Packets {
    pub(super) fn obey(&mut self, order: Order) -> io::Result<Reply> {
        Ok(match order {
            Order::Try => Reply::Tried { found: try_all() },
            Order::Apply { name, means, delay, jitter, loss } => {
                self.undo()?;
                let shape = PacketShape { delay, jitter, loss };
                self.applied = Some(Applied::held(&name, means, Which::FromOutside, shape)?);
                Reply::Done
            }
            Order::Undo => {
                self.undo()?;
                Reply::Done
            }
            Order::Tidy => {
                tidy(Which::FromOutside)?;
                Reply::Done
            }
            Order::Echo => {
                let (streams, datagrams) = echo::serve()?;
                Reply::Echoes { streams, datagrams }
            }
            Order::RoundTrip { to } => Reply::Took { time: measure::round_trip(to)? },
            Order::Count { to, packets } => Reply::Lost { share: measure::lost(to, packets)? },
            Order::Knock { to } => Reply::Knocked { open: measure::knock(to)? },
        })
    }

    /// Undoes what was done. Nothing to undo is no error.
    pub(super) fn undo(&mut self) -> io::Result<()> {
        self.applied.take().map_or(Ok(()), Applied::undo)
    }
}
