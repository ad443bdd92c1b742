use std::sync::{MutexGuard, PoisonError};

use super::{Environment, Service};

/// From where addresses are asked for, and which were: what a variable of a service says depends on where that runs.
#[derive(Debug, Default)]
pub(super) struct Outlook {
    /// From inside the network of the containers.
    inside: bool,
    /// The services that were asked for.
    asked: Vec<String>,
    /// Those that cannot be reached from there, and why.
    unreachable: Vec<String>,
}

impl Environment {
    /// What that makes of this environment, seen by a service; and whom it asked for.
    ///
    /// # Errors
    /// It asked for somebody it cannot reach.
    pub(super) fn seen_by<T>(
        &self,
        service: &Service,
        look: impl FnOnce(&Self) -> T,
    ) -> Result<(T, Vec<String>), String> {
        *self.outlook() = Outlook { inside: service.container.is_some(), ..Outlook::default() };
        let made = look(self);
        let Outlook { asked, unreachable, .. } = std::mem::take(&mut *self.outlook());
        match unreachable.first() {
            None => Ok((made, asked)),
            Some(why) => Err(format!("{} is in a container, and {why}", service.name())),
        }
    }

    /// Where a service is reached, as a host and a port.
    #[track_caller]
    pub(super) fn seen(&self, service: &str) -> (String, u16) {
        let found = self.known(service);
        let door = (found.address().ip().to_string(), found.address().port());
        if !self.outlook().inside {
            self.note(found, "");
            return door;
        }
        match &found.container {
            Some(container) => {
                self.note(found, "");
                (service.to_owned(), container.inside())
            }
            None if found.process.is_none() && !found.upstream.ip().is_loopback() => {
                self.note(found, "");
                (found.upstream.ip().to_string(), found.upstream.port())
            }
            None => {
                self.note(found, "it listens on a loopback address of this host, which no container reaches");
                door
            }
        }
    }

    /// Notes that a service was asked for, and why it cannot be reached from inside, if so.
    pub(super) fn note(&self, service: &Service, unreachable: &str) {
        let mut outlook = self.outlook();
        outlook.asked.push(service.name().to_owned());
        if outlook.inside && !unreachable.is_empty() {
            outlook.unreachable.push(format!("it asked for {}: {unreachable}", service.name()));
        }
    }

    fn outlook(&self) -> MutexGuard<'_, Outlook> {
        self.outlook.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
