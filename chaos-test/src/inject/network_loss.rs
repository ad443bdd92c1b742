use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::door::{self, Doors, Plan};
use super::packet::{self, Packets};
use super::record;
use super::trials::Trials;
use crate::model::{ConnectionFault, DoseUnit, Fault};
use crate::port::{
    Dose, InjectError, Injector, ObserveError, PacketShape, PathShape, Prepared, Presence, RevertError,
    RevertRecord, Support, Tally, Target,
};
use crate::units::Percent;

/// Loses a share of the packets, or of the connections, to a service.
///
/// Mechanisms `netem` and `nft-drop`: a share of all packets of a service with a
/// [network of its own](crate::Process::own_network) is lost.
///
/// Mechanism `proxy`: the proxy that is the service's front door carries a byte stream and can lose nothing of it, so it
/// makes what a loss does to a stream: the stalls of TCP's retransmission. With
/// [`connections`](Fault::NetworkLoss::connections) it resets that share of connections, open and new ones, or lets
/// nothing pass on them any more.
///
/// Witness: connections of our own through the same door and relay, one exchange each with an echo of our own; the dose
/// is the share that was hit, as far as it is proven. Undone by the death of this process.
///
/// ```
/// use chaos_test::inject::NetworkLoss;
/// use chaos_test::model::{Fault, PassedOver, Pin};
/// use chaos_test::port::{Injector, Target};
///
/// /// The better ways to lose packets that are not taken here, and why; an error if there is no way at all.
/// fn passed_over(loss: &Fault, target: &Target) -> Result<Vec<PassedOver>, String> {
///     let choice = NetworkLoss::new().support(loss, target).choose(loss.kind(), &Pin::default())?;
///     Ok(choice.passed_over)
/// }
/// ```
pub struct NetworkLoss {
    doors: Doors,
    packets: Packets,
}

/// After so long an exchange of ours was hit: a retransmission takes 200 ms at least.
const PATIENCE: Duration = Duration::from_millis(150);

#[derive(Serialize, Deserialize)]
struct Payload {
    loss: f64,
    connections: Option<ConnectionFault>,
}

impl Payload {
    fn shape(&self) -> PathShape {
        match self.connections {
            None => PathShape { loss: self.loss, ..PathShape::NONE },
            Some(how) => PathShape { connections: Some((self.loss, how)), ..PathShape::NONE },
        }
    }

    fn trials(&self) -> Trials {
        // A packet of each way opens the connection, and a packet of each way is the exchange.
        let chances = if self.connections.is_none() { 4 } else { 1 };
        Trials { share: self.loss, chances }
    }

    fn dose(&self, tally: Tally) -> f64 {
        let hit = match self.connections {
            None | Some(ConnectionFault::HalfOpen) => tally.unanswered,
            Some(ConnectionFault::Reset) => tally.reset,
        };
        self.trials().dose(hit, tally.count())
    }

    fn of(record: &RevertRecord) -> Result<Self, String> {
        record::payload(record, "network_loss")
    }
}

impl NetworkLoss {
    /// An injector with nothing injected.
    #[allow(clippy::new_without_default, reason = "an injector is made on purpose")]
    pub fn new() -> Self {
        Self { doors: Doors::new(), packets: Packets::new() }
    }
}

impl Injector for NetworkLoss {
    fn support(&self, fault: &Fault, target: &Target) -> Support {
        let beyond = matches!(fault, Fault::NetworkLoss { connections: Some(_), .. })
            .then_some("a loss of connections");
        let proxy = door::rung(target, " to lose traffic in");
        let packets = packet::rungs(target, &["netem", "nft-drop"], beyond);
        Support::ladder(packets.into_iter().chain([proxy]))
    }

    async fn prepare(
        &self,
        fault: &Fault,
        target: &Target,
        mechanism: &str,
    ) -> Result<Prepared, InjectError> {
        let Fault::NetworkLoss { loss, connections, .. } = fault else {
            return Err(InjectError(format!("network_loss cannot make {fault}")));
        };
        match mechanism {
            "netem" | "nft-drop" => {
                let shape = PacketShape { loss: loss.ratio(), ..PacketShape::default() };
                self.packets.prepare(fault, target, mechanism, shape)
            }
            "proxy" => {
                let payload = Payload { loss: loss.ratio(), connections: *connections };
                let fidelity = match connections {
                    None => "stream, emulated",
                    Some(_) => "stream",
                };
                let plan = Plan { payload: &payload, fidelity, unit: DoseUnit::Share, asked: payload.loss };
                self.doors.prepare(fault, target, &plan)
            }
            _ => Err(InjectError(format!("network_loss has no mechanism `{mechanism}`"))),
        }
    }

    async fn prepare_at_rest(
        &self,
        fault: &Fault,
        target: &Target,
        mechanism: &str,
    ) -> Option<Result<Prepared, InjectError>> {
        let Fault::NetworkLoss { connections, .. } = fault else { return None };
        // So little that nothing is ever lost, and not nothing: all bytes go through the delay lines.
        let loss = Percent::new(f64::MIN_POSITIVE * 100.0).unwrap_or(Percent::ZERO);
        let resting = Fault::NetworkLoss { loss, connections: *connections, interface: None };
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
        let asked = payload.loss;
        let Some(path) = self.doors.of(record) else {
            // The proxy was part of a process that is gone, and the loss with it.
            return Ok(Presence::Absent(Dose { asked, measured: 0.0 }));
        };
        let tally = path
            .trials(payload.trials().count(), PATIENCE)
            .await
            .map_err(|error| ObserveError(format!("connections of our own through the proxy: {error}")))?;
        Ok(Presence::of(Dose { asked, measured: payload.dose(tally) }))
    }

    async fn revert(&self, record: &RevertRecord) -> Result<(), RevertError> {
        if let Some(done) = self.packets.revert(record) {
            return done;
        }
        self.doors.free(record);
        Ok(())
    }
}
