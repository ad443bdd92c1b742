//! What a network does to packets, measured between two ends of our own inside it.
//!
//! The sockets are made inside and used from here. Nothing of what makes faults happen is asked: no counter, no queue.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::namespace::Namespace;
use crate::sys::timer::now;

/// How many datagrams are sent before those that arrived are read: fewer than the smallest buffer holds.
const AT_ONCE: u32 = 64;
/// How long nothing has to come until nothing more is expected.
const QUIET: Duration = Duration::from_millis(20);

/// Answers whoever connects with what it sends, as long as this process and the namespace are there.
pub(super) async fn echo(namespace: Arc<Namespace>) -> io::Result<SocketAddr> {
    let inside = Arc::clone(&namespace);
    let listening = move || inside.listen(([127, 0, 0, 1], 0).into());
    let listener = tokio::task::spawn_blocking(listening).await.map_err(io::Error::other)??;
    let address = listener.local_addr()?;
    let listener = TcpListener::from_std(listener)?;
    let answering = crate::sys::runtime::harness().spawn(async move {
        // Dropped with this task, and their connections with them.
        let mut open = JoinSet::new();
        loop {
            // Too many open files are no reason to give up.
            let Ok((mut stream, _)) = listener.accept().await else {
                tokio::time::sleep(QUIET).await;
                continue;
            };
            while open.try_join_next().is_some() {}
            open.spawn(async move {
                let _ = stream.set_nodelay(true);
                let mut bytes = [0; 64];
                while let Ok(n @ 1..) = stream.read(&mut bytes).await {
                    if stream.write_all(&bytes[..n]).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    namespace.ends(answering.abort_handle());
    Ok(address)
}

/// Sends a byte to the echo and waits for it, on a connection that is open already.
pub(super) async fn round_trip(namespace: Arc<Namespace>, echo: SocketAddr) -> io::Result<Duration> {
    let mut stream = namespace.connect(echo).await?;
    stream.set_nodelay(true)?;
    let sent = now();
    stream.write_all(b"?").await?;
    stream.read_exact(&mut [0]).await?;
    let took = now() - sent;
    // Gone at once: no farewell waits in anybody's queue.
    let _ = stream.set_zero_linger();
    Ok(took)
}

/// Sends so many packets and counts the share that does not arrive. Blocks.
pub(super) fn lost(namespace: &Namespace, packets: u32) -> io::Result<f64> {
    let (from, to) = (namespace.datagrams()?, namespace.datagrams()?);
    to.set_nonblocking(true)?;
    from.connect(to.local_addr()?)?;
    let sender = from.local_addr()?;
    let mut arrived = 0;
    for packet in 0..packets {
        from.send(&packet.to_ne_bytes())?;
        if packet % AT_ONCE == AT_ONCE - 1 {
            arrived += read(&to, sender)?;
        }
    }
    let mut last = now();
    while arrived < packets && now() < last + QUIET {
        let more = read(&to, sender)?;
        if more > 0 {
            (arrived, last) = (arrived + more, now());
        } else {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    Ok(f64::from(packets.saturating_sub(arrived)) / f64::from(packets.max(1)))
}

fn read(socket: &UdpSocket, sender: SocketAddr) -> io::Result<u32> {
    let mut arrived = 0;
    loop {
        match socket.recv_from(&mut [0; 4]) {
            Ok((_, from)) => arrived += u32::from(from == sender),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(arrived),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
