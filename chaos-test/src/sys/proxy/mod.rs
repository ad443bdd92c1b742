//! The TCP proxy in front of every service.
//!
//! Purpose: a service keeps one address for the whole test, and the traffic to it can be shaped from inside this
//! process, without privileges.
//!
//! Invariants: no byte is lost, added or reordered; a half-close stays a half-close and a reset a reset; a change of
//! the shape applies to open connections at once; what waits in a delay line is bounded.
//! Not here: which shape a fault asks for. Not done: delaying the opening of a connection (the kernel accepts it
//! before we see it) and anything below TCP; `docs/mechanisms.md` says what that means.

mod delay_line;
mod echo;
mod link;
mod pump;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

use crate::port::{BoxFuture, NetworkPath, PathShape};
use link::Link;

/// A listening proxy. Its connections end when it is dropped.
pub(crate) struct Proxy {
    address: SocketAddr,
    link: Arc<Link>,
    accepting: AbortHandle,
}

impl Proxy {
    /// Listens on a free port of 127.0.0.1 and forwards to `upstream`.
    pub(crate) async fn start(upstream: SocketAddr) -> io::Result<Self> {
        let link = Arc::new(Link::new());
        let serving = Arc::clone(&link);
        let harness = super::runtime::harness();
        // Bound and served on the harness's threads: the caller's runtime may stop or block.
        let bound = harness.spawn(async { TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await }).await;
        let listener = bound.map_err(io::Error::other)??;
        let address = listener.local_addr()?;
        let accepting = harness.spawn(accept(listener, upstream, serving)).abort_handle();
        Ok(Self { address, link, accepting })
    }

    /// Where clients connect.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl NetworkPath for Proxy {
    fn shape(&self, shape: PathShape) {
        self.link.set(shape);
    }

    fn round_trip(&self) -> BoxFuture<'static, io::Result<Duration>> {
        let (link, address) = (Arc::clone(&self.link), self.address);
        Box::pin(async move {
            let measured = super::runtime::harness().spawn(echo::round_trip(link, address)).await;
            measured.map_err(io::Error::other)?
        })
    }
}

async fn accept(listener: TcpListener, upstream: SocketAddr, link: Arc<Link>) {
    // Dropping the set ends its connections, so they end with this task.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((client, from)) => {
                    let link = Arc::clone(&link);
                    connections.spawn(async move { serve(client, from, upstream, &link).await });
                }
                // Out of descriptors, or the client is gone already: neither is mended by giving up.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

async fn serve(client: TcpStream, from: SocketAddr, upstream: SocketAddr, link: &Link) {
    let to = if link.is_witness(from) { echo::address().await } else { Ok(upstream) };
    let server = match to {
        Ok(to) => TcpStream::connect(to).await,
        Err(error) => Err(error),
    };
    let Ok(server) = server else {
        // The service is down. We have accepted already, so the nearest to a refusal is a reset.
        let _ = client.set_zero_linger();
        return;
    };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    pump::relay(client, server, link).await;
}
