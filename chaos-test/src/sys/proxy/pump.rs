use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};

use super::delay_line::{DelayLine, Parcel};
use super::link::Link;
use crate::sys::timer;

/// Bytes moved at a time.
const CHUNK: usize = 16 * 1024;

/// Carries bytes both ways until both sides are done or one breaks.
pub(super) async fn relay(mut client: TcpStream, mut server: TcpStream, link: &Link) {
    let ended = {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        tokio::try_join!(pump(from_client, to_server, link), pump(from_server, to_client, link))
    };
    if ended.is_err() {
        // One side broke the connection: so does the other see it.
        let _ = (client.set_zero_linger(), server.set_zero_linger());
    }
}

/// Carries bytes one way. Ends well after a half-close has been passed on.
async fn pump(mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, link: &Link) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = from.read(&mut chunk).await;
        if link.is_shaped() {
            let mut line = DelayLine::new(link.seed());
            line.push(timer::now(), parcel(read, &chunk));
            if carry_shaped(&mut from, &mut to, link, line, &mut chunk).await? {
                return Ok(());
            }
            continue;
        }
        match read? {
            0 => return to.shutdown().await,
            n => to.write_all(&chunk[..n]).await?,
        }
    }
}

fn parcel(read: io::Result<usize>, chunk: &[u8]) -> Parcel {
    match read {
        Ok(0) => Parcel::End,
        Ok(n) => Parcel::Bytes(chunk[..n].to_vec()),
        Err(_) => Parcel::Reset,
    }
}

/// Carries bytes one way through a delay line until the direction ends (true) or the line is empty and the path is
/// no longer shaped (false).
async fn carry_shaped(
    from: &mut ReadHalf<'_>,
    to: &mut WriteHalf<'_>,
    link: &Link,
    mut line: DelayLine,
    chunk: &mut [u8],
) -> io::Result<bool> {
    let mut shapes = link.watch();
    loop {
        let shape = *shapes.borrow_and_update();
        if line.is_empty() && !link.is_shaped() {
            return Ok(false);
        }
        // While nothing waits this sleep is not polled; any instant will do.
        let due = line.due(shape).unwrap_or_else(timer::now);
        tokio::select! {
            biased;
            () = timer::sleep_until(due), if !line.is_empty() => match line.pop() {
                Some(Parcel::Bytes(bytes)) => to.write_all(&bytes).await?,
                Some(Parcel::Reset) => return Err(io::ErrorKind::ConnectionReset.into()),
                Some(Parcel::End) => {
                    to.shutdown().await?;
                    return Ok(true);
                }
                None => {}
            },
            read = from.read(chunk), if line.takes_more() => line.push(timer::now(), parcel(read, chunk)),
            // The sender lives as long as the link, so this is never an error.
            _ = shapes.changed() => {}
        }
    }
}
