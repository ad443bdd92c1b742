use std::net::SocketAddr;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Answers every line of every connection with a line.
pub(super) async fn serve<F, R>(port: u16, answer: F) -> std::io::Result<()>
where
    F: Fn(String) -> R + Clone + Send + 'static,
    R: Future<Output = String> + Send + 'static,
{
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        let answer = answer.clone();
        tokio::spawn(async move {
            let mut peer = Peer(BufReader::new(stream));
            while let Ok(line) = peer.read().await {
                // What was asked is done, whether or not somebody still waits for it.
                let said = answer(line).await;
                if peer.write(&said).await.is_err() {
                    break;
                }
            }
        });
    }
}

/// A connection on which lines are asked and answered.
pub(super) struct Peer(BufReader<TcpStream>);

impl Peer {
    pub(super) async fn connect(to: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect(to).await?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    pub(super) async fn ask(&mut self, line: &str) -> std::io::Result<String> {
        self.write(line).await?;
        self.read().await
    }

    async fn write(&mut self, line: &str) -> std::io::Result<()> {
        self.0.get_mut().write_all(format!("{line}\n").as_bytes()).await
    }

    async fn read(&mut self) -> std::io::Result<String> {
        let mut line = String::new();
        if self.0.read_line(&mut line).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    }
}

/// Asks once, on a connection of its own.
pub(super) async fn ask(to: SocketAddr, line: &str) -> std::io::Result<String> {
    Peer::connect(to).await?.ask(line).await
}
