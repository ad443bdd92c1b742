use std::fmt;

use crate::model::{FaultKind, Fidelity, PassedOver, Pin};

/// What an injector can do for one fault and one target: the ladder, the best rung first.
///
/// ```
/// use chaos_test::model::{FaultKind, Pin};
/// use chaos_test::port::{Rung, Support};
///
/// let netem = Rung::refused("netem", "this kernel has no netem", "load sch_netem");
/// let support = Support::ladder([netem, Rung::offered("proxy")]);
/// let choice = support.choose(FaultKind::NetworkDelay, &Pin::default())?;
/// assert_eq!(choice.mechanism, "proxy");
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Support {
    rungs: Vec<Rung>,
}

/// One way to make a fault happen, and whether this host offers it.
///
/// ```
/// use chaos_test::model::Fidelity;
/// use chaos_test::port::{Refusal, Rung};
///
/// fn netem(own_network: bool) -> Rung {
///     let shared = || Refusal::new("it shares the test's network", "start it with `Process::own_network()`");
///     Rung::unless("netem", (!own_network).then(shared)).at(Fidelity::Packet)
/// }
///
/// assert_eq!(netem(true), Rung::offered("netem").at(Fidelity::Packet));
/// assert!(netem(false).refusal.is_some());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rung {
    /// Its name: `proxy`.
    pub mechanism: &'static str,
    /// How true to the real thing it is, if it is one of the network.
    pub fidelity: Option<Fidelity>,
    /// Why it cannot be used here, if it cannot.
    pub refusal: Option<Refusal>,
}

/// Why a rung cannot be used.
///
/// ```
/// use chaos_test::port::Refusal;
///
/// let refusal = Refusal::new("this kernel has no netem", "load sch_netem");
/// assert_eq!(refusal.to_string(), "this kernel has no netem (to have it: load sch_netem)");
/// let hopeless = Refusal::new("app was not started by this run", "");
/// assert_eq!(hopeless.to_string(), "app was not started by this run");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What is not as it would have to be.
    pub reason: String,
    /// What would make it work; empty if nothing on this host does.
    pub fix: String,
}

/// The rung that is used.
///
/// ```
/// use chaos_test::model::{FaultKind, Pin};
/// use chaos_test::port::{Rung, Support};
///
/// let support = Support::ladder([Rung::offered("netem"), Rung::offered("proxy")]);
/// let pin = Pin { mechanism: Some("proxy".into()), fidelity: None };
/// let choice = support.choose(FaultKind::NetworkLoss, &pin)?;
/// assert_eq!(choice.mechanism, "proxy");
/// assert_eq!(choice.passed_over[0].mechanism, "netem");
/// assert_eq!(choice.passed_over[0].reason, "`mechanism: proxy` is asked for");
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Choice {
    /// Its name.
    pub mechanism: &'static str,
    /// The better ones, and why they are not used.
    pub passed_over: Vec<PassedOver>,
}

impl Rung {
    /// A rung that this host offers.
    pub fn offered(mechanism: &'static str) -> Self {
        Self { mechanism, fidelity: None, refusal: None }
    }

    /// A rung that cannot be used here. The fix says what would make it work; it may be empty.
    pub fn refused(mechanism: &'static str, reason: impl Into<String>, fix: impl Into<String>) -> Self {
        let refusal = Refusal { reason: reason.into(), fix: fix.into() };
        Self { mechanism, fidelity: None, refusal: Some(refusal) }
    }

    /// The same, offered if nothing speaks against it.
    pub fn unless(mechanism: &'static str, refusal: Option<Refusal>) -> Self {
        Self { mechanism, fidelity: None, refusal }
    }

    /// The same, this true to the real thing.
    pub fn at(self, fidelity: Fidelity) -> Self {
        Self { fidelity: Some(fidelity), ..self }
    }
}

impl Refusal {
    /// A reason, and what would make it work.
    pub fn new(reason: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { reason: reason.into(), fix: fix.into() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)?;
        if self.fix.is_empty() { Ok(()) } else { write!(f, " (to have it: {})", self.fix) }
    }
}

impl Support {
    /// A ladder, the best rung first.
    pub fn ladder(rungs: impl IntoIterator<Item = Rung>) -> Self {
        Self { rungs: rungs.into_iter().collect() }
    }

    /// The one mechanism there is, and it can be used.
    pub fn yes(mechanism: &'static str) -> Self {
        Self::ladder([Rung::offered(mechanism)])
    }

    /// The one mechanism there is, and why it cannot be used.
    pub fn no(mechanism: &'static str, reason: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::ladder([Rung::refused(mechanism, reason, fix)])
    }

    /// All rungs, the best first.
    pub fn rungs(&self) -> &[Rung] {
        &self.rungs
    }

    /// The best rung that can be used and that `pin` is content with.
    ///
    /// # Errors
    /// There is none; the text names every rung and why not.
    pub fn choose(&self, kind: FaultKind, pin: &Pin) -> Result<Choice, String> {
        let mut passed_over = Vec::new();
        for rung in &self.rungs {
            match unwanted(rung, pin).or_else(|| rung.refusal.as_ref().map(Refusal::to_string)) {
                None => return Ok(Choice { mechanism: rung.mechanism, passed_over }),
                Some(reason) => passed_over.push(PassedOver { mechanism: rung.mechanism.into(), reason }),
            }
        }
        Err(none(kind, pin, &passed_over))
    }
}

/// Why a scenario is not content with a rung, if it is not.
fn unwanted(rung: &Rung, pin: &Pin) -> Option<String> {
    match (&pin.mechanism, pin.fidelity) {
        (Some(wanted), _) if wanted != rung.mechanism => Some(format!("`mechanism: {wanted}` is asked for")),
        (_, Some(wanted)) if rung.fidelity.is_none_or(|fidelity| fidelity < wanted) => {
            Some(format!("`fidelity: {wanted}` is asked for"))
        }
        _ => None,
    }
}

fn none(kind: FaultKind, pin: &Pin, passed_over: &[PassedOver]) -> String {
    let rungs: Vec<String> =
        passed_over.iter().map(|rung| format!("{}: {}", rung.mechanism, rung.reason)).collect();
    let rungs = if rungs.is_empty() { "there is no mechanism".into() } else { rungs.join("; ") };
    match (&pin.mechanism, pin.fidelity) {
        (None, None) => format!("{kind} is not possible here: {rungs}"),
        (Some(mechanism), None) => format!("{kind} by `{mechanism}` is not possible here: {rungs}"),
        (None, Some(fidelity)) => format!("{kind} at fidelity `{fidelity}` is not possible here: {rungs}"),
        (Some(mechanism), Some(fidelity)) => {
            format!("{kind} by `{mechanism}` at fidelity `{fidelity}` is not possible here: {rungs}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ladder() -> Support {
        Support::ladder([
            Rung::refused("netem", "this kernel has no netem", "load sch_netem").at(Fidelity::Packet),
            Rung::offered("nfqueue").at(Fidelity::Packet),
            Rung::offered("proxy").at(Fidelity::Stream),
        ])
    }

    fn pin(mechanism: Option<&str>, fidelity: Option<Fidelity>) -> Pin {
        Pin { mechanism: mechanism.map(str::to_owned), fidelity }
    }

    fn choose(pin: &Pin) -> Result<&'static str, String> {
        ladder().choose(FaultKind::NetworkDelay, pin).map(|choice| choice.mechanism)
    }

    #[test]
    fn the_best_rung_there_is_is_used_and_the_better_ones_are_named() {
        let choice = ladder().choose(FaultKind::NetworkDelay, &Pin::default()).unwrap();
        assert_eq!(choice.mechanism, "nfqueue");
        let reason = "this kernel has no netem (to have it: load sch_netem)".to_owned();
        assert_eq!(choice.passed_over, [PassedOver { mechanism: "netem".into(), reason }]);
    }

    #[test]
    fn a_pin_is_kept_or_refused() {
        assert_eq!(choose(&pin(Some("proxy"), None)), Ok("proxy"));
        assert_eq!(choose(&pin(None, Some(Fidelity::Stream))), Ok("nfqueue"));
        assert_eq!(choose(&pin(None, Some(Fidelity::Packet))), Ok("nfqueue"));
        let refused = choose(&pin(Some("netem"), None)).unwrap_err();
        assert_eq!(
            refused,
            "network_delay by `netem` is not possible here: netem: this kernel has no netem (to have it: load \
             sch_netem); nfqueue: `mechanism: netem` is asked for; proxy: `mechanism: netem` is asked for"
        );
        let refused = choose(&pin(Some("proxy"), Some(Fidelity::Packet))).unwrap_err();
        assert!(refused.contains("proxy: `fidelity: packet` is asked for"), "{refused}");
    }
}
