use std::sync::Arc;

use super::{FaultRun, Panicked, told};
use crate::engine::call::{Lost, call};
use crate::engine::{Plan, Ports, Recorder};
use crate::model::EventKind;
use crate::port::Prepared;
use crate::units::show_duration;

impl FaultRun {
    /// The machinery of a fault at dose zero, if it has one. Changes nothing.
    pub(in crate::engine) async fn at_rest(plan: &Plan, ports: &Ports) -> Result<Option<Self>, String> {
        let (injector, fault, target, pin) =
            (Arc::clone(&ports.injector), plan.fault.clone(), plan.target.clone(), plan.pin.clone());
        let preparing = call(&*ports.clock, plan.limits.inject, async move {
            // By the same mechanism as the fault itself.
            let choice = injector.support(&fault, &target).choose(fault.kind(), &pin)?;
            let prepared = injector.prepare_at_rest(&fault, &target, choice.mechanism).await;
            let prepared = prepared.transpose().map_err(|error| error.to_string())?;
            let detail = format!("{} for {fault}, at rest", choice.mechanism);
            Ok::<_, String>(prepared.map(|prepared| Prepared { detail, ..prepared }))
        });
        let prepared = preparing.await.map_err(|lost| match lost {
            Lost::NotDone(after) => format!("not prepared after {}", show_duration(after)),
            lost => told(&lost),
        })??;
        let at_rest = |prepared| Self {
            prepared,
            limits: plan.limits,
            injecting: None,
            reverted: false,
            at_rest: true,
        };
        Ok(prepared.map(at_rest))
    }

    /// What is put in place, in a phrase.
    pub(in crate::engine) fn detail(&self) -> &str {
        &self.prepared.detail
    }

    /// Puts it in place; false if that failed.
    pub(in crate::engine) async fn put_at_rest(
        &mut self,
        ports: &Ports,
        recorder: &Recorder,
    ) -> Result<bool, Panicked> {
        let in_place = self.put_in_place(ports, recorder).await?;
        if in_place {
            let text = format!("in place, at rest: {}", self.prepared.detail);
            recorder.event(ports.clock.now(), EventKind::Fault, text);
        }
        Ok(in_place)
    }
}
