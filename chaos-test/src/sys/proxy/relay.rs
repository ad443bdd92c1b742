use std::io;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::{AbortHandle, JoinSet};

use super::connector::Connector;
use super::link::Link;

/// Carries what comes to a listener, which may be in another network, to somebody here; nothing is shaped on that way. Its
/// connections end when it is dropped.
pub(crate) struct Relay(AbortHandle);

impl Relay {
    pub(crate) fn start(listener: std::net::TcpListener, to: impl Connector) -> io::Result<Self> {
        let harness = crate::sys::runtime::harness();
        let _runtime = harness.enter();
        let listener = TcpListener::from_std(listener)?;
        let to: Arc<dyn Connector> = Arc::new(to);
        let carrying = async move {
            let link = Arc::new(Link::new());
            super::accept(&listener, &to, &link, &mut JoinSet::new()).await;
        };
        Ok(Self(harness.spawn(carrying).abort_handle()))
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.0.abort();
    }
}
