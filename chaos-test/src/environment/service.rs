use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::port::{NetworkPath, ProcessControl, Target, TargetKind};
use crate::probe::Probe;
use crate::sys::files;
use crate::sys::ports::ReservedPort;
use crate::sys::process::ManagedProcess;
use crate::sys::proxy::Proxy;

/// One service of an environment.
pub struct Service {
    pub(super) name: String,
    pub(super) door: Arc<Proxy>,
    pub(super) upstream: SocketAddr,
    /// What to put in `Host`, where the service has a name of its own.
    pub(super) host: Option<String>,
    pub(super) process: Option<Arc<ManagedProcess>>,
    pub(super) ready: Option<Probe>,
    pub(super) ready_within: Duration,
    pub(super) _port: Option<ReservedPort>,
}

impl Service {
    /// Its name in the environment.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its front door: the address that stays the same whatever happens behind it.
    pub fn address(&self) -> SocketAddr {
        self.door.address()
    }

    /// Its front door as a URL: `http://127.0.0.1:40123`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// The address behind the front door: where the service itself listens. Traffic to it meets no network fault.
    pub fn direct_address(&self) -> SocketAddr {
        self.upstream
    }

    /// The process that is running now, if it is one of ours and up.
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref()?.pid()
    }

    /// The last lines it wrote, if it is a process of ours.
    pub fn log_tail(&self, lines: usize) -> Vec<String> {
        self.process.as_ref().map_or_else(Vec::new, |process| files::tail(process.log(), lines))
    }

    /// The file its output goes to, if it is a process of ours.
    pub fn log_file(&self) -> Option<&Path> {
        self.process.as_ref().map(|process| process.log())
    }

    pub(crate) fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    pub(crate) fn ready(&self) -> Option<&Probe> {
        self.ready.as_ref()
    }

    pub(super) fn close(&self) {
        if let Some(process) = &self.process {
            process.close();
        }
    }

    /// What its processes carry in their environment, if it is one of ours.
    pub(crate) fn mark(&self) -> Option<&str> {
        self.process.as_ref().map(|process| process.mark())
    }

    /// What ends its process for good, for somebody who has no hold on the environment.
    pub(crate) fn ender(&self) -> impl Fn() + Send + Sync + 'static {
        let process = self.process.clone();
        move || {
            if let Some(process) = &process {
                process.close();
            }
        }
    }

    /// How its process ended, if it did without our doing.
    pub(crate) fn ended(&self) -> Option<String> {
        self.process.as_ref()?.ended()
    }

    /// A look at whether its process has ended without our doing, that may be kept.
    pub(crate) fn watch_end(&self) -> impl Fn() -> Option<String> + Send + Sync + 'static {
        let (name, process) = (self.name.clone(), self.process.clone());
        move || Some(format!("{name} ended by itself ({})", process.as_ref()?.ended()?))
    }

    /// What an injector is given to aim at.
    pub fn target(&self) -> Target {
        Target {
            service: self.name.clone(),
            kind: if self.process.is_some() { TargetKind::Process } else { TargetKind::Url },
            address: Some(self.upstream),
            path: Some(Arc::clone(&self.door) as Arc<dyn NetworkPath>),
            process: self.process.clone().map(|process| process as Arc<dyn ProcessControl>),
        }
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("name", &self.name)
            .field("address", &self.address())
            .finish_non_exhaustive()
    }
}
