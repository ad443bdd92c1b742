use serde::{Deserialize, Serialize};

use super::{
    BoxFuture, InjectError, ObserveError, PlannedStep, Presence, RevertError, Support, Target, UndoStep,
};
use crate::model::{DoseUnit, Fault};

/// Makes one family of faults happen, proves it, and undoes it.
///
/// The engine calls, in this order: [`support`](Self::support), [`prepare`](Self::prepare), then (with the revert
/// record already in the ledger) [`inject`](Self::inject), [`observe`](Self::observe) as often as it likes, and
/// [`revert`](Self::revert), whatever happened before.
///
/// The least there is, a switch in the test's own process:
///
/// ```
/// use std::sync::atomic::{AtomicBool, Ordering};
///
/// use chaos_test::model::Fault;
/// use chaos_test::port::{
///     Dose, InjectError, Injector, ObserveError, Prepared, Presence, RevertError, RevertRecord, Support, Target,
/// };
///
/// /// Whether the stub of the payment service turns every card down.
/// static DECLINES: AtomicBool = AtomicBool::new(false);
///
/// struct Declined;
///
/// impl Injector for Declined {
///     fn support(&self, _fault: &Fault, _target: &Target) -> Support {
///         Support::yes("switch")
///     }
///     async fn prepare(&self, _fault: &Fault, target: &Target, mechanism: &str) -> Result<Prepared, InjectError> {
///         let id = format!("declined-{}", std::process::id());
///         let record = RevertRecord::new(id, "declined", &target.service);
///         Ok(Prepared::new(record, mechanism, "every card is turned down"))
///     }
///     async fn inject(&self, _prepared: &Prepared) -> Result<(), InjectError> {
///         DECLINES.store(true, Ordering::SeqCst);
///         Ok(())
///     }
///     async fn observe(&self, _record: &RevertRecord) -> Result<Presence, ObserveError> {
///         let measured = if DECLINES.load(Ordering::SeqCst) { 1.0 } else { 0.0 };
///         Ok(Presence::of(Dose::new(1.0, measured)))
///     }
///     async fn revert(&self, _record: &RevertRecord) -> Result<(), RevertError> {
///         DECLINES.store(false, Ordering::SeqCst);
///         Ok(())
///     }
/// }
/// ```
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
///
/// ```
/// use chaos_test::inject::injector_for;
/// use chaos_test::model::{Fault, Pin};
/// use chaos_test::port::{DynInjector, Target};
///
/// /// The mechanism by which that fault would be made, or why there is none.
/// fn mechanism(fault: &Fault, target: &Target) -> Result<&'static str, String> {
///     let injector: Box<dyn DynInjector> = injector_for(fault);
///     let choice = injector.support(fault, target).choose(fault.kind(), &Pin::default())?;
///     Ok(choice.mechanism)
/// }
/// ```
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
///
/// ```
/// use chaos_test::model::DoseUnit;
/// use chaos_test::port::{PlannedStep, Prepared, RevertRecord};
///
/// let record = RevertRecord::new("declined-4711", "declined", "payment");
/// let step = PlannedStep::new("turn down a fifth of the cards", "payments", "the switch is turned back");
/// let prepared = Prepared::new(record, "switch", "a fifth of the cards is turned down")
///     .dose(0.2, DoseUnit::Share)
///     .steps([step]);
/// assert_eq!((prepared.asked, prepared.unit), (0.2, DoseUnit::Share));
/// assert_eq!(prepared.steps[0].touches, "payments");
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
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

impl Prepared {
    /// A fault made by that mechanism, told to people by that phrase, and undone by that record: one that is there or
    /// is not, unless a [`dose`](Self::dose) says otherwise.
    ///
    /// ```
    /// use chaos_test::model::DoseUnit;
    /// use chaos_test::port::{Prepared, RevertRecord};
    ///
    /// let record = RevertRecord::new("flock-4711", "flock", "app");
    /// let prepared = Prepared::new(record, "flock", "a backup holds the lock");
    /// assert_eq!((prepared.asked, prepared.unit), (1.0, DoseUnit::Down));
    /// ```
    #[must_use]
    pub fn new(record: RevertRecord, mechanism: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            record,
            mechanism: mechanism.into(),
            detail: detail.into(),
            unit: DoseUnit::Down,
            asked: 1.0,
            steps: Vec::new(),
        }
    }

    /// The same, asking for so much of that unit.
    #[must_use]
    pub fn dose(mut self, asked: f64, unit: DoseUnit) -> Self {
        (self.asked, self.unit) = (asked, unit);
        self
    }

    /// The same, with what injecting does, for a dry run to show.
    #[must_use]
    pub fn steps(mut self, steps: impl IntoIterator<Item = PlannedStep>) -> Self {
        self.steps = steps.into_iter().collect();
        self
    }
}

/// How one fault is undone, in plain data that another process can read.
///
/// ```
/// use chaos_test::port::RevertRecord;
/// use serde_json::json;
///
/// let record = RevertRecord::new("declined-4711", "declined", "payment").payload(json!({ "share": 0.2 }));
/// let text = serde_json::to_string(&record)?;
/// let read: RevertRecord = serde_json::from_str(&text)?;
/// assert_eq!(read, record);
/// assert_eq!(read.payload["share"].as_f64(), Some(0.2));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
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

impl RevertRecord {
    /// Of a fault that ends with this process: nothing is owed to anybody else.
    ///
    /// `id` is unique on this host; `injector` names the family, `service` what the fault is aimed at.
    ///
    /// ```
    /// let record = chaos_test::port::RevertRecord::new("flock-4711", "flock", "app");
    /// assert!(record.undo.is_empty());
    /// ```
    #[must_use]
    pub fn new(id: impl Into<String>, injector: impl Into<String>, service: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            injector: injector.into(),
            service: service.into(),
            payload: serde_json::Value::Null,
            undo: Vec::new(),
        }
    }

    /// The same, with what the injector needs to know to undo it.
    #[must_use]
    pub fn payload(mut self, payload: serde_json::Value) -> Self {
        self.payload = payload;
        self
    }

    /// The same, with the steps by which another process undoes it, in order.
    #[must_use]
    pub fn undo(mut self, steps: impl IntoIterator<Item = UndoStep>) -> Self {
        self.undo = steps.into_iter().collect();
        self
    }
}
