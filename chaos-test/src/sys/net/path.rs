//! The packets of a service with a network of its own, as injectors see them.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::task::JoinSet;

use super::found::{Found, Means};
use super::namespace::Namespace;
use super::witness;
use crate::port::{BoxFuture, PacketPath, PacketShape, Refusal};
use crate::sys::runtime::harness;

/// The network of one service.
#[derive(Clone)]
pub(crate) struct OwnNetwork {
    namespace: Arc<Namespace>,
    /// Where the service listens inside.
    service: SocketAddr,
    echo: Arc<OnceCell<SocketAddr>>,
}

impl OwnNetwork {
    pub(crate) fn of(namespace: Arc<Namespace>, service: SocketAddr) -> Self {
        Self { namespace, service, echo: Arc::default() }
    }

    /// What this host can do to packets: tried once.
    fn found(&self) -> &'static Result<Found, String> {
        static FOUND: OnceLock<Result<Found, String>> = OnceLock::new();
        FOUND.get_or_init(|| self.namespace.find().map_err(|error| format!("could not be tried: {error}")))
    }

    fn means(&self, mechanism: &str) -> Result<Means, Refusal> {
        let found = self.found().as_ref().map_err(|why| Refusal::new(why, ""))?;
        found.means(mechanism)
    }
}

impl PacketPath for OwnNetwork {
    fn refusal(&self, mechanism: &str) -> Option<Refusal> {
        self.means(mechanism).err()
    }

    fn apply(&self, mark: &str, mechanism: &str, shape: PacketShape) -> io::Result<()> {
        let means = self.means(mechanism).map_err(|refusal| io::Error::other(refusal.to_string()))?;
        self.namespace.apply(mark, means, shape)
    }

    fn remove(&self, mark: &str) -> io::Result<()> {
        self.namespace.remove(mark)
    }

    fn is_over(&self) -> bool {
        self.namespace.is_closed()
    }

    fn round_trip(&self) -> BoxFuture<'static, io::Result<Duration>> {
        let this = self.clone();
        on_harness(async move {
            let echo = this.echo.get_or_try_init(|| witness::echo(Arc::clone(&this.namespace))).await?;
            witness::round_trip(Arc::clone(&this.namespace), *echo).await
        })
    }

    fn lost(&self, packets: u32) -> BoxFuture<'static, io::Result<f64>> {
        let namespace = Arc::clone(&self.namespace);
        Box::pin(async move {
            let counted = harness().spawn_blocking(move || witness::lost(&namespace, packets)).await;
            counted.map_err(io::Error::other)?
        })
    }

    fn listens(&self) -> BoxFuture<'static, io::Result<bool>> {
        let this = self.clone();
        on_harness(async move {
            match this.namespace.connect(this.service).await {
                Ok(_) => Ok(true),
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(false),
                Err(error) => Err(error),
            }
        })
    }
}

/// A measurement, made on the harness's threads whoever waits for it, and given up with whoever waits.
fn on_harness<T: Send + 'static>(
    measuring: impl Future<Output = io::Result<T>> + Send + 'static,
) -> BoxFuture<'static, io::Result<T>> {
    Box::pin(async move {
        let mut task = JoinSet::new();
        task.spawn_on(measuring, harness());
        match task.join_next().await {
            Some(measured) => measured.map_err(io::Error::other)?,
            None => Err(io::Error::other("no measurement was begun")),
        }
    })
}
