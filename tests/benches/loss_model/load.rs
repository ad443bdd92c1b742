use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use suite::figures::{Times, median};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const CONNECTIONS: usize = 8;
const SPAN: Duration = Duration::from_secs(15);
const OPENED: usize = 400;
const BULK: usize = 4_000_000;
const TRANSFERS: usize = 3;
/// A transfer that takes longer is counted as far as it came.
const LONGEST: Duration = Duration::from_secs(15);

/// How many bytes sinks have got.
static TAKEN: AtomicUsize = AtomicUsize::new(0);

/// What is measured against.
#[derive(Clone, Copy)]
pub(crate) struct Servers {
    /// Answers what it gets.
    pub(crate) echo: SocketAddr,
    /// Takes all it gets, and says a byte at the end of it.
    pub(crate) sink: SocketAddr,
}

impl Servers {
    pub(crate) async fn start() -> Self {
        Self { echo: serve(echo).await, sink: serve(sink).await }
    }
}

async fn serve<F: Future<Output = ()> + Send + 'static>(
    answer: impl Fn(TcpStream) -> F + Send + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it listens");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            stream.set_nodelay(true).expect("a TCP socket");
            tokio::spawn(answer(stream));
        }
    });
    address
}

async fn echo(mut stream: TcpStream) {
    let mut bytes = [0; 64];
    while let Ok(n @ 1..) = stream.read(&mut bytes).await {
        if stream.write_all(&bytes[..n]).await.is_err() {
            return;
        }
    }
}

async fn sink(mut stream: TcpStream) {
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(n @ 1..) = stream.read(&mut bytes).await {
        TAKEN.fetch_add(n, Ordering::Relaxed);
    }
    let _ = stream.write_all(b"k").await;
}

/// One row of the table.
pub(crate) struct Figures {
    requests: f64,
    exchanges: Times,
    opening: Times,
    bulk: f64,
}

impl Figures {
    fn columns(&self) -> [f64; 8] {
        [
            self.requests,
            self.exchanges.mean_ms(),
            self.exchanges.quantile_ms(0.5),
            self.exchanges.quantile_ms(0.99),
            self.exchanges.quantile_ms(1.0),
            self.opening.quantile_ms(0.5),
            self.opening.quantile_ms(0.99),
            self.bulk,
        ]
    }

    /// Each figure as a multiple of the other's.
    pub(crate) fn ratios(&self, other: &Self) -> String {
        let mut ratios = self.columns();
        for (ours, theirs) in ratios.iter_mut().zip(other.columns()) {
            *ours /= theirs;
        }
        row(ratios, 2)
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}   n = {}", row(self.columns(), 1), self.exchanges.count())
    }
}

fn row([requests, mean, p50, p99, max, open, open_p99, bulk]: [f64; 8], digits: usize) -> String {
    // A median of some hundredths of a millisecond needs them.
    let middle = digits.max(2);
    format!(
        "{requests:>8.digits$} {mean:>8.digits$} {p50:>8.middle$} {p99:>8.digits$} {max:>8.digits$} | \
         {open:>8.middle$} {open_p99:>8.digits$} | {bulk:>9.middle$}"
    )
}

/// Measures all of it. The loss begins when the connections that are used again are open.
pub(crate) async fn measure(servers: Servers, begin: impl Fn(), end: impl Fn()) -> Figures {
    let mut open = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut stream = connect(servers.echo).await;
        exchange(&mut stream).await;
        open.push(stream);
    }
    begin();
    let until = Instant::now() + SPAN;
    let clients: Vec<_> = open.into_iter().map(|stream| tokio::spawn(requests(stream, until))).collect();
    let mut exchanges = Vec::new();
    for client in clients {
        exchanges.extend(client.await.expect("a client does not panic"));
    }
    let requests = exchanges.len() as f64 / SPAN.as_secs_f64();
    let opened: Vec<_> = (0..OPENED).map(|n| tokio::spawn(opening(servers.echo, n))).collect();
    let mut opening = Vec::new();
    for one in opened {
        opening.push(one.await.expect("a client does not panic"));
    }
    end();
    let mut bulk = Vec::new();
    for _ in 0..TRANSFERS {
        // Opened without a loss, for that has been measured.
        let stream = connect(servers.sink).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        begin();
        bulk.push(transfer(stream).await);
        end();
    }
    Figures { requests, exchanges: Times::of(exchanges), opening: Times::of(opening), bulk: median(bulk) }
}

async fn connect(to: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(to).await.expect("it listens");
    stream.set_nodelay(true).expect("a TCP socket");
    stream
}

async fn exchange(stream: &mut TcpStream) {
    stream.write_all(b"hi").await.expect("open");
    stream.read_exact(&mut [0; 2]).await.expect("open");
}

async fn requests(mut stream: TcpStream, until: Instant) -> Vec<Duration> {
    let mut took = Vec::new();
    while Instant::now() < until {
        let start = Instant::now();
        exchange(&mut stream).await;
        took.push(start.elapsed());
    }
    took
}

/// How long a connection and its first answer take.
async fn opening(to: SocketAddr, n: usize) -> Duration {
    // Not all in one instant.
    tokio::time::sleep(Duration::from_millis(n as u64 * 5)).await;
    let start = Instant::now();
    exchange(&mut connect(to).await).await;
    start.elapsed()
}

/// The rate of one transfer, in MB/s.
async fn transfer(mut stream: TcpStream) -> f64 {
    let start = Instant::now();
    let (mut from, mut to) = stream.split();
    let (mut sent, before) = (0, TAKEN.load(Ordering::Relaxed));
    let carried = tokio::time::timeout(LONGEST, async {
        let chunk = vec![0; 16 * 1024];
        while sent < BULK {
            sent += to.write(&chunk[..chunk.len().min(BULK - sent)]).await.expect("open");
        }
        to.shutdown().await.expect("half a close");
        from.read_exact(&mut [0]).await.expect("an answer");
    });
    let _ = carried.await;
    (TAKEN.load(Ordering::Relaxed) - before) as f64 / 1e6 / start.elapsed().as_secs_f64()
}
