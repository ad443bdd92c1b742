//! The TCP proxy in front of every service.
//!
//! Purpose: a service keeps one address for the whole test, and the traffic to it can be shaped from inside this
//! process, without privileges.
//!
//! Invariants: no byte is lost, added or reordered on a connection that lasts; a half-close stays a half-close and a
//! reset a reset; a change of the shape applies to open connections at once, its end also to bytes that wait; what
//! waits in a delay line is bounded. The port stays this proxy's while nobody listens on it.
//! Not here: which shape a fault asks for. Not done: delaying the opening of a connection (the kernel accepts it
//! before we see it) and anything below TCP; `docs/mechanisms.md` says what that means.

mod bucket;
mod connector;
mod delay_line;
mod echo;
mod gate;
mod link;
mod pump;
mod relay;
mod resend;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::Interest;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

use crate::port::{BoxFuture, Closed, NetworkPath, PathShape, Tally};
use gate::Admission;
use link::Link;

pub(crate) use connector::Connector;
pub(crate) use relay::Relay;

/// How many clients may wait to be accepted.
const BACKLOG: u32 = 1024;

/// A listening proxy. Its connections end when it is dropped.
pub(crate) struct Proxy {
    address: SocketAddr,
    link: Arc<Link>,
    accepting: AbortHandle,
    /// Bound to the same port and never listening: the kernel gives it to nobody else while the door is closed.
    _reserved: TcpSocket,
}

impl Proxy {
    /// Listens on a free port of 127.0.0.1 and forwards to `upstream`.
    pub(crate) async fn start(upstream: impl Connector) -> io::Result<Self> {
        super::descriptors::raise();
        let link = Arc::new(Link::new());
        let serving = Arc::clone(&link);
        let harness = super::runtime::harness();
        // Bound and served on the harness's threads: the caller's runtime may stop or block.
        let opened = harness.spawn(async {
            let reserved = bound((Ipv4Addr::LOCALHOST, 0).into())?;
            let address = reserved.local_addr()?;
            io::Result::Ok((reserved, address, bound(address)?.listen(BACKLOG)?))
        });
        let (reserved, address, listener) = opened.await.map_err(io::Error::other)??;
        let accepting =
            harness.spawn(keep_open(listener, address, Arc::new(upstream), serving)).abort_handle();
        Ok(Self { address, link, accepting, _reserved: reserved })
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
        on_harness(echo::round_trip(Arc::clone(&self.link), self.address))
    }

    fn transfer(&self, bytes: usize) -> BoxFuture<'static, io::Result<Duration>> {
        on_harness(echo::transfer(Arc::clone(&self.link), self.address, bytes))
    }

    fn trials(&self, count: u32, patience: Duration) -> BoxFuture<'static, io::Result<Tally>> {
        on_harness(echo::trials(Arc::clone(&self.link), self.address, count, patience))
    }
}

/// A measurement, made on the harness's threads whoever waits for it, and given up with whoever waits.
fn on_harness<T: Send + 'static>(
    measuring: impl Future<Output = io::Result<T>> + Send + 'static,
) -> BoxFuture<'static, io::Result<T>> {
    Box::pin(async move {
        let mut task = JoinSet::new();
        task.spawn_on(measuring, super::runtime::harness());
        match task.join_next().await {
            Some(measured) => measured.map_err(io::Error::other)?,
            None => Err(io::Error::other("no measurement was begun")),
        }
    })
}

/// A socket bound to that address together with others of ours, of which one may listen.
fn bound(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// Accepts connections, and closes the listening socket while the door refuses them.
async fn keep_open(
    listener: TcpListener,
    address: SocketAddr,
    upstream: Arc<dyn Connector>,
    link: Arc<Link>,
) {
    // Dropping the set ends its connections, so they end with this task.
    let mut connections = JoinSet::new();
    let mut shapes = link.watch();
    let refuses = |shape: &PathShape| shape.closed == Some(Closed::Refuse);
    let mut open = Some(listener);
    loop {
        // The sender lives as long as the link, so waiting for a shape is never an error.
        match open.take() {
            Some(listener) => {
                tokio::select! {
                    biased;
                    _ = shapes.wait_for(refuses) => {}
                    () = accept(&listener, &upstream, &link, &mut connections) => {}
                }
            }
            None => {
                tokio::select! {
                    _ = shapes.wait_for(|shape| !refuses(shape)) => {}
                    () = ended(&mut connections) => {}
                }
                match bound(address).and_then(|socket| socket.listen(BACKLOG)) {
                    Ok(listener) => open = Some(listener),
                    Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
                }
            }
        }
    }
}

async fn accept(
    listener: &TcpListener,
    upstream: &Arc<dyn Connector>,
    link: &Arc<Link>,
    connections: &mut JoinSet<()>,
) {
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((client, from)) => {
                    let (link, upstream) = (Arc::clone(link), Arc::clone(upstream));
                    connections.spawn(async move { serve(client, from, &*upstream, &link).await });
                }
                // Out of descriptors, or the client is gone already: neither is mended by giving up.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

/// Never returns; only forgets connections that have ended.
async fn ended(connections: &mut JoinSet<()>) {
    while connections.join_next().await.is_some() {}
    std::future::pending().await
}

/// Returns when the client has closed its end, and a while after: one that only sends no more has closed it too.
async fn given_up(client: &TcpStream) {
    const LOOK: Duration = Duration::from_millis(100);
    // Long enough for two SYNs that were lost, of one who has said all and waits for the answer.
    const GRACE: Duration = Duration::from_secs(4);
    // What it has sent stays unread, and so it is ready all the time.
    while client.ready(Interest::READABLE).await.is_ok_and(|ready| !ready.is_read_closed()) {
        tokio::time::sleep(LOOK).await;
    }
    tokio::time::sleep(GRACE).await;
}

async fn serve(mut client: TcpStream, from: SocketAddr, upstream: &dyn Connector, link: &Link) {
    let witness = link.is_witness(from);
    let luck = link.luck();
    let early = match gate::admit(&mut client, luck, link).await {
        Admission::Through(early) => early,
        Admission::Gone => return,
        Admission::Broken => {
            let _ = client.set_zero_linger();
            return;
        }
    };
    let connecting = async {
        match witness {
            true => echo::connect_to_it().await,
            false => upstream.connect().await,
        }
    };
    // A connection that nobody wants any more, or that the path breaks, gives up trying, as its client's own would.
    let server = tokio::select! {
        biased;
        () = link.broken(luck) => Err(io::ErrorKind::ConnectionReset.into()),
        server = connecting => server,
        () = given_up(&client) => Err(io::ErrorKind::ConnectionAborted.into()),
    };
    let Ok(server) = server else {
        // The service is down. We have accepted already, so the nearest to a refusal is a reset.
        let _ = client.set_zero_linger();
        return;
    };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    pump::relay(client, server, early, luck, link).await;
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;

    /// A service to which no connection opens. It has a copy of this, and whoever still tries has one.
    struct Nowhere(Arc<()>);

    impl Connector for Nowhere {
        fn connect(&self) -> BoxFuture<'static, io::Result<TcpStream>> {
            let trying = Arc::clone(&self.0);
            Box::pin(async move {
                let _trying = trying;
                std::future::pending().await
            })
        }
    }

    async fn until_there_are(copies: usize, of: &Arc<()>) {
        for _ in 0..1000 {
            if Arc::strong_count(of) == copies {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{} and not {copies}", Arc::strong_count(of));
    }

    #[tokio::test]
    async fn nobody_goes_on_trying_for_a_client_that_is_gone() {
        let trying = Arc::new(());
        let proxy = Proxy::start(Nowhere(Arc::clone(&trying))).await.expect("a free port");
        let mut client = TcpStream::connect(proxy.address()).await.expect("the door is open");
        client.write_all(b"an order").await.expect("it is taken");
        until_there_are(3, &trying).await;
        drop(client);
        until_there_are(2, &trying).await;
    }
}
