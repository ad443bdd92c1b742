use std::fmt;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use super::{BoxFuture, Refusal};

/// Control of a container of ours, through its engine.
///
/// Every call is one of the engine's, made on the harness's own threads; none waits until the service is ready.
///
/// ```
/// use std::io;
///
/// use chaos_test::port::{ContainerControl, ContainerStatus};
///
/// /// Freezes it if it runs, and says whether it is frozen then.
/// async fn freeze(container: &dyn ContainerControl) -> io::Result<bool> {
///     if container.look().await?.status == ContainerStatus::Running {
///         container.pause().await?;
///     }
///     Ok(container.look().await?.status == ContainerStatus::Paused)
/// }
/// ```
pub trait ContainerControl: Send + Sync {
    /// The engine's name for it, whole.
    fn id(&self) -> String;

    /// What it carries in its labels.
    fn mark(&self) -> String;

    /// Whether its environment has ended, so that it is never started again.
    fn is_closed(&self) -> bool;

    /// What state it is in. The engine is asked anew each time.
    fn look(&self) -> BoxFuture<'static, io::Result<ContainerState>>;

    /// Ends its first process at once (SIGKILL, by the engine). A restart policy does not bring it back from this.
    fn kill(&self) -> BoxFuture<'static, io::Result<()>>;

    /// Asks it to end (its stop signal), and kills it after that grace.
    fn stop(&self, grace: Duration) -> BoxFuture<'static, io::Result<()>>;

    /// Starts it again if it is down and not [closed](Self::is_closed). No error if it is up.
    fn start(&self) -> BoxFuture<'static, io::Result<()>>;

    /// Freezes everything in it.
    fn pause(&self) -> BoxFuture<'static, io::Result<()>>;

    /// Lets it go on. No error if it is not paused.
    fn unpause(&self) -> BoxFuture<'static, io::Result<()>>;

    /// Ends its first process as a crash would, past the engine, so that its restart policy is asked: that of the start
    /// that [`look`](Self::look) has told of, and of no later one.
    fn crash(&self, started_at: &str) -> BoxFuture<'static, io::Result<()>>;

    /// Why that cannot be done here, if so. Tried once per engine.
    fn crash_refusal(&self) -> Option<Refusal>;

    /// The policy by which the engine starts it again, for people; `None` without one.
    fn restart_policy(&self) -> Option<String>;

    /// Why no helper can work in its groups of processes, if so: then nothing of its own share of the host can be
    /// taken. Tried once per engine.
    fn work_refusal(&self) -> Option<Refusal>;

    /// Starts a helper in the groups that limit this container (processor time, memory, disk), beside its own processes.
    /// What is started carries the mark and ends with this process.
    fn work(&self, mark: &str, work: Work) -> BoxFuture<'static, io::Result<()>>;

    /// How the helper with that mark gets on; `None` if it has ended.
    fn working(&self, mark: &str) -> BoxFuture<'static, io::Result<Option<WorkDone>>>;

    /// Ends the helper with that mark. Nothing to end is no error.
    fn cease(&self, mark: &str) -> BoxFuture<'static, io::Result<()>>;

    /// What the groups of this container have used, by the engine's own count: helpers in them are in it.
    fn used(&self) -> BoxFuture<'static, io::Result<GroupUsage>>;
}

/// The state of a container, as its engine tells it.
///
/// ```
/// use chaos_test::port::ContainerState;
///
/// /// How it ended, for people; `None` while it is up.
/// fn end(state: &ContainerState) -> Option<String> {
///     let code = state.exit_code?;
///     let why = if state.out_of_memory { "ended for want of memory" } else { "ended" };
///     Some(format!("{why} with code {code}, started again {} times before", state.restarts))
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContainerState {
    /// What it is doing.
    pub status: ContainerStatus,
    /// Its first process, as the engine's host numbers it; 0 while it is down.
    pub pid: u32,
    /// When it was started last, in the engine's words: a new text is a new start.
    pub started_at: String,
    /// How often its policy has started it again.
    pub restarts: u64,
    /// The code it ended with, if it has ended.
    pub exit_code: Option<i64>,
    /// Whether the kernel ended it for want of memory.
    pub out_of_memory: bool,
    /// Its address in its environment's network while it is up.
    pub address: Option<IpAddr>,
    /// Its network as the engine names it: a new name is a new network, and what was done to the packets of the old one
    /// is gone.
    pub network: String,
}

/// What a container is doing.
///
/// ```
/// use chaos_test::port::ContainerStatus;
///
/// fn is_down(status: ContainerStatus) -> bool {
///     matches!(status, ContainerStatus::Exited | ContainerStatus::Restarting)
/// }
///
/// assert!(is_down(ContainerStatus::Restarting));
/// assert!(!is_down(ContainerStatus::Paused), "it is there, and answers nobody");
/// assert_eq!(ContainerStatus::Paused.to_string(), "paused");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ContainerStatus {
    /// It runs.
    Running,
    /// It is frozen.
    Paused,
    /// Its policy is about to start it again.
    Restarting,
    /// It is down.
    Exited,
}

impl fmt::Display for ContainerStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Restarting => "restarting",
            Self::Exited => "exited",
        })
    }
}

/// What a helper in a container's groups does.
///
/// ```
/// use std::io;
///
/// use chaos_test::port::{ContainerControl, Work};
///
/// /// Two workers that never sleep compete with that service for the processor time of its container.
/// async fn burn(container: &dyn ContainerControl, mark: &str) -> io::Result<()> {
///     container.work(mark, Work::Burn { workers: 2, load: 1.0 }).await
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Work {
    /// So many workers burn that share of one processor each, from 0 to 1.
    Burn {
        /// How many.
        workers: u32,
        /// The share each is to use.
        load: f64,
    },
    /// Takes memory and keeps it.
    Hog {
        /// How much, in bytes.
        bytes: u64,
        /// Over how long it grows.
        ramp: Duration,
    },
    /// So many workers write and sync, on the file system the container's data is on.
    Write {
        /// How many.
        workers: u32,
        /// The most one file may have, in bytes.
        most: u64,
    },
}

/// How a helper gets on, since it began.
///
/// ```
/// use std::time::Duration;
///
/// use chaos_test::port::WorkDone;
///
/// /// How many processors' worth the workers used between two looks.
/// fn processors(before: &WorkDone, now: &WorkDone) -> f64 {
///     (now.used - before.used).div_duration_f64(now.at - before.at)
/// }
///
/// let mut now = WorkDone::default();
/// now.at = Duration::from_secs(2);
/// now.used = Duration::from_secs(3);
/// assert_eq!(processors(&WorkDone::default(), &now), 1.5);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[non_exhaustive]
pub struct WorkDone {
    /// When that was read, on the helper's own clock: an answer may take its time.
    pub at: Duration,
    /// How many of its workers are at work, in the groups they belong in.
    pub workers: u32,
    /// The processor time they have used, all together.
    pub used: Duration,
    /// The time they were ready and waited for a processor.
    pub waited: Duration,
    /// What they hold, in bytes.
    pub held: u64,
    /// Whether they stopped growing because the host has too little memory left.
    pub at_the_floor: bool,
    /// What they have written, in bytes.
    pub written: u64,
    /// The processor time that the groups they are in have counted, for the service and all helpers.
    pub group_processor: Duration,
    /// The memory those count now, in bytes.
    pub group_memory: u64,
}

/// What a container's groups have used since it was started.
///
/// ```
/// use chaos_test::port::GroupUsage;
///
/// /// How full it is, from 0 to 1; `None` without a limit.
/// fn filled(usage: &GroupUsage) -> Option<f64> {
///     usage.memory_limit.map(|limit| usage.memory as f64 / limit as f64)
/// }
///
/// let mut usage = GroupUsage::default();
/// usage.memory = 192 << 20;
/// assert_eq!(filled(&usage), None);
/// usage.memory_limit = Some(256 << 20);
/// assert_eq!(filled(&usage), Some(0.75));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[non_exhaustive]
pub struct GroupUsage {
    /// Processor time.
    pub processor: Duration,
    /// The time it was kept waiting by its limit.
    pub throttled: Duration,
    /// Memory now, in bytes, without what the kernel would give back at once.
    pub memory: u64,
    /// Its limit, in bytes, if it has one.
    pub memory_limit: Option<u64>,
    /// Read from disks, in bytes.
    pub read: u64,
    /// Written to disks, in bytes.
    pub written: u64,
    /// How many processes and threads it has now.
    pub processes: u32,
}
