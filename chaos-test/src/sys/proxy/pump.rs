use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};

use super::bucket::Bucket;
use super::delay_line::{DelayLine, Parcel};
use super::link::{Link, Standing};
use crate::sys::timer;

/// Bytes moved at a time.
const CHUNK: usize = 16 * 1024;

/// Carries bytes both ways until both sides are done, one breaks, or the path breaks the connection that drew `luck`.
/// `early` has been read from the client already.
pub(super) async fn relay(
    mut client: TcpStream,
    mut server: TcpStream,
    early: Vec<u8>,
    luck: f64,
    link: &Link,
) {
    let ended = {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let cut = AtomicBool::new(false);
        let there = Direction { link, luck, bucket: &link.there, cut: &cut };
        let back = Direction { link, luck, bucket: &link.back, cut: &cut };
        let carried = async {
            tokio::try_join!(
                there.pump(from_client, to_server, early),
                back.pump(from_server, to_client, Vec::new())
            )
        };
        tokio::select! {
            // Asked first, always: after it not a byte may pass.
            biased;
            () = link.broken(luck) => Err(io::ErrorKind::ConnectionReset.into()),
            carried = carried => carried,
        }
    };
    if ended.is_err() {
        // One side broke the connection: so does the other see it.
        let _ = (client.set_zero_linger(), server.set_zero_linger());
    }
}

/// One direction of one connection.
struct Direction<'a> {
    link: &'a Link,
    luck: f64,
    bucket: &'a Bucket,
    /// A write has met a reset, of which the kernel tells once: who reads there next is told of a polite end.
    cut: &'a AtomicBool,
}

impl Direction<'_> {
    fn parcel(&self, read: io::Result<usize>, chunk: &[u8]) -> Parcel {
        match read {
            Ok(0) if self.cut.load(Ordering::Acquire) => Parcel::Reset,
            Ok(0) => Parcel::End,
            Ok(n) => Parcel::Bytes(chunk[..n].to_vec()),
            Err(_) => Parcel::Reset,
        }
    }

    /// Carries bytes one way. Ends well after a half-close has been passed on.
    async fn pump(&self, mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, early: Vec<u8>) -> io::Result<()> {
        let mut chunk = vec![0; CHUNK];
        let mut line = DelayLine::new(self.link.seed());
        if !early.is_empty() {
            line.push(timer::now(), Parcel::Bytes(early), self.link.loss());
            if self.carry_shaped(&mut from, &mut to, &mut line, &mut chunk).await? {
                return Ok(());
            }
        }
        loop {
            let read = from.read(&mut chunk).await;
            if self.link.is_shaped() {
                line.push(timer::now(), self.parcel(read, &chunk), self.link.loss());
                if self.carry_shaped(&mut from, &mut to, &mut line, &mut chunk).await? {
                    return Ok(());
                }
                continue;
            }
            match read? {
                0 if self.cut.load(Ordering::Acquire) => return Err(io::ErrorKind::ConnectionReset.into()),
                0 => return to.shutdown().await,
                n => to.write_all(&chunk[..n]).await?,
            }
        }
    }

    /// Carries bytes one way through a delay line until the direction ends (true) or the line is empty and the path is
    /// no longer shaped (false).
    async fn carry_shaped(
        &self,
        from: &mut ReadHalf<'_>,
        to: &mut WriteHalf<'_>,
        line: &mut DelayLine,
        chunk: &mut [u8],
    ) -> io::Result<bool> {
        let mut shapes = self.link.watch();
        loop {
            let shape = *shapes.borrow_and_update();
            if line.is_empty() && !self.link.is_shaped() {
                return Ok(false);
            }
            let now = timer::now();
            let open = Standing::of(&shape, self.luck) == Standing::Open;
            let due = if open { line.due(shape, self.bucket, now) } else { None };
            tokio::select! {
                biased;
                // While nothing may pass this sleep is not polled; any instant will do.
                () = timer::sleep_until(due.unwrap_or(now)), if due.is_some() => match line.take(shape, self.bucket, timer::now()) {
                    // Nobody takes any more there. What came from there before is still on its way back, and must not be
                    // lost with it: the other direction ends by itself.
                    Some(Parcel::Bytes(bytes)) => match to.write_all(&bytes).await {
                        Ok(()) => {}
                        Err(error) => {
                            let reset = error.kind() == io::ErrorKind::ConnectionReset;
                            self.cut.fetch_or(reset, Ordering::AcqRel);
                            return Ok(true);
                        }
                    },
                    Some(Parcel::Reset) => return Err(io::ErrorKind::ConnectionReset.into()),
                    Some(Parcel::End) => {
                        to.shutdown().await?;
                        return Ok(true);
                    }
                    None => {}
                },
                read = from.read(chunk), if line.takes_more() => {
                    line.push(timer::now(), self.parcel(read, chunk), shape.loss);
                }
                // The sender lives as long as the link, so this is never an error.
                _ = shapes.changed() => {}
            }
        }
    }
}
