use std::io;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::door::{self, Doors, Plan};
use super::packet::{self, Packets};
use super::record;
use crate::model::{DoseUnit, Fault};
use crate::port::{
    Dose, InjectError, Injector, NetworkPath, ObserveError, PacketShape, PathShape, Prepared, Presence,
    RevertError, RevertRecord, Support, Target,
};
use crate::sys::timer;

/// Delays every exchange with a service.
///
/// Mechanisms `netem` and `nfqueue`: every packet of a service with a
/// [network of its own](crate::Process::own_network) takes longer.
///
/// Mechanism `proxy`: half of the delay each way, so a round trip takes the whole of it longer. It works on the byte
/// stream, needs no privileges and applies to open connections at once. The opening of a connection is not delayed.
///
/// Witness: a byte of our own through the same door and relay, answered by an echo of our own; the dose is its round
/// trip. Where the bandwidth is limited too, the delay counts only as far as that is proven by the time that more bytes
/// take. Undone by the death of this process.
///
/// ```
/// use chaos_test::inject::NetworkDelay;
/// use chaos_test::model::{Fault, Fidelity, Pin};
/// use chaos_test::port::{Injector, Target};
///
/// /// Whether packets of the service can be delayed, and not only what passes its front door.
/// fn on_packets(delay: &Fault, target: &Target) -> bool {
///     let pin = Pin { fidelity: Some(Fidelity::Packet), ..Pin::default() };
///     NetworkDelay::new().support(delay, target).choose(delay.kind(), &pin).is_ok()
/// }
/// ```
pub struct NetworkDelay {
    doors: Doors,
    packets: Packets,
}

/// How long the bytes take that prove a limited bandwidth, beside the round trip.
const PROOF: Duration = Duration::from_millis(60);

/// What a limited link lets through at once after a pause, in time: those bytes prove nothing.
const CREDIT: Duration = Duration::from_millis(10);

/// How long after each other round trips begin.
const APART: Duration = Duration::from_millis(10);

#[derive(Serialize, Deserialize)]
struct Payload {
    delay: Duration,
    jitter: Duration,
    #[serde(default)]
    bandwidth: Option<u64>,
}

impl Payload {
    fn shape(&self) -> PathShape {
        PathShape { delay: self.delay / 2, jitter: self.jitter, bandwidth: self.bandwidth, ..PathShape::NONE }
    }

    /// What a round trip is expected to take longer: the delay and, each way, half of the jitter.
    fn asked(&self) -> f64 {
        (self.delay + self.jitter).as_secs_f64()
    }

    /// How far the bandwidth is proven to be limited when `bytes` took `longer` than one: from 0, at twice the bandwidth
    /// or more, to 1.
    fn limited(rate: u64, bytes: usize, longer: Duration) -> f64 {
        let whole = bytes as f64 / rate as f64;
        let (asked, twice) = (whole - CREDIT.as_secs_f64(), whole / 2.0 - CREDIT.as_secs_f64());
        ((longer.as_secs_f64() - twice) / (asked - twice)).clamp(0.0, 1.0)
    }

    fn of(record: &RevertRecord) -> Result<Self, String> {
        record::payload(record, "network_delay")
    }
}

impl NetworkDelay {
    /// An injector with nothing injected.
    #[allow(clippy::new_without_default, reason = "an injector is made on purpose")]
    pub fn new() -> Self {
        Self { doors: Doors::new(), packets: Packets::new() }
    }
}

impl Injector for NetworkDelay {
    fn support(&self, fault: &Fault, target: &Target) -> Support {
        let beyond =
            matches!(fault, Fault::NetworkDelay { bandwidth: Some(_), .. }).then_some("a limited bandwidth");
        let proxy = door::rung(target, " to delay traffic in");
        let packets = packet::rungs(target, &["netem", "nfqueue"], beyond);
        Support::ladder(packets.into_iter().chain([proxy]))
    }

    async fn prepare(
        &self,
        fault: &Fault,
        target: &Target,
        mechanism: &str,
    ) -> Result<Prepared, InjectError> {
        let Fault::NetworkDelay { delay, jitter, bandwidth, .. } = fault else {
            return Err(InjectError(format!("network_delay cannot make {fault}")));
        };
        match mechanism {
            "netem" | "nfqueue" => {
                let shape = PacketShape { delay: *delay / 2, jitter: *jitter, loss: 0.0 };
                self.packets.prepare(fault, target, mechanism, shape)
            }
            "proxy" => {
                let bandwidth = bandwidth.map(|bytes| bytes.bytes());
                let payload = Payload { delay: *delay, jitter: *jitter, bandwidth };
                let asked = payload.asked();
                let plan = Plan { payload: &payload, fidelity: "stream", unit: DoseUnit::Seconds, asked };
                self.doors.prepare(fault, target, &plan)
            }
            _ => Err(InjectError(format!("network_delay has no mechanism `{mechanism}`"))),
        }
    }

    async fn prepare_at_rest(
        &self,
        _fault: &Fault,
        target: &Target,
        mechanism: &str,
    ) -> Option<Result<Prepared, InjectError>> {
        // So little that nothing is late by it, and not nothing: all bytes go through the delay lines.
        let jitter = Duration::from_nanos(1);
        let resting = Fault::NetworkDelay { delay: Duration::ZERO, jitter, bandwidth: None, interface: None };
        Some(self.prepare(&resting, target, mechanism).await)
    }

    async fn inject(&self, prepared: &Prepared) -> Result<(), InjectError> {
        if let Some(done) = self.packets.inject(&prepared.record) {
            return done;
        }
        let shape = Payload::of(&prepared.record).map_err(InjectError)?.shape();
        self.doors.shape(&prepared.record, shape)
    }

    async fn observe(&self, record: &RevertRecord) -> Result<Presence, ObserveError> {
        if let Some(seen) = self.packets.observe(record).await {
            return seen;
        }
        let payload = Payload::of(record).map_err(ObserveError)?;
        let asked = payload.asked();
        let Some(path) = self.doors.of(record) else {
            // The proxy was part of a process that is gone, and the delay with it.
            return Ok(Presence::Absent(Dose { asked, measured: 0.0 }));
        };
        let failed = |error| ObserveError(format!("round trip through the proxy: {error}"));
        let took = if payload.jitter.is_zero() {
            least_of_three(&*path).await.map_err(failed)?
        } else {
            path.round_trip().await.map_err(failed)?
        };
        let mut measured = took.as_secs_f64();
        if let Some(rate) = payload.bandwidth {
            let bytes = ((rate as f64 * PROOF.as_secs_f64()) as usize).max(1);
            // Twice, for the same reason.
            let once = path.transfer(bytes).await.map_err(failed)?;
            let all = path.transfer(bytes).await.map_err(failed)?.min(once);
            measured *= Payload::limited(rate, bytes, all.saturating_sub(took));
        }
        Ok(Presence::of(Dose { asked, measured }))
    }

    async fn revert(&self, record: &RevertRecord) -> Result<(), RevertError> {
        if let Some(done) = self.packets.revert(record) {
            return done;
        }
        self.doors.free(record);
        Ok(())
    }
}

/// The least of three round trips, one shortly after the other: what a busy host adds is none of the fault's doing.
async fn least_of_three(path: &dyn NetworkPath) -> io::Result<Duration> {
    let start = timer::now();
    let trip = async |after: u32| {
        timer::sleep_until(start + APART * after).await;
        path.round_trip().await
    };
    let (one, two, three) = tokio::try_join!(trip(0), trip(1), trip(2))?;
    Ok(one.min(two).min(three))
}
