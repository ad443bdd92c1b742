use std::sync::Arc;

use crate::environment::Service;
use crate::sys::ledger::FileLedger;
use crate::sys::residue::{self, Scope, Snapshot};
use crate::sys::runtime::harness;

/// Looks for what an experiment may have left, without asking the injector that should have undone it.
pub(super) struct Audit {
    scope: Scope,
    ledger: Arc<FileLedger>,
    before: Snapshot,
}

impl Audit {
    pub(super) fn of(services: &[Service], ledger: Arc<FileLedger>) -> Self {
        let started = services.iter().filter(|service| service.mark().is_some());
        // The number a container is published under may be somebody else's as soon as it is down.
        let own = started.clone().filter(|service| !service.is_contained());
        let ports = own.map(|service| service.direct_address().port()).collect();
        let marks =
            started.filter_map(|service| Some((service.mark()?.to_owned(), service.name().to_owned())));
        let mut marks: Vec<_> = marks.collect();
        let networks = services.iter().filter_map(|service| {
            Some((service.network_mark()?.to_owned(), format!("the network of {}", service.name())))
        });
        marks.extend(networks);
        let contained = services.iter().any(Service::is_contained);
        let scope = Scope { services: marks, ports, faults: Vec::new(), contained };
        Self { scope, ledger, before: Snapshot::default() }
    }

    /// What is there before the first injection.
    pub(super) async fn before(mut self) -> Self {
        let scope = self.scope.clone();
        // A look that fails finds nothing, and then everything found later is new.
        self.before = harness().spawn_blocking(move || scope.look()).await.unwrap_or_default();
        self
    }

    /// What the faults have left, after the last revert. If it is told already that one could not be undone, the ledger
    /// owes it for that reason, and that is no news.
    pub(super) async fn after_revert(&mut self, told: bool) -> Vec<String> {
        self.scope.faults = self.ledger.ids();
        let (scope, before) = (self.scope.clone(), self.before.clone());
        let look = move || scope.after_revert(&before, &scope.look(), told);
        looked(harness().spawn_blocking(|| residue::that_stays(look)).await)
    }

    /// What the services have left, after they were ended.
    pub(super) async fn after_end(&self) -> Vec<String> {
        let scope = self.scope.clone();
        let look = move || scope.after_end(&scope.look());
        looked(harness().spawn_blocking(|| residue::that_stays(look)).await)
    }
}

fn looked<E: std::fmt::Display>(found: Result<Vec<String>, E>) -> Vec<String> {
    found.unwrap_or_else(|panic| vec![format!("nobody knows: the audit failed ({panic})")])
}
