use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::{BoxFuture, ContainerControl, NetworkPath, PacketPath, Probe};
use crate::model::SyncFault;

/// What a fault is aimed at.
///
/// ```
/// use chaos_test::port::{Support, Target};
///
/// /// What an injector that kills can do to it.
/// fn support(target: &Target) -> Support {
///     let name = &target.service;
///     match &target.process {
///         Some(process) if process.pid().is_some() => Support::yes("sigkill"),
///         Some(_) => Support::no("sigkill", format!("{name} is down"), "see its log"),
///         None => Support::no("sigkill", format!("{name} is not ours"), "start it as a process of the environment"),
///     }
/// }
/// ```
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
    /// The services that reach it past its front door: containers in one network with it.
    pub past_the_door: Vec<String>,
    /// Its packets, if it has a network of its own.
    pub packets: Option<Arc<dyn PacketPath>>,
    /// Control of its process, if we started it.
    pub process: Option<Arc<dyn ProcessControl>>,
    /// Control of its container, if it is one of ours.
    pub container: Option<Arc<dyn ContainerControl>>,
    /// Control of its syncs, if it was started so that we are asked about them.
    pub syncs: Option<Arc<dyn SyncControl>>,
    /// The directory its data is in, if we started it.
    pub disk: Option<PathBuf>,
    /// Whether it lives on this host and a fault may take from the whole of it: processor time, memory. So it
    /// is for a process of ours; for what was running already the caller has to agree.
    pub shares_host: bool,
    /// How to see that the service itself answers, past its front door.
    pub ready: Option<Readiness>,
}

/// A look at whether a service is ready.
///
/// ```
/// use chaos_test::model::Outcome;
/// use chaos_test::port::Readiness;
///
/// async fn is_ready(ready: &Readiness) -> bool {
///     let look = ready.probe.check(Box::new(|| {}));
///     matches!(tokio::time::timeout(ready.timeout, look).await, Ok(Outcome::Good))
/// }
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Readiness {
    /// The look.
    pub probe: Arc<dyn Probe>,
    /// How long one may take.
    pub timeout: Duration,
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
///
/// ```
/// use chaos_test::port::TargetKind;
///
/// let kinds = [TargetKind::Process, TargetKind::Container, TargetKind::Url];
/// // Only what this run has started may be killed.
/// assert_eq!(kinds.map(TargetKind::is_ours), [true, true, false]);
/// assert_eq!(TargetKind::Url.to_string(), "url");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TargetKind {
    /// A child process of ours.
    Process,
    /// A container of ours.
    Container,
    /// Something already running that we reach by its address.
    Url,
}

impl TargetKind {
    /// Whether it is ours: started by this run, and ended by it.
    pub fn is_ours(self) -> bool {
        matches!(self, Self::Process | Self::Container)
    }
}

impl fmt::Display for TargetKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Process => "process",
            Self::Container => "container",
            Self::Url => "url",
        })
    }
}

/// Control of a process of ours.
///
/// ```
/// use std::io;
///
/// use chaos_test::port::ProcessControl;
///
/// /// Kills it and starts it again: the number of the new process, if that has not ended at once.
/// fn restart(process: &dyn ProcessControl) -> io::Result<Option<u32>> {
///     process.kill()?;
///     process.respawn()?;
///     Ok(process.pid())
/// }
/// ```
pub trait ProcessControl: Send + Sync {
    /// The process that is running now; `None` while it is down.
    fn pid(&self) -> Option<u32>;

    /// Whether its environment has ended, so that it is never started again.
    fn is_closed(&self) -> bool;

    /// What it and all it starts carry in their environment.
    fn mark(&self) -> String;

    /// Connects to that address of the network it runs in, which may be one of its own.
    ///
    /// # Errors
    /// Nobody takes connections there.
    fn answers(&self, at: SocketAddr) -> BoxFuture<'static, io::Result<()>>;

    /// Ends it and everything it started, at once and without warning, and holds it down: until it is
    /// [started again](Self::respawn) no restart policy brings it back.
    fn kill(&self) -> io::Result<()>;

    /// Ends it in the same way, and leaves it to its restart policy.
    fn crash(&self) -> io::Result<()>;

    /// The policy by which this process starts it again when it has ended, for people; `None` without one.
    fn restart_policy(&self) -> Option<String>;

    /// Starts it again if it is down and not [closed](Self::is_closed). Returns when the process exists, not when it
    /// is ready.
    fn respawn(&self) -> io::Result<()>;
}

/// Control of what happens when a service syncs its files.
///
/// ```
/// use std::io;
/// use std::time::Duration;
///
/// use chaos_test::model::SyncFault;
/// use chaos_test::port::SyncControl;
///
/// /// How much longer a sync takes while each is to take longer by `delay`.
/// fn added(syncs: &dyn SyncControl, delay: Duration) -> io::Result<Duration> {
///     syncs.set(Some(SyncFault::Delay(delay)));
///     let trial = syncs.trial(delay);
///     syncs.set(None);
///     trial.map(|trial| trial.took.saturating_sub(trial.direct))
/// }
/// ```
pub trait SyncControl: Send + Sync {
    /// What happens to its syncs from now on; nothing, with `None`, and then those that wait go on at once.
    fn set(&self, fault: Option<SyncFault>);

    /// Syncs a file where the service has its own, from a process of ours under the same orders. Blocks; the fault asked
    /// for makes a sync take `longest` at most.
    fn trial(&self, longest: Duration) -> io::Result<SyncTrial>;
}

/// How a sync of our own went.
///
/// ```
/// use std::io;
///
/// use chaos_test::port::SyncTrial;
/// use chaos_test::units::show_duration;
///
/// fn told(trial: &SyncTrial) -> String {
///     match trial.error {
///         Some(number) => format!("failed: {}", io::Error::from_raw_os_error(number)),
///         None => format!("{}, without the fault {}", show_duration(trial.took), show_duration(trial.direct)),
///     }
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SyncTrial {
    /// How long it took under the orders.
    pub took: Duration,
    /// How long another took, at the same place and about the same time, that is under none.
    pub direct: Duration,
    /// The error it ended with, as the system numbers them.
    pub error: Option<i32>,
}
