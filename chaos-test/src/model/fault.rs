use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::FaultKind;
use crate::units::{ByteSize, Percent, show_duration};

/// What goes wrong, as data. How it is made to happen is an injector's business.
///
/// ```
/// use chaos_test::prelude::*;
/// let slow = Fault::NetworkDelay { delay: 200.ms(), jitter: 20.ms(), bandwidth: None, interface: None };
/// assert_eq!(slow.to_string(), "network_delay 200 ms + 0…20 ms jitter each way");
/// fn half_a_minute_of(fault: Fault) -> Result<Experiment, Error> {
///     Ok(Experiment::fault(fault, 30.seconds())?.against("http://127.0.0.1:8000"))
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fault {
    /// Worker processes that never sleep compete with the target for the processor.
    CpuExhaust {
        /// How many workers.
        workers: NonZeroU32,
        /// How much of a core each asks for.
        #[serde(default = "whole")]
        load: Percent,
    },
    /// Memory is taken away gradually until `size` is resident.
    MemoryLeak {
        /// How much is taken in the end.
        size: ByteSize,
    },
    /// Every exchange with the target takes longer.
    NetworkDelay {
        /// What is added to a round trip; each way gets half of it.
        delay: Duration,
        /// Uniform extra time each way, from nothing to this.
        jitter: Duration,
        /// How much may pass each way in a second.
        #[serde(default)]
        bandwidth: Option<ByteSize>,
        /// The network interface, where the mechanism works on one.
        interface: Option<String>,
    },
    /// A share of the packets to and from the target is lost, or a share of its connections.
    NetworkLoss {
        /// The share lost.
        loss: Percent,
        /// What happens to that share of connections; without it, it is packets that are lost.
        #[serde(default)]
        connections: Option<ConnectionFault>,
        /// The network interface, where the mechanism works on one.
        interface: Option<String>,
    },
    /// Workers write and sync on the target's file system, or the target's own syncs go wrong.
    DiskStress {
        /// How many workers.
        workers: NonZeroU32,
        /// What happens to the target's own syncs; then there are no workers.
        #[serde(default)]
        sync: Option<SyncFault>,
    },
    /// The target is killed without warning and started again by the harness.
    ContainerCrash {
        /// The service to crash, when the scenario names none.
        container: Option<String>,
        /// How long it stays down before the harness starts it again.
        downtime: Duration,
        /// How long its recovery is expected to take (for the reader; the SLO judges).
        recovery_time_expected: Option<Duration>,
    },
    /// A database is out of service for as long as the scenario lasts.
    DatabaseDown {
        /// The service that is the database, when the scenario names none.
        database: Option<String>,
        /// What its clients see.
        mode: OutageMode,
        /// How long its recovery is expected to take (for the reader; the SLO judges).
        recovery_time_expected: Option<Duration>,
    },
    /// The target is killed and must be brought back by its own platform.
    ServiceRecovery {
        /// The service to crash, when the scenario names none.
        container: Option<String>,
        /// How long its recovery is expected to take (for the reader; the SLO judges).
        recovery_time_expected: Option<Duration>,
    },
}

fn whole() -> Percent {
    Percent::HUNDRED
}

/// What happens to a connection that is lost.
///
/// ```
/// use chaos_test::model::{ConnectionFault, Fault};
/// let connections = Some(ConnectionFault::HalfOpen);
/// let fault = Fault::NetworkLoss { loss: "20%".parse().unwrap(), connections, interface: None };
/// assert_eq!(fault.to_string(), "network_loss 20 % of connections half-open");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ConnectionFault {
    /// Both ends are told that it is broken.
    Reset,
    /// Neither end is told: it stays open, and nothing passes any more.
    HalfOpen,
}

/// What happens to the target's own `fsync` and `fdatasync`.
///
/// ```
/// use chaos_test::model::{Fault, SyncFault};
/// let fault = Fault::DiskStress { workers: std::num::NonZeroU32::MIN, sync: Some(SyncFault::Full) };
/// assert_eq!(fault.to_string(), "disk_stress, syncs fail (ENOSPC)");
/// assert_eq!(fault.disk_space_taken(), None, "it is told so, and nothing is taken");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SyncFault {
    /// Each takes longer by this.
    Delay(Duration),
    /// Each fails: the device says that it cannot (`EIO`).
    Failed,
    /// Each fails: the device is full (`ENOSPC`).
    Full,
}

/// What the clients of a database that is down see.
///
/// ```
/// use chaos_test::model::{Fault, OutageMode};
/// let (database, mode) = (Some("postgres".into()), OutageMode::Hang);
/// let fault = Fault::DatabaseDown { database, mode, recovery_time_expected: None };
/// assert!(fault.makes_an_outage() && fault.named_service() == Some("postgres"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OutageMode {
    /// New connections are refused.
    Refuse,
    /// Connections open and nothing answers.
    Hang,
    /// The server is killed and started again.
    Crash,
    /// Packets vanish.
    Partition,
}

impl Fault {
    /// Which family it belongs to.
    pub fn kind(&self) -> FaultKind {
        match self {
            Self::CpuExhaust { .. } => FaultKind::CpuExhaust,
            Self::MemoryLeak { .. } => FaultKind::MemoryLeak,
            Self::NetworkDelay { .. } => FaultKind::NetworkDelay,
            Self::NetworkLoss { .. } => FaultKind::NetworkLoss,
            Self::DiskStress { .. } => FaultKind::DiskStress,
            Self::ContainerCrash { .. } => FaultKind::ContainerCrash,
            Self::DatabaseDown { .. } => FaultKind::DatabaseDown,
            Self::ServiceRecovery { .. } => FaultKind::ServiceRecovery,
        }
    }

    /// The service its parameters name, for the families whose parameters may name one.
    pub fn named_service(&self) -> Option<&str> {
        match self {
            Self::ContainerCrash { container, .. } | Self::ServiceRecovery { container, .. } => {
                container.as_deref()
            }
            Self::DatabaseDown { database, .. } => database.as_deref(),
            _ => None,
        }
    }

    /// What happens to the target's own syncs, if that is the fault.
    pub fn sync(&self) -> Option<SyncFault> {
        match self {
            Self::DiskStress { sync, .. } => *sync,
            _ => None,
        }
    }

    /// Whether it takes something from everybody on this host, the measurement of other experiments among them.
    pub fn is_host_wide(&self) -> bool {
        matches!(
            self,
            Self::CpuExhaust { .. } | Self::MemoryLeak { .. } | Self::DiskStress { sync: None, .. }
        )
    }

    /// How much memory it takes in the end, if that is what it takes.
    pub fn memory_taken(&self) -> Option<ByteSize> {
        match self {
            Self::MemoryLeak { size } => Some(*size),
            _ => None,
        }
    }

    /// How much disk space it takes at most, if that is what it takes.
    pub fn disk_space_taken(&self) -> Option<ByteSize> {
        match self {
            Self::DiskStress { workers, sync: None } => {
                Some(ByteSize::new(Self::DISK_STRESS_FILE.bytes().saturating_mul(workers.get().into())))
            }
            _ => None,
        }
    }

    /// How large the file of one worker of a disk stress may become.
    pub const DISK_STRESS_FILE: ByteSize = ByteSize::new(64 << 20);

    /// How long the witness looks at a crash that nothing of ours prolongs.
    pub const CRASH_SEEN: Duration = Duration::from_millis(500);

    /// Whether it makes errors on purpose, so that errors while it lasts are no sign of more harm than meant.
    pub fn makes_an_outage(&self) -> bool {
        matches!(self, Self::ContainerCrash { .. } | Self::DatabaseDown { .. } | Self::ServiceRecovery { .. })
    }

    /// Whether it is something that happens, and no state: whoever looks later still sees that it has happened.
    pub fn is_an_event(&self) -> bool {
        matches!(self, Self::ServiceRecovery { .. })
    }

    /// How long the fault itself is held in a scenario that lasts `duration`.
    ///
    /// Most faults last as long as the scenario. A crash lasts its downtime; the rest of the scenario
    /// watches how the service gets on after it. A crash that others are to recover from lasts only as long as the
    /// witness needs to see it.
    pub fn held_for(&self, duration: Duration) -> Duration {
        match self {
            Self::ContainerCrash { downtime, .. } => (*downtime).min(duration),
            Self::ServiceRecovery { .. } => Self::CRASH_SEEN.min(duration),
            _ => duration,
        }
    }
}

impl fmt::Display for Fault {
    /// The family and the dose asked for: `network_delay 200 ms`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind();
        match self {
            Self::CpuExhaust { workers, load } if *load == Percent::HUNDRED => {
                write!(f, "{kind} {workers} workers")
            }
            Self::CpuExhaust { workers, load } => write!(f, "{kind} {workers} workers at {load}"),
            Self::MemoryLeak { size } => write!(f, "{kind} {size}"),
            Self::NetworkDelay { delay, jitter, bandwidth, .. } => {
                write!(f, "{kind} {}", show_duration(*delay))?;
                if !jitter.is_zero() {
                    write!(f, " + 0…{} jitter each way", show_duration(*jitter))?;
                }
                bandwidth.map_or(Ok(()), |bandwidth| write!(f, ", {bandwidth}/s each way"))
            }
            Self::NetworkLoss { loss, connections, .. } => match connections {
                None => write!(f, "{kind} {loss}"),
                Some(ConnectionFault::Reset) => write!(f, "{kind} {loss} of connections reset"),
                Some(ConnectionFault::HalfOpen) => write!(f, "{kind} {loss} of connections half-open"),
            },
            Self::DiskStress { workers, sync } => match sync {
                None => write!(f, "{kind} {workers} workers"),
                Some(SyncFault::Delay(delay)) => write!(f, "{kind}, syncs {} slower", show_duration(*delay)),
                Some(SyncFault::Failed) => write!(f, "{kind}, syncs fail (EIO)"),
                Some(SyncFault::Full) => write!(f, "{kind}, syncs fail (ENOSPC)"),
            },
            Self::ContainerCrash { downtime, .. } => {
                write!(f, "{kind}, down for {}", show_duration(*downtime))
            }
            Self::DatabaseDown { mode, .. } => write!(f, "{kind} ({mode:?})"),
            Self::ServiceRecovery { .. } => write!(f, "{kind}"),
        }
    }
}
