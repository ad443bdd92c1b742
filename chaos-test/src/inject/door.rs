//! Faults in a target's front door, which the families of the network share.

use std::sync::Arc;

use serde::Serialize;

use super::record;
use super::registry::Registry;
use crate::model::{DoseUnit, Fault, Fidelity};
use crate::port::{
    InjectError, NetworkPath, PathShape, PlannedStep, Prepared, Refusal, RevertRecord, Rung, Target,
};
use crate::sys::owner;

/// The mechanism `proxy`, where a fault in the front door befalls everybody who calls the target. `lacks` ends the
/// sentence that it has none.
pub(super) fn rung(target: &Target, lacks: &str) -> Rung {
    let name = &target.service;
    let refusal = match (&target.path, target.past_the_door.as_slice()) {
        (None, _) => Some(Refusal::new(format!("{name} has no front door{lacks}"), "")),
        (Some(_), []) => None,
        // Our own witness goes through the door, and would prove a fault that they never feel.
        (Some(_), callers) => Some(Refusal::new(
            format!("{} would not feel it: {name} is reached there past its front door", callers.join(", ")),
            "what its containers say to each other is treated by packets only (`cargo chaos doctor` says what keeps \
             them from it); or aim at a service that is called from outside",
        )),
    };
    Rung::unless("proxy", refusal).at(Fidelity::Stream)
}

/// The doors that an injector has prepared to shape, by their revert records. What is done to a door ends with this
/// process.
pub(super) struct Doors {
    paths: Registry<Arc<dyn NetworkPath>>,
}

/// What is done to a door, for people and for its record.
pub(super) struct Plan<'a, P> {
    pub(super) payload: &'a P,
    /// How true it is: `stream`, `stream, emulated`.
    pub(super) fidelity: &'static str,
    pub(super) unit: DoseUnit,
    pub(super) asked: f64,
}

impl Doors {
    pub(super) fn new() -> Self {
        Self { paths: Registry::new() }
    }

    /// Works out a fault in the door of that target.
    pub(super) fn prepare<P: Serialize>(
        &self,
        fault: &Fault,
        target: &Target,
        plan: &Plan<'_, P>,
    ) -> Result<Prepared, InjectError> {
        let service = &target.service;
        let path = target.path.clone().ok_or_else(|| InjectError(format!("{service} has no front door")))?;
        let record = record::made(fault.kind().name(), service, owner::new_mark(), Vec::new(), plan.payload)?;
        self.paths.lock().insert(record.id.clone(), path);
        Ok(Prepared {
            record,
            mechanism: "proxy".into(),
            detail: format!("{fault} on {service} by proxy ({})", plan.fidelity),
            unit: plan.unit,
            asked: plan.asked,
            steps: vec![PlannedStep {
                action: format!("{fault}, in the proxy that is the front door of {service}"),
                touches: format!("traffic to {service} through its front door, open connections included"),
                undo: "the proxy passes everything on at once again; it ends with this process".into(),
            }],
        })
    }

    /// Shapes the door of a record.
    pub(super) fn shape(&self, record: &RevertRecord, shape: PathShape) -> Result<(), InjectError> {
        let path = self.of(record).ok_or_else(|| InjectError("was not prepared here".into()))?;
        path.shape(shape);
        Ok(())
    }

    /// The door of a record; `None` if it was part of another process, and has ended with it.
    pub(super) fn of(&self, record: &RevertRecord) -> Option<Arc<dyn NetworkPath>> {
        self.paths.get(&record.id)
    }

    /// Lets the door of a record pass on everything again.
    pub(super) fn free(&self, record: &RevertRecord) {
        if let Some(path) = self.of(record) {
            path.shape(PathShape::NONE);
        }
    }
}
