//! Faults held by hand, and what the kernel says of their workers.

use std::time::{Duration, Instant};

use chaos_test::inject::injector_for;
use chaos_test::model::{Fault, Pin};
use chaos_test::port::{DynInjector, Prepared, Target};

/// A real fault held by hand, without an experiment around it.
pub struct Stress {
    injector: Box<dyn DynInjector>,
    /// What was prepared.
    pub prepared: Prepared,
}

impl Stress {
    /// Prepared by the best rung there is, or by that one.
    ///
    /// # Errors
    /// There is no such rung; or it cannot be prepared.
    pub async fn prepare(fault: &Fault, target: &Target, mechanism: Option<&str>) -> Result<Self, String> {
        Self::with(injector_for(fault), fault, target, mechanism).await
    }

    /// The same by that injector.
    ///
    /// # Errors
    /// There is no such rung; or it cannot be prepared.
    pub async fn with(
        injector: Box<dyn DynInjector>,
        fault: &Fault,
        target: &Target,
        mechanism: Option<&str>,
    ) -> Result<Self, String> {
        let pin = Pin { mechanism: mechanism.map(str::to_owned), fidelity: None };
        let choice = injector.support(fault, target).choose(fault.kind(), &pin)?;
        let prepared = injector.prepare(fault, target, choice.mechanism).await;
        Ok(Self { injector, prepared: prepared.map_err(|error| error.to_string())? })
    }

    /// Puts it in place.
    pub async fn inject(&self) {
        self.injector.inject(&self.prepared).await.expect("it can be injected");
    }

    /// What the witness measures.
    ///
    /// # Errors
    /// It cannot.
    pub async fn measured(&self) -> Result<f64, String> {
        let seen = self.injector.observe(&self.prepared.record).await;
        seen.map(|presence| presence.dose().measured).map_err(|error| error.to_string())
    }

    /// The time until the witness measures that share of the dose; at most that long.
    pub async fn reaches(&self, share: f64, within: Duration) -> Option<Duration> {
        let begun = Instant::now();
        while begun.elapsed() < within {
            if self.measured().await.is_ok_and(|measured| measured >= self.prepared.asked * share) {
                return Some(begun.elapsed());
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        None
    }

    /// Takes it away.
    pub async fn revert(&self) {
        self.injector.revert(&self.prepared.record).await.expect("it can be undone");
    }

    /// The processes that carry its mark.
    pub fn workers(&self) -> Vec<u32> {
        crate::marked(&self.prepared.record.id)
    }
}

/// Processor time a process has used, by the scheduler.
pub fn cpu_used(pid: u32) -> Duration {
    let text = std::fs::read_to_string(format!("/proc/{pid}/schedstat")).unwrap_or_default();
    let nanos = text.split(' ').next().and_then(|field| field.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}

/// Whether this host has a capability that a test needs. If not, it says so; and if `CHAOS_TEST_REQUIRE` names it, it
/// fails instead.
pub fn has(capability: &str, missing: Option<String>) -> bool {
    let Some(missing) = missing else { return true };
    let required = std::env::var("CHAOS_TEST_REQUIRE").unwrap_or_default();
    assert!(
        !required.split(',').any(|name| name.trim() == capability),
        "{capability} is required: {missing}"
    );
    eprintln!("SKIPPED: this host has no {capability}: {missing}");
    false
}
