use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

/// Small TCP services to measure against, each on a runtime of its own that lives as long as the process.
#[derive(Debug, Clone, Copy)]
pub enum Relay {
    /// Answers what it gets.
    Echo,
    /// Passes bytes on with `tokio::io::copy_bidirectional`.
    Plain(SocketAddr),
    /// Passes each chunk on after `tokio::time::sleep`, this long each way.
    TokioSleep(SocketAddr, Duration),
}

impl Relay {
    /// Listens on a free port, served by that many threads.
    pub fn start(self, threads: usize) -> SocketAddr {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(threads)
            .enable_all()
            .build()
            .expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let address = listener.local_addr().expect("it listens");
        std::thread::spawn(move || runtime.block_on(self.serve(listener)));
        address
    }

    async fn serve(self, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                // A connection ends when its client goes; that is no error here.
                let _ = self.connection(stream).await;
            });
        }
    }

    async fn connection(self, mut client: TcpStream) -> std::io::Result<()> {
        client.set_nodelay(true)?;
        match self {
            Self::Echo => {
                let mut bytes = vec![0; 16 * 1024];
                loop {
                    match client.read(&mut bytes).await? {
                        0 => return Ok(()),
                        n => client.write_all(&bytes[..n]).await?,
                    }
                }
            }
            Self::Plain(to) => {
                let mut server = TcpStream::connect(to).await?;
                server.set_nodelay(true)?;
                copy_bidirectional(&mut client, &mut server).await.map(drop)
            }
            Self::TokioSleep(to, delay) => {
                let server = TcpStream::connect(to).await?;
                server.set_nodelay(true)?;
                let ((from_client, to_client), (from_server, to_server)) =
                    (client.into_split(), server.into_split());
                tokio::try_join!(slow(from_client, to_server, delay), slow(from_server, to_client, delay))
                    .map(drop)
            }
        }
    }
}

async fn slow(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    delay: Duration,
) -> std::io::Result<()> {
    let mut bytes = vec![0; 16 * 1024];
    loop {
        match from.read(&mut bytes).await? {
            0 => return to.shutdown().await,
            n => {
                tokio::time::sleep(delay).await;
                to.write_all(&bytes[..n]).await?;
            }
        }
    }
}
