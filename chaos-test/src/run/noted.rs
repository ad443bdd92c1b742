use std::sync::{Arc, Mutex, PoisonError};

use crate::model::{Fault, PassedOver, Pin};
use crate::port::{
    BoxFuture, DynInjector, InjectError, ObserveError, Prepared, Presence, RevertError, RevertRecord,
    Support, Target,
};
use crate::report::{PlannedAction, PlannedInjection};

/// An injector whose answers to "could you, and how?" are kept for the plan. In a dry run it injects nothing, whoever
/// asks.
pub(super) struct Noted {
    inner: Box<dyn DynInjector>,
    pin: Pin,
    dry_run: bool,
    notes: Notes,
    /// The better rungs that are not used, as the last answer had it.
    passed_over: Mutex<Vec<PassedOver>>,
}

/// What an injector has answered so far.
#[derive(Clone, Default)]
pub(super) struct Notes(Arc<Mutex<Option<PlannedInjection>>>);

impl Noted {
    pub(super) fn of(inner: Box<dyn DynInjector>, pin: Pin, dry_run: bool) -> (Self, Notes) {
        let notes = Notes::default();
        (Self { inner, pin, dry_run, notes: notes.clone(), passed_over: Mutex::default() }, notes)
    }
}

impl Notes {
    pub(super) fn injection(&self) -> PlannedInjection {
        let answered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        answered.clone().unwrap_or(PlannedInjection::NotAsked)
    }

    fn keep(&self, answer: PlannedInjection) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
    }
}

fn possible(prepared: &Prepared, passed_over: Vec<PassedOver>) -> PlannedInjection {
    let action = |step: &crate::port::PlannedStep| PlannedAction {
        action: step.action.clone(),
        touches: step.touches.clone(),
        undo: step.undo.clone(),
    };
    PlannedInjection::Possible {
        mechanism: prepared.mechanism.clone(),
        detail: prepared.detail.clone(),
        passed_over,
        steps: prepared.steps.iter().map(action).collect(),
        if_this_process_dies: prepared.record.undo.iter().map(ToString::to_string).collect(),
    }
}

impl DynInjector for Noted {
    fn support(&self, fault: &Fault, target: &Target) -> Support {
        let support = self.inner.support(fault, target);
        match support.choose(fault.kind(), &self.pin) {
            Ok(choice) => {
                *self.passed_over.lock().unwrap_or_else(PoisonError::into_inner) = choice.passed_over
            }
            Err(why) => self.notes.keep(PlannedInjection::Impossible(why)),
        }
        support
    }

    fn prepare<'a>(
        &'a self,
        fault: &'a Fault,
        target: &'a Target,
        mechanism: &'a str,
    ) -> BoxFuture<'a, Result<Prepared, InjectError>> {
        Box::pin(async move {
            let prepared = self.inner.prepare(fault, target, mechanism).await;
            let passed_over = self.passed_over.lock().unwrap_or_else(PoisonError::into_inner).clone();
            self.notes.keep(match &prepared {
                Ok(prepared) => possible(prepared, passed_over),
                Err(error) => PlannedInjection::Impossible(error.to_string()),
            });
            prepared
        })
    }

    fn prepare_at_rest<'a>(
        &'a self,
        fault: &'a Fault,
        target: &'a Target,
        mechanism: &'a str,
    ) -> BoxFuture<'a, Option<Result<Prepared, InjectError>>> {
        // Part of the baseline, and not of the plan.
        self.inner.prepare_at_rest(fault, target, mechanism)
    }

    fn inject<'a>(&'a self, prepared: &'a Prepared) -> BoxFuture<'a, Result<(), InjectError>> {
        if self.dry_run {
            // The engine does not ask; should it ever, this is the last place to refuse.
            return Box::pin(async { Err(InjectError("a dry run injects nothing".into())) });
        }
        self.inner.inject(prepared)
    }

    fn observe<'a>(&'a self, record: &'a RevertRecord) -> BoxFuture<'a, Result<Presence, ObserveError>> {
        self.inner.observe(record)
    }

    fn revert<'a>(&'a self, record: &'a RevertRecord) -> BoxFuture<'a, Result<(), RevertError>> {
        self.inner.revert(record)
    }
}
