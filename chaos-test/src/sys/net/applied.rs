//! What is done to the packets of the network this process is in.

use std::io;

use super::found::Means;
use super::link::{self, LOOPBACK};
use super::nft::{Queueing, Table};
use super::queue::Queue;
use super::{holder::Holder, netem};
use crate::port::PacketShape;

/// Which packets are treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// All of a network that has nothing but a loopback.
    All,
    /// Those that come in from others, where the loopback has to be left alone: an engine's own name service is on it.
    /// netem, which only links that send can have, treats the answers instead: a round trip is the same.
    FromOutside,
}

impl Which {
    fn links(self) -> io::Result<Vec<i32>> {
        match self {
            Self::All => Ok(vec![LOOPBACK]),
            Self::FromOutside => link::others(),
        }
    }
}

/// What is done to packets, until it is undone. All but netem ends with this process.
#[derive(Debug)]
pub(crate) enum Applied {
    Netem { which: Which },
    Drop { _table: Table },
    Queue(Box<Queue>),
    Held(Holder),
}

impl Applied {
    /// Does that to them. A queue has to be read.
    pub(crate) fn new(name: &str, means: Means, which: Which, shape: PacketShape) -> io::Result<Self> {
        let how = |native| if native { Queueing::Native } else { Queueing::Compat };
        Ok(match means {
            Means::Netem => {
                let links = which.links()?;
                if links.is_empty() {
                    return Err(io::Error::new(io::ErrorKind::NotFound, "it has no link to others"));
                }
                for link in links {
                    if let Err(error) = netem::add(link, &shape) {
                        let _ = tidy(which);
                        return Err(error);
                    }
                }
                Self::Netem { which }
            }
            Means::Drop => Self::Drop { _table: Table::dropping(name, which, shape.loss)? },
            Means::Queue { native } => Self::Queue(Box::new(Queue::open(name, which, shape, how(native))?)),
        })
    }

    /// The same, with a thread that reads the queue if there is one.
    pub(crate) fn held(name: &str, means: Means, which: Which, shape: PacketShape) -> io::Result<Self> {
        Ok(match Self::new(name, means, which, shape)? {
            Self::Queue(queue) => Self::Held(Holder::of(*queue)?),
            other => other,
        })
    }

    pub(crate) fn undo(self) -> io::Result<()> {
        match self {
            Self::Netem { which } => tidy(which),
            // Its table goes with its socket.
            Self::Drop { .. } => Ok(()),
            Self::Queue(queue) => queue.end(),
            Self::Held(holder) => holder.end(),
        }
    }
}

/// Removes queueing disciplines of ours. Nothing to remove is no error.
pub(crate) fn tidy(which: Which) -> io::Result<()> {
    which.links()?.into_iter().map(netem::remove).fold(Ok(()), io::Result::and)
}
