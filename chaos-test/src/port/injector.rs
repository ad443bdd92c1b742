use std::fmt;

use serde::{Deserialize, Serialize};

use super::{BoxFuture, PlannedStep, Support, Target, UndoStep};
use crate::model::{DoseUnit, Fault};

/// Makes one family of faults happen, proves it, and undoes it.
///
/// The engine calls, in this order: [`support`](Self::support), [`prepare`](Self::prepare), then (with the revert
/// record already in the ledger) [`inject`](Self::inject), [`observe`](Self::observe) as often as it likes, and
/// [`revert`](Self::revert), whatever happened before.
pub trait Injector: Send + Sync {
    /// Can this host do it to this target, and how? Every rung of the ladder, the best first; a rung that cannot be used
    /// has a reason a user can act on. What can only be told by trying is tried, without a trace.
    fn support(&self, fault: &Fault, target: &Target) -> Support;

    /// Works out every step by that mechanism, one of those [offered](Self::support), and the record that undoes them.
    /// Changes nothing.
    fn prepare(
        &self,
        fault: &Fault,
        target: &Target,
        mechanism: &str,
    ) -> impl Future<Output = Result<Prepared, InjectError>> + Send;

    /// Works out the same at dose zero: all that [`inject`](Self::inject) would put in place, doing nothing; `None` where
    /// there is no such thing, which is what this says unless it is written anew. What it returns is injected and reverted
    /// in the second half of the baseline, and nobody looks for its dose; so what the machinery itself costs is measured,
    /// and not charged to the service. Changes nothing.
    fn prepare_at_rest(
        &self,
        _fault: &Fault,
        _target: &Target,
        _mechanism: &str,
    ) -> impl Future<Output = Option<Result<Prepared, InjectError>>> + Send {
        std::future::ready(None)
    }

    /// Applies it. The engine has already put the revert record into the ledger.
    fn inject(&self, prepared: &Prepared) -> impl Future<Output = Result<(), InjectError>> + Send;

    /// Is our fault there, and at what dose? A failed read is an `Err`, never `Absent`.
    fn observe(&self, record: &RevertRecord) -> impl Future<Output = Result<Presence, ObserveError>> + Send;

    /// Undoes it. Safe twice, from another process, after a crash; never touches what is not ours.
    fn revert(&self, record: &RevertRecord) -> impl Future<Output = Result<(), RevertError>> + Send;
}

/// An [`Injector`] behind a pointer. Implemented for every injector; nobody writes one by hand.
pub trait DynInjector: Send + Sync {
    /// See [`Injector::support`].
    fn support(&self, fault: &Fault, target: &Target) -> Support;
    /// See [`Injector::prepare`].
    fn prepare<'a>(
        &'a self,
        fault: &'a Fault,
        target: &'a Target,
        mechanism: &'a str,
    ) -> BoxFuture<'a, Result<Prepared, InjectError>>;
    /// See [`Injector::prepare_at_rest`].
    fn prepare_at_rest<'a>(
        &'a self,
        _fault: &'a Fault,
        _target: &'a Target,
        _mechanism: &'a str,
    ) -> BoxFuture<'a, Option<Result<Prepared, InjectError>>> {
        Box::pin(std::future::ready(None))
    }
    /// See [`Injector::inject`].
    fn inject<'a>(&'a self, prepared: &'a Prepared) -> BoxFuture<'a, Result<(), InjectError>>;
    /// See [`Injector::observe`].
    fn observe<'a>(&'a self, record: &'a RevertRecord) -> BoxFuture<'a, Result<Presence, ObserveError>>;
    /// See [`Injector::revert`].
    fn revert<'a>(&'a self, record: &'a RevertRecord) -> BoxFuture<'a, Result<(), RevertError>>;
}

impl<I: Injector> DynInjector for I {
    fn support(&self, fault: &Fault, target: &Target) -> Support {
        Injector::support(self, fault, target)
    }
    fn prepare<'a>(
        &'a self,
        fault: &'a Fault,
        target: &'a Target,
        mechanism: &'a str,
    ) -> BoxFuture<'a, Result<Prepared, InjectError>> {
        Box::pin(Injector::prepare(self, fault, target, mechanism))
    }
    fn prepare_at_rest<'a>(
        &'a self,
        fault: &'a Fault,
        target: &'a Target,
        mechanism: &'a str,
    ) -> BoxFuture<'a, Option<Result<Prepared, InjectError>>> {
        Box::pin(Injector::prepare_at_rest(self, fault, target, mechanism))
    }
    fn inject<'a>(&'a self, prepared: &'a Prepared) -> BoxFuture<'a, Result<(), InjectError>> {
        Box::pin(Injector::inject(self, prepared))
    }
    fn observe<'a>(&'a self, record: &'a RevertRecord) -> BoxFuture<'a, Result<Presence, ObserveError>> {
        Box::pin(Injector::observe(self, record))
    }
    fn revert<'a>(&'a self, record: &'a RevertRecord) -> BoxFuture<'a, Result<(), RevertError>> {
        Box::pin(Injector::revert(self, record))
    }
}

/// Everything worked out for one injection.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// How it is undone.
    pub record: RevertRecord,
    /// The rung of the ladder that will be used.
    pub mechanism: String,
    /// The fault and how it is made, in a phrase for people.
    pub detail: String,
    /// What a dose is counted in.
    pub unit: DoseUnit,
    /// The dose asked for, in that unit.
    pub asked: f64,
    /// What injecting will do, touch and owe, in order: for a dry run.
    pub steps: Vec<PlannedStep>,
}

/// How one fault is undone, in plain data that another process can read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RevertRecord {
    /// Unique on this host; what we put in place carries it as a mark.
    pub id: String,
    /// The family of the fault, which names the injector that can undo it.
    pub injector: String,
    /// The service it is aimed at.
    pub service: String,
    /// What that injector needs to know.
    pub payload: serde_json::Value,
    /// How a process that has no such injector undoes it, in order. Empty if the fault ends with the process that made
    /// it.
    #[serde(default)]
    pub undo: Vec<UndoStep>,
}

/// Whether our fault is there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Presence {
    /// It is, at this dose.
    Present(Dose),
    /// It is not; what was measured all the same.
    Absent(Dose),
}

/// How much of a fault, in the unit of its [`Prepared`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dose {
    /// What was asked for.
    pub asked: f64,
    /// What was measured.
    pub measured: f64,
}

impl Presence {
    /// Present when more than a tenth of the dose asked for was measured.
    pub fn of(dose: Dose) -> Self {
        if dose.measured > dose.asked * 0.1 { Self::Present(dose) } else { Self::Absent(dose) }
    }

    /// What was measured.
    pub fn dose(self) -> Dose {
        match self {
            Self::Present(dose) | Self::Absent(dose) => dose,
        }
    }
}

macro_rules! text_error {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name(pub String);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::error::Error for $name {}
    };
}

text_error!(
    /// The fault could not be put in place; the text names the step and the fix.
    InjectError
);
text_error!(
    /// The fault could not be looked at. This says nothing about whether it is there.
    ObserveError
);
text_error!(
    /// The fault could not be undone; the text says what is left behind.
    RevertError
);
