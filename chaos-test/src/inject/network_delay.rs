use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::registry::Registry;
use crate::model::{DoseUnit, Fault};
use crate::port::{
    Dose, InjectError, Injector, NetworkPath, ObserveError, PathShape, PlannedStep, Prepared, Presence,
    RevertError, RevertRecord, Support, Target,
};
use crate::sys::owner;

/// Delays every exchange with a service in the proxy that is its front door.
///
/// Mechanism `proxy`: half of the delay each way, so a round trip takes the whole of it longer. It works on the byte
/// stream, needs no privileges and applies to open connections at once. The opening of a connection is not delayed.
///
/// Witness: a byte of our own through the same door and relay, answered by an echo of our own; the dose is its round
/// trip. Undone by the death of this process.
pub struct NetworkDelay {
    paths: Registry<Arc<dyn NetworkPath>>,
}

#[derive(Serialize, Deserialize)]
struct Payload {
    delay: Duration,
    jitter: Duration,
}

impl Payload {
    fn shape(&self) -> PathShape {
        PathShape { delay: self.delay / 2, jitter: self.jitter }
    }

    /// What a round trip is expected to take longer: the delay and, each way, half of the jitter.
    fn asked(&self) -> f64 {
        (self.delay + self.jitter).as_secs_f64()
    }

    fn of(record: &RevertRecord) -> Result<Self, String> {
        serde_json::from_value(record.payload.clone())
            .map_err(|error| format!("the revert record {} is not one of network_delay: {error}", record.id))
    }
}

impl NetworkDelay {
    /// An injector with nothing injected.
    #[allow(clippy::new_without_default, reason = "an injector is made on purpose")]
    pub fn new() -> Self {
        Self { paths: Registry::new() }
    }
}

impl Injector for NetworkDelay {
    fn support(&self, _fault: &Fault, target: &Target) -> Support {
        match target.path {
            Some(_) => Support::Yes { mechanism: "proxy" },
            None => {
                Support::No { reason: format!("{} has no front door to delay traffic in", target.service) }
            }
        }
    }

    async fn prepare(&self, fault: &Fault, target: &Target) -> Result<Prepared, InjectError> {
        let Fault::NetworkDelay { delay, jitter, .. } = fault else {
            return Err(InjectError(format!("network_delay cannot make {fault}")));
        };
        let path = target
            .path
            .clone()
            .ok_or_else(|| InjectError(format!("{} has no front door", target.service)))?;
        let payload = Payload { delay: *delay, jitter: *jitter };
        let record = RevertRecord {
            undo: Vec::new(),
            id: owner::new_mark(),
            injector: "network_delay".into(),
            service: target.service.clone(),
            payload: serde_json::to_value(&payload).map_err(|error| InjectError(error.to_string()))?,
        };
        self.paths.lock().insert(record.id.clone(), path);
        Ok(Prepared {
            record,
            mechanism: "proxy".into(),
            detail: format!("{fault} on {} by proxy (stream)", target.service),
            unit: DoseUnit::Seconds,
            asked: payload.asked(),
            steps: vec![PlannedStep {
                action: format!("{fault}, in the proxy that is the front door of {}", target.service),
                touches: format!(
                    "traffic to {} through its front door, open connections included",
                    target.service
                ),
                undo: "the proxy passes on at once again; it ends with this process".into(),
            }],
        })
    }

    async fn inject(&self, prepared: &Prepared) -> Result<(), InjectError> {
        let path =
            self.paths.get(&prepared.record.id).ok_or_else(|| InjectError("was not prepared here".into()))?;
        path.shape(Payload::of(&prepared.record).map_err(InjectError)?.shape());
        Ok(())
    }

    async fn observe(&self, record: &RevertRecord) -> Result<Presence, ObserveError> {
        let asked = Payload::of(record).map_err(ObserveError)?.asked();
        let Some(path) = self.paths.get(&record.id) else {
            // The proxy was part of a process that is gone, and the delay with it.
            return Ok(Presence::Absent(Dose { asked, measured: 0.0 }));
        };
        let took = path
            .round_trip()
            .await
            .map_err(|error| ObserveError(format!("round trip through the proxy: {error}")))?;
        Ok(Presence::of(Dose { asked, measured: took.as_secs_f64() }))
    }

    async fn revert(&self, record: &RevertRecord) -> Result<(), RevertError> {
        if let Some(path) = self.paths.get(&record.id) {
            path.shape(PathShape::default());
        }
        Ok(())
    }
}
