//! Whether a Redis answers.

use std::net::SocketAddr;

use chaos_test::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Pings it.
pub(crate) fn redis_answers() -> Probe {
    Probe::custom(ping).timeout(1.seconds())
}

async fn ping(at: SocketAddr) -> Result<(), String> {
    let asked = async {
        let mut stream = TcpStream::connect(at).await?;
        stream.write_all(b"*1\r\n$4\r\nPING\r\n").await?;
        let mut answer = [0; 7];
        stream.read_exact(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    match asked.await {
        Ok(answer) if &answer == b"+PONG\r\n" => Ok(()),
        Ok(answer) => Err(format!("it said {:?}", String::from_utf8_lossy(&answer))),
        Err(error) => Err(error.to_string()),
    }
}
