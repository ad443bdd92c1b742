use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::BoxFuture;

/// What a fault is aimed at.
#[derive(Clone)]
pub struct Target {
    /// The service's name in its environment.
    pub service: String,
    /// What sort of thing it is.
    pub kind: TargetKind,
    /// Where the service itself listens, behind its front door.
    pub address: Option<SocketAddr>,
    /// The path all traffic to it takes.
    pub path: Option<Arc<dyn NetworkPath>>,
    /// Control of its process, if we started it.
    pub process: Option<Arc<dyn ProcessControl>>,
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target")
            .field("service", &self.service)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// What sort of thing a target is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TargetKind {
    /// A child process of ours.
    Process,
    /// Something already running that we reach by its address.
    Url,
}

impl fmt::Display for TargetKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Process => "process",
            Self::Url => "url",
        })
    }
}

/// What a path does to the traffic on it. The default does nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PathShape {
    /// Extra time each way.
    pub delay: Duration,
    /// Further extra time each way, uniform from nothing to this.
    pub jitter: Duration,
}

/// The path all traffic to a service takes.
pub trait NetworkPath: Send + Sync {
    /// Shapes the traffic from now on, open connections included.
    fn shape(&self, shape: PathShape);

    /// Measures a round trip through the path with real bytes, without troubling the service.
    fn round_trip(&self) -> BoxFuture<'static, io::Result<Duration>>;
}

/// Control of a process of ours.
pub trait ProcessControl: Send + Sync {
    /// The process that is running now; `None` while it is down.
    fn pid(&self) -> Option<u32>;

    /// Whether its environment has ended, so that it is never started again.
    fn is_closed(&self) -> bool;

    /// Ends it and everything it started, at once and without warning.
    fn kill(&self) -> io::Result<()>;

    /// Starts it again if it is down and not [closed](Self::is_closed). Returns when the process exists, not when it
    /// is ready.
    fn respawn(&self) -> io::Result<()>;
}
