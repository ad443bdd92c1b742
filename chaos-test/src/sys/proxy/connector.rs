use std::io;
use std::net::SocketAddr;

use tokio::net::TcpStream;

use crate::port::BoxFuture;

/// How a proxy reaches the service behind it.
pub(crate) trait Connector: Send + Sync + 'static {
    /// A new connection to it.
    fn connect(&self) -> BoxFuture<'static, io::Result<TcpStream>>;
}

/// A service in the same network is reached by its address.
impl Connector for SocketAddr {
    fn connect(&self) -> BoxFuture<'static, io::Result<TcpStream>> {
        Box::pin(TcpStream::connect(*self))
    }
}
