use super::experiment::Experiment;
use crate::model::Fidelity;

impl Experiment {
    /// The rung of the ladder to use, and no other: `proxy`. `cargo chaos doctor` shows what there is. A host that does
    /// not offer it ends the run with an error that says why.
    pub fn mechanism(mut self, name: impl Into<String>) -> Self {
        self.scenario.pin.mechanism = Some(name.into());
        self
    }

    /// How true to the real thing a network fault must at least be. Without it, it is made as well as this host can.
    pub fn fidelity(mut self, least: Fidelity) -> Self {
        self.scenario.pin.fidelity = Some(least);
        self
    }
}
