//! The witness of a shaped path: real bytes through the same listener and the same relay, answered by an echo of our
//! own instead of the service, so the service's own time is not in the figure.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::OnceCell;

use super::link::Link;
use crate::sys::timer;

/// Where the echo of this process listens.
pub(super) async fn address() -> io::Result<SocketAddr> {
    static ECHO: OnceCell<SocketAddr> = OnceCell::const_new();
    let start = || async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        crate::sys::runtime::harness().spawn(answer(listener));
        Ok(address)
    };
    ECHO.get_or_try_init(start).await.copied()
}

async fn answer(listener: TcpListener) {
    while let Ok((mut stream, _)) = listener.accept().await {
        tokio::spawn(async move {
            let _ = stream.set_nodelay(true);
            let mut bytes = [0; 64];
            while let Ok(n @ 1..) = stream.read(&mut bytes).await {
                if stream.write_all(&bytes[..n]).await.is_err() {
                    return;
                }
            }
        });
    }
}

/// Sends a byte through the proxy at `door` and waits for its echo.
pub(super) async fn round_trip(link: Arc<Link>, door: SocketAddr) -> io::Result<Duration> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
    let from = socket.local_addr()?;
    link.expect_witness(from);
    let connected = socket.connect(door).await;
    if connected.is_err() {
        // Not used, and somebody else may get that port next.
        link.is_witness(from);
    }
    let mut stream = connected?;
    stream.set_nodelay(true)?;
    let sent = timer::now();
    stream.write_all(b"?").await?;
    stream.read_exact(&mut [0]).await?;
    Ok(timer::now() - sent)
}
