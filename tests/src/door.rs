use std::net::SocketAddr;
use std::sync::Arc;

use chaos_test::Environment;
use chaos_test::port::{NetworkPath, PathShape};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A front door before something that listens already.
pub struct Door {
    environment: Environment,
}

impl Door {
    /// A door of its own to `upstream`.
    pub async fn to(upstream: SocketAddr) -> Self {
        let environment = Environment::builder().url("app", format!("http://{upstream}")).start().await;
        Self { environment: environment.expect("a door needs a free port") }
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.environment.address("app")
    }

    /// A connection through it.
    pub async fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address()).await.expect("the door is open");
        stream.set_nodelay(true).expect("a TCP socket");
        stream
    }

    /// The path through it.
    pub fn path(&self) -> Arc<dyn NetworkPath> {
        let path = self.environment.service("app").expect("it is there").target().path;
        path.expect("every service has a path")
    }

    /// Shapes the path through it.
    pub fn shape(&self, shape: PathShape) {
        self.path().shape(shape);
    }
}

/// A service that answers every byte with the same byte; at the end of what it gets, it sends `bye` and closes.
pub async fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it listens");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let _ = stream.set_nodelay(true);
                let mut bytes = vec![0; 64 * 1024];
                while let Ok(n @ 1..) = stream.read(&mut bytes).await {
                    if stream.write_all(&bytes[..n]).await.is_err() {
                        return;
                    }
                }
                let _ = stream.write_all(b"bye").await;
            });
        }
    });
    address
}
