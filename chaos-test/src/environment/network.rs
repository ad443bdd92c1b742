use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::model::Outcome;
use crate::port::{Begins, BoxFuture, PacketPath, Probe};
use crate::sys::net::{Inside, Namespace, OwnNetwork};
use crate::sys::proxy::Relay;
use crate::sys::runtime::harness;

/// The network of a service that has one of its own.
pub(super) struct Network {
    namespace: Arc<Namespace>,
    packets: OwnNetwork,
    /// Where the service listens inside.
    service: SocketAddr,
    /// The front doors it may go to, inside.
    ways_out: Vec<Relay>,
}

impl Network {
    /// Makes it; the service is to listen there.
    pub(super) async fn create(name: &str, service: SocketAddr) -> io::Result<Self> {
        let name = name.to_owned();
        let made = harness().spawn_blocking(move || Namespace::create(&name)).await;
        let namespace = Arc::new(made.map_err(io::Error::other)??);
        let packets = OwnNetwork::of(Arc::clone(&namespace), service);
        Ok(Self { namespace, packets, service, ways_out: Vec::new() })
    }

    /// How a front door reaches the service.
    pub(super) fn inside(&self) -> Inside {
        Inside { namespace: Arc::clone(&self.namespace), address: self.service }
    }

    /// Lets the service reach those front doors, at the same addresses.
    pub(super) async fn lead_to(&mut self, doors: Vec<SocketAddr>) -> io::Result<()> {
        for door in doors {
            let namespace = Arc::clone(&self.namespace);
            let listening = harness().spawn_blocking(move || namespace.listen(door)).await;
            self.ways_out.push(Relay::start(listening.map_err(io::Error::other)??, door)?);
        }
        Ok(())
    }

    /// The network that the service is to join.
    pub(super) fn namespace(&self) -> Arc<Namespace> {
        Arc::clone(&self.namespace)
    }

    pub(super) fn packets(&self) -> Arc<dyn PacketPath> {
        Arc::new(self.packets.clone())
    }

    /// A probe through the front door that finds nobody there as long as nobody listens behind it.
    pub(super) fn behind(&self, probe: Arc<dyn Probe>) -> Arc<dyn Probe> {
        Arc::new(Behind { packets: self.packets(), probe })
    }

    pub(super) fn mark(&self) -> &str {
        self.namespace.mark()
    }

    /// What ends it for good.
    pub(super) fn ender(&self) -> impl Fn() + Send + Sync + 'static {
        let namespace = Arc::clone(&self.namespace);
        move || namespace.close()
    }
}

struct Behind {
    packets: Arc<dyn PacketPath>,
    probe: Arc<dyn Probe>,
}

impl Probe for Behind {
    fn check(&self, begins: Begins) -> BoxFuture<'static, Outcome> {
        let (packets, probe) = (Arc::clone(&self.packets), Arc::clone(&self.probe));
        Box::pin(async move {
            if packets.listens().await.unwrap_or(false) {
                probe.check(begins).await
            } else {
                begins();
                Outcome::ConnectError
            }
        })
    }
}
