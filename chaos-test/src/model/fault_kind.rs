use std::fmt;

use serde::{Deserialize, Serialize};

/// The families of faults, by the name a catalogue gives them.
///
/// ```
/// use chaos_test::model::{Catalogue, FaultKind};
/// let kind = FaultKind::DatabaseDown;
/// let scenarios = Catalogue::builtin().scenarios().iter().filter(|scenario| scenario.fault.kind() == kind);
/// assert_eq!((kind.name(), scenarios.count()), ("database_down", 2));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FaultKind {
    /// `cpu_exhaust`
    CpuExhaust,
    /// `memory_leak`
    MemoryLeak,
    /// `network_delay`
    NetworkDelay,
    /// `network_loss`
    NetworkLoss,
    /// `disk_stress`
    DiskStress,
    /// `container_crash`
    ContainerCrash,
    /// `database_down`
    DatabaseDown,
    /// `service_recovery`
    ServiceRecovery,
}

impl FaultKind {
    /// Every kind, in the order of the catalogue.
    pub const ALL: [Self; 8] = [
        Self::CpuExhaust,
        Self::MemoryLeak,
        Self::NetworkDelay,
        Self::NetworkLoss,
        Self::DiskStress,
        Self::ContainerCrash,
        Self::DatabaseDown,
        Self::ServiceRecovery,
    ];

    /// The ladders: every mechanism that may make it happen, of each kind of target the best first. Which of them a host
    /// offers is for the injector to say.
    pub const fn mechanisms(self) -> &'static [&'static str] {
        match self {
            Self::CpuExhaust => &["cgroup-workers", "workers", "sidecar-workers"],
            Self::MemoryLeak => &["cgroup-hog", "hog", "sidecar-hog"],
            Self::NetworkDelay => &["netem", "nfqueue", "proxy"],
            Self::NetworkLoss => &["netem", "nft-drop", "proxy"],
            Self::DiskStress => &["seccomp-notify", "writers", "sidecar-writers"],
            Self::ContainerCrash => &["sigkill", "engine-kill"],
            Self::ServiceRecovery => &["sigkill", "host-kill"],
            Self::DatabaseDown => {
                &["sigkill", "sigstop", "engine-kill", "engine-stop", "engine-pause", "nft-drop", "proxy"]
            }
        }
    }

    /// The name a catalogue gives it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CpuExhaust => "cpu_exhaust",
            Self::MemoryLeak => "memory_leak",
            Self::NetworkDelay => "network_delay",
            Self::NetworkLoss => "network_loss",
            Self::DiskStress => "disk_stress",
            Self::ContainerCrash => "container_crash",
            Self::DatabaseDown => "database_down",
            Self::ServiceRecovery => "service_recovery",
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
