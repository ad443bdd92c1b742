use super::experiment::Experiment;

impl Experiment {
    /// Confirms a fault that `safety.require_confirmation` asks about, as `CHAOS_TEST_CONFIRM=<scenario>` does. That is
    /// asked only about a target this run did not start itself.
    pub fn confirmed(mut self, confirmed: bool) -> Self {
        self.confirmed = confirmed;
        self
    }

    /// Agrees that faults take processor time and memory from the whole host for the sake of a service that this
    /// run did not start. It must be on this host, which its address tells: another one is refused. For what this run
    /// started, nobody is asked.
    pub fn stress_host(mut self, agreed: bool) -> Self {
        self.stress_host = agreed;
        self
    }
}
