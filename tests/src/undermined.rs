//! A real injector, with a saboteur behind its back.

use std::sync::{Mutex, PoisonError};

use chaos_test::inject::injector_for;
use chaos_test::model::Fault;
use chaos_test::port::{
    BoxFuture, DynInjector, InjectError, ObserveError, Prepared, Presence, RevertError, RevertRecord,
    Support, Target,
};

/// Somebody who does something else in place of an injection, or against it.
pub trait Saboteur: Send + Sync {
    /// Injects what `real` has prepared for the target, or does not.
    fn inject(
        &self,
        real: &dyn DynInjector,
        target: &Target,
        prepared: &Prepared,
    ) -> impl Future<Output = Result<(), InjectError>> + Send;

    /// Takes back what is nobody's fault but the saboteur's, before the real revert.
    fn before_revert(&self, _target: &Target) {}
}

/// The injector of a fault as it is, except for its injection.
pub struct Undermined<S> {
    real: Box<dyn DynInjector>,
    saboteur: S,
    target: Mutex<Option<Target>>,
}

impl<S: Saboteur> Undermined<S> {
    /// That of this fault.
    pub fn of(fault: &Fault, saboteur: S) -> Self {
        Self { real: injector_for(fault), saboteur, target: Mutex::default() }
    }

    fn target(&self) -> Option<Target> {
        self.target.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl<S: Saboteur> DynInjector for Undermined<S> {
    fn support(&self, fault: &Fault, target: &Target) -> Support {
        self.real.support(fault, target)
    }
    fn prepare<'a>(
        &'a self,
        fault: &'a Fault,
        target: &'a Target,
        mechanism: &'a str,
    ) -> BoxFuture<'a, Result<Prepared, InjectError>> {
        *self.target.lock().unwrap_or_else(PoisonError::into_inner) = Some(target.clone());
        self.real.prepare(fault, target, mechanism)
    }
    fn inject<'a>(&'a self, prepared: &'a Prepared) -> BoxFuture<'a, Result<(), InjectError>> {
        Box::pin(async move {
            let target = self.target().expect("it was prepared");
            self.saboteur.inject(&*self.real, &target, prepared).await
        })
    }
    fn observe<'a>(&'a self, record: &'a RevertRecord) -> BoxFuture<'a, Result<Presence, ObserveError>> {
        self.real.observe(record)
    }
    fn revert<'a>(&'a self, record: &'a RevertRecord) -> BoxFuture<'a, Result<(), RevertError>> {
        Box::pin(async move {
            if let Some(target) = self.target() {
                self.saboteur.before_revert(&target);
            }
            self.real.revert(record).await
        })
    }
}
