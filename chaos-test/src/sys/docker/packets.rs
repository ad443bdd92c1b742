//! The packets of a container, as injectors see them.
//!
//! A fault is made by a helper of its own in the container's network, on what comes in from outside, and ends with it.
//! What comes in is all that is treated, so all of a round trip's delay is put there.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use tokio::sync::{Mutex, OnceCell};

use super::container::Details;
use super::engine::on_harness;
use super::packet_witness::Witness;
use super::remove::remove;
use super::{ManagedContainer, Place, Sidecar};
use crate::port::{BoxFuture, ContainerControl, PacketPath, PacketShape, Refusal};
use crate::sys::net::{Found, Means};
use crate::sys::runtime::harness;
use crate::sys::sidecar::{self, net};
use crate::sys::timer::now;

/// How long applying or removing a fault may take.
const LIMIT: Duration = Duration::from_secs(15);
/// How long the engine may take to remove what does not end by itself.
const REMOVAL: Duration = Duration::from_secs(5);
const NET_ADMIN: &str = "NET_ADMIN";

/// The packets of one container.
#[derive(Clone)]
pub(crate) struct ContainerPackets {
    target: Arc<ManagedContainer>,
    /// Where the service listens inside.
    port: u16,
    /// Why its packets are not only its own.
    shared: Option<Refusal>,
    /// What is done to them, by mark.
    faults: Arc<Mutex<HashMap<String, Fault>>>,
    witness: Arc<Mutex<Witness>>,
}

struct Fault {
    sidecar: Sidecar,
    means: Means,
}

impl fmt::Debug for ContainerPackets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContainerPackets").field("target", &self.target).finish_non_exhaustive()
    }
}

impl ContainerPackets {
    /// Those of that container, which was found so and whose service listens at this port inside.
    pub(crate) fn of(target: Arc<ManagedContainer>, found: &Details, port: u16) -> Self {
        let shared = shared(&target.service, found.network_mode());
        let witness = Arc::new(Mutex::new(Witness::of(Arc::clone(&target))));
        Self { target, port, shared, faults: Arc::default(), witness }
    }

    fn means(&self, mechanism: &str) -> Result<Means, Refusal> {
        if let Some(refusal) = &self.shared {
            return Err(refusal.clone());
        }
        let mark = self.target.mark.clone();
        let found = wait(LIMIT, async move { found(&mark).await })
            .map_err(|why| Refusal::new(format!("could not be tried: {why}"), FIX))?;
        found.means(mechanism)
    }

    fn place(&self, mark: &str) -> Place {
        Place {
            mark: mark.to_owned(),
            service: self.target.service.clone(),
            network: format!("container:{}", self.target.id),
            capabilities: vec![NET_ADMIN],
            ..Place::default()
        }
    }

    async fn begin(self, mark: String, means: Means, shape: PacketShape) -> io::Result<()> {
        let mut faults = self.faults.lock().await;
        // One that is there already may be in a network that the target has left.
        if let Some(before) = faults.remove(&mark) {
            let _ = before.sidecar.ask(&net(net::Order::Undo), Duration::ZERO).await;
        }
        let sidecar = Sidecar::start(self.place(&mark)).await?;
        let order = net::Order::apply(format!("chaos-test-{mark}"), means, incoming(shape));
        // Whatever comes of it: what was begun has to be ended.
        let fault = faults.entry(mark).insert_entry(Fault { sidecar, means });
        fault.get().sidecar.ask(&net(order), Duration::ZERO).await.map(drop)
    }

    async fn end(self, mark: String) -> io::Result<()> {
        let fault = self.faults.lock().await.remove(&mark);
        let mut left = None;
        if let Some(Fault { sidecar, means }) = fault {
            let undone = sidecar.end().await;
            left = undone.is_err().then_some(means);
        }
        // One that did not get as far as to be known here may have been made all the same.
        remove(&mark, now() + REMOVAL, false).await.map_err(io::Error::other)?;
        // What a helper made has ended with it, unless that is netem: then the network has to end, or somebody tidies up.
        if left == Some(Means::Netem) && self.target.look().await.is_ok_and(|state| state.pid != 0) {
            let tidier = Sidecar::start(self.place(&mark)).await?;
            tidier.ask(&net(net::Order::Tidy), Duration::ZERO).await?;
        }
        Ok(())
    }
}

/// What helps if no helper can try anything.
const FIX: &str = "see that this user may start containers with the capability NET_ADMIN (`docker run --cap-add \
                   NET_ADMIN`)";

impl PacketPath for ContainerPackets {
    fn refusal(&self, mechanism: &str) -> Option<Refusal> {
        self.means(mechanism).err()
    }

    fn apply(&self, mark: &str, mechanism: &str, shape: PacketShape) -> io::Result<()> {
        let means = self.means(mechanism).map_err(|refusal| io::Error::other(refusal.to_string()))?;
        if self.is_over() {
            return Err(io::Error::new(io::ErrorKind::NotConnected, "its container has ended"));
        }
        wait(LIMIT, self.clone().begin(mark.to_owned(), means, shape))
    }

    fn remove(&self, mark: &str) -> io::Result<()> {
        wait(LIMIT, self.clone().end(mark.to_owned()))
    }

    fn is_over(&self) -> bool {
        self.target.is_closed()
    }

    fn round_trip(&self) -> BoxFuture<'static, io::Result<Duration>> {
        let witness = Arc::clone(&self.witness);
        on_harness(async move { witness.lock().await.round_trip().await })
    }

    fn lost(&self, packets: u32) -> BoxFuture<'static, io::Result<f64>> {
        let witness = Arc::clone(&self.witness);
        on_harness(async move { witness.lock().await.lost(packets).await })
    }

    fn listens(&self) -> BoxFuture<'static, io::Result<bool>> {
        let (witness, target, port) = (Arc::clone(&self.witness), Arc::clone(&self.target), self.port);
        on_harness(async move {
            // Without an address it is down.
            let Some(address) = target.look().await?.address else { return Ok(false) };
            witness.lock().await.knock(SocketAddr::new(address, port)).await
        })
    }
}

/// What a network does to each packet, made of what it does to those that come in: on the way out nothing befalls it.
fn incoming(shape: PacketShape) -> PacketShape {
    PacketShape { delay: shape.delay * 2, jitter: shape.jitter * 2, loss: shape.loss }
}

/// Why the packets of a container with that network are not only its own.
fn shared(service: &str, mode: &str) -> Option<Refusal> {
    let fix = "give its container a network of its own: that of the environment, or any other bridge";
    let why = match mode {
        "host" => "is on the network of its host, so a fault would befall the whole host".to_owned(),
        "none" => "has no network".to_owned(),
        mode if mode.starts_with("container:") => {
            "is on the network of another container, so a fault would befall that as well".to_owned()
        }
        _ => return None,
    };
    Some(Refusal::new(format!("{service} {why}"), fix))
}

/// What the engine's host can do to packets: tried once, by a helper in a network of its own. It carries that mark, so
/// that whoever removes the container removes it too. What could not be tried is tried again the next time.
async fn found(mark: &str) -> io::Result<Found> {
    static FOUND: OnceCell<Found> = OnceCell::const_new();
    FOUND.get_or_try_init(|| find(mark)).await.cloned()
}

async fn find(mark: &str) -> io::Result<Found> {
    let place = Place {
        mark: mark.to_owned(),
        service: "trial".into(),
        network: "none".into(),
        capabilities: vec![NET_ADMIN],
        ..Place::default()
    };
    let trial = Sidecar::start(place).await?;
    match trial.ask(&net(net::Order::Try), Duration::ZERO).await? {
        sidecar::Reply::Net { net: net::Reply::Tried { found } } => Ok(found),
        other => Err(io::Error::other(format!("its helper said {other:?}"))),
    }
}

fn net(order: net::Order) -> sidecar::Order {
    sidecar::Order::Net { net: order }
}

/// Waits for that, which is done on the harness's own threads and given up after the limit. Blocks.
fn wait<T: Send + 'static>(
    limit: Duration,
    work: impl Future<Output = io::Result<T>> + Send + 'static,
) -> io::Result<T> {
    let (done, result) = mpsc::channel();
    harness().spawn(async move {
        let worked = tokio::time::timeout(limit, work).await;
        let _ = done.send(worked.unwrap_or_else(|_| Err(late())));
    });
    result.recv_timeout(limit + Duration::from_secs(1)).unwrap_or_else(|_| Err(late()))
}

fn late() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the container engine did not answer in time")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_that_others_share_is_refused() {
        for mode in ["host", "none", "container:abc"] {
            let refusal = shared("db", mode).expect("refused");
            assert!(refusal.to_string().contains("db"), "{refusal}");
        }
        for mode in ["bridge", "default", "environment-1"] {
            assert_eq!(shared("db", mode), None);
        }
    }

    #[test]
    fn a_round_trip_is_as_long_as_with_both_ways() {
        let ms = Duration::from_millis;
        let both = PacketShape { delay: ms(50), jitter: ms(10), loss: 0.1 };
        let one = incoming(both);
        // One way is undisturbed, so this is all of it.
        assert_eq!(one.delay + one.jitter / 2, both.round_trip());
        assert_eq!(one.loss, 0.1);
    }
}
