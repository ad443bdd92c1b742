//! What a container's network does to packets, measured between two helpers of ours.
//!
//! One echoes in the container's network, the other sends from the environment's: the packets take the way of everybody's
//! who calls the service. Neither has part in a fault, nor may touch what packets are treated by.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::{ManagedContainer, Place, Sidecar};
use crate::port::ContainerControl;
use crate::sys::sidecar::{self, PATIENCE, net};

/// How long the datagrams of one measurement may take, each at its slowest: that none of a handful comes back.
const PER_DATAGRAM: Duration = Duration::from_millis(2);

/// The two helpers, from the first measurement on.
pub(super) struct Witness {
    target: Arc<ManagedContainer>,
    echo: Option<Echo>,
    sender: Option<Sidecar>,
}

struct Echo {
    _sidecar: Sidecar,
    /// The start of the target whose network it is in, and that network's name.
    of: (String, String),
    streams: SocketAddr,
    datagrams: SocketAddr,
}

impl Witness {
    pub(super) fn of(target: Arc<ManagedContainer>) -> Self {
        Self { target, echo: None, sender: None }
    }

    pub(super) async fn round_trip(&mut self) -> io::Result<Duration> {
        let to = self.echo().await?.streams;
        match self.send(net::Order::RoundTrip { to }, PATIENCE * 2).await? {
            net::Reply::Took { time } => Ok(time),
            other => Err(unexpected(&other)),
        }
    }

    pub(super) async fn lost(&mut self, packets: u32) -> io::Result<f64> {
        let to = self.echo().await?.datagrams;
        match self.send(net::Order::Count { to, packets }, PER_DATAGRAM * packets).await? {
            net::Reply::Lost { share } => Ok(share),
            other => Err(unexpected(&other)),
        }
    }

    pub(super) async fn knock(&mut self, to: SocketAddr) -> io::Result<bool> {
        match self.send(net::Order::Knock { to }, PATIENCE).await? {
            net::Reply::Knocked { open } => Ok(open),
            other => Err(unexpected(&other)),
        }
    }

    /// The echo in the network that the target is in now: each of its starts has a new one.
    async fn echo(&mut self) -> io::Result<&Echo> {
        let state = self.target.look().await?;
        let Some(address) = state.address else {
            self.echo = None;
            return Err(io::Error::new(io::ErrorKind::NotConnected, "it has no address: it is down"));
        };
        let of = (state.started_at, state.network);
        let echo = match self.echo.take().filter(|echo| echo.of == of) {
            Some(echo) => echo,
            None => {
                let sidecar = Sidecar::start(self.place(format!("container:{}", self.target.id))).await?;
                let (streams, datagrams) = match ask(&sidecar, net::Order::Echo, Duration::ZERO).await? {
                    net::Reply::Echoes { streams, datagrams } => (streams, datagrams),
                    other => return Err(unexpected(&other)),
                };
                let at = |port| SocketAddr::new(address, port);
                Echo { _sidecar: sidecar, of, streams: at(streams), datagrams: at(datagrams) }
            }
        };
        Ok(self.echo.insert(echo))
    }

    /// Lets the other one do that. If it cannot, both are made anew the next time.
    async fn send(&mut self, order: net::Order, takes: Duration) -> io::Result<net::Reply> {
        let sender = match self.sender.take() {
            Some(sender) => sender,
            None => Sidecar::start(self.place(self.target.network.clone())).await?,
        };
        match ask(&sender, order, takes).await {
            Ok(reply) => {
                self.sender = Some(sender);
                Ok(reply)
            }
            Err(error) => {
                self.echo = None;
                Err(error)
            }
        }
    }

    /// A helper that may do nothing that any process may not.
    fn place(&self, network: String) -> Place {
        let ManagedContainer { mark, service, .. } = &*self.target;
        Place { mark: mark.clone(), service: service.clone(), network, ..Place::default() }
    }
}

async fn ask(sidecar: &Sidecar, order: net::Order, takes: Duration) -> io::Result<net::Reply> {
    match sidecar.ask(&sidecar::Order::Net { net: order }, takes).await? {
        sidecar::Reply::Net { net } => Ok(net),
        other => Err(io::Error::other(format!("its helper said {other:?}"))),
    }
}

fn unexpected(reply: &net::Reply) -> io::Error {
    io::Error::other(format!("its helper said {reply:?}"))
}
