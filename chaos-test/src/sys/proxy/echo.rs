//! The witness of a shaped path: real bytes through the same listener and the same relay, answered by an echo of our
//! own instead of the service, so the service's own time is not in the figure.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::OnceCell;
use tokio::task::JoinSet;

use super::link::Link;
use crate::port::Tally;
use crate::sys::timer;

/// How many trials are under way at a time. Each takes four descriptors, and programs have 1 024 of them as a rule.
const AT_A_TIME: u32 = 48;

/// How long after each other trials begin, so that they leave the processors to others: so many take
/// [`SPREAD`] together, and more than that are as close as may be.
const APART: std::ops::RangeInclusive<Duration> = Duration::from_micros(500)..=Duration::from_millis(2);
const SPREAD: Duration = Duration::from_millis(400);

/// How long it waits after a connection that could not be taken.
const AFTER_ERROR: Duration = Duration::from_millis(10);

/// Where the echo of this process listens.
async fn address() -> io::Result<SocketAddr> {
    static ECHO: OnceCell<SocketAddr> = OnceCell::const_new();
    let start = || async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        crate::sys::runtime::harness().spawn(answer(listener));
        Ok(address)
    };
    ECHO.get_or_try_init(start).await.copied()
}

/// A connection to it.
pub(super) async fn connect_to_it() -> io::Result<TcpStream> {
    TcpStream::connect(address().await?).await
}

async fn answer(listener: TcpListener) {
    loop {
        // It is the one of this process for good: too many open files are no reason to give up.
        let Ok((mut stream, _)) = listener.accept().await else {
            tokio::time::sleep(AFTER_ERROR).await;
            continue;
        };
        tokio::spawn(async move {
            let _ = stream.set_nodelay(true);
            let mut bytes = [0; 4096];
            while let Ok(n @ 1..) = stream.read(&mut bytes).await {
                if stream.write_all(&bytes[..n]).await.is_err() {
                    return;
                }
            }
        });
    }
}

/// A connection of ours through the proxy at `door`, on its way to the echo.
async fn connect(link: &Link, door: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
    let from = socket.local_addr()?;
    link.expect_witness(from);
    let connected = socket.connect(door).await;
    if connected.is_err() {
        // Not used, and somebody else may get that port next.
        link.is_witness(from);
    }
    let stream = connected?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Sends a byte through the proxy at `door` and waits for its echo.
pub(super) async fn round_trip(link: Arc<Link>, door: SocketAddr) -> io::Result<Duration> {
    let mut stream = connect(&link, door).await?;
    let sent = timer::now();
    stream.write_all(b"?").await?;
    stream.read_exact(&mut [0]).await?;
    Ok(timer::now() - sent)
}

/// Sends so many bytes through the proxy at `door` and waits for all of them to come back.
pub(super) async fn transfer(link: Arc<Link>, door: SocketAddr, bytes: usize) -> io::Result<Duration> {
    let mut stream = connect(&link, door).await?;
    let sent = timer::now();
    let (mut from, mut to) = stream.split();
    let (there, mut back) = (vec![b'?'; bytes], vec![0; bytes]);
    tokio::try_join!(to.write_all(&there), from.read_exact(&mut back))?;
    Ok(timer::now() - sent)
}

/// Makes so many connections, one after the other and some at a time, with one byte to exchange on each.
pub(super) async fn trials(
    link: Arc<Link>,
    door: SocketAddr,
    count: u32,
    patience: Duration,
) -> io::Result<Tally> {
    let start = timer::now();
    let apart = (SPREAD / count.max(1)).clamp(*APART.start(), *APART.end());
    let next = Arc::new(AtomicU32::new(0));
    let mut workers = JoinSet::new();
    for _ in 0..count.min(AT_A_TIME) {
        let (link, next) = (Arc::clone(&link), Arc::clone(&next));
        workers.spawn(async move {
            let mut seen = Tally::default();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return io::Result::Ok(seen);
                }
                timer::sleep_until(start + apart * number).await;
                trial(&link, door, patience, &mut seen).await?;
            }
        });
    }
    let mut all = Tally::default();
    while let Some(seen) = workers.join_next().await {
        let seen = seen.map_err(io::Error::other)??;
        all.answered += seen.answered;
        all.unanswered += seen.unanswered;
        all.reset += seen.reset;
        all.refused += seen.refused;
    }
    Ok(all)
}

async fn trial(link: &Link, door: SocketAddr, patience: Duration, seen: &mut Tally) -> io::Result<()> {
    let mut exchange = pin!(async {
        let mut stream = connect(link, door).await?;
        // What was given up is gone at once, and leaves no port waiting.
        stream.set_zero_linger()?;
        stream.write_all(b"?").await?;
        stream.read_exact(&mut [0]).await.map(drop)
    });
    let came = tokio::select! {
        biased;
        came = &mut exchange => Some(came),
        () = timer::sleep_until(timer::now() + patience) => None,
    };
    // Is it late because of the path, or is everything late here? Whatever comes no later than a control does that
    // began only now has been answered in time.
    let came = match came {
        Some(came) => came,
        None => tokio::select! {
            biased;
            came = &mut exchange => came,
            control = control() => {
                control?;
                seen.unanswered += 1;
                return Ok(());
            }
        },
    };
    match came {
        Ok(()) => seen.answered += 1,
        Err(error) => match error.kind() {
            io::ErrorKind::ConnectionRefused => seen.refused += 1,
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof => seen.reset += 1,
            io::ErrorKind::TimedOut => seen.unanswered += 1,
            _ => return Err(error),
        },
    }
    Ok(())
}

/// A connection past the door with as many waits for this process's threads as one through it.
async fn control() -> io::Result<()> {
    let mut stream = TcpStream::connect(address().await?).await?;
    stream.set_nodelay(true)?;
    stream.set_zero_linger()?;
    for _ in 0..3 {
        stream.write_all(b"?").await?;
        stream.read_exact(&mut [0]).await?;
    }
    Ok(())
}
