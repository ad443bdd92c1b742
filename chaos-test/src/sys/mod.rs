//! The only code that touches the operating system.
//!
//! Purpose: the clock, the environment, files, processes, ports, and the proxy that every service's front door is
//! made of. Everything else in the crate asks here.
//!
//! Invariants: what is started here ends with this process or is written in the ledger first. No function decides
//! policy.
//! Not here: which fault is made of what (that is `inject`).

pub(crate) mod burner;
pub(crate) mod cgroup;
pub(crate) mod clock;
pub(crate) mod containers;
pub(crate) mod descent;
pub(crate) mod descriptors;
#[cfg(feature = "containers")]
pub(crate) mod docker;
pub(crate) mod env;
mod exit;
pub(crate) mod files;
pub(crate) mod filesystem;
pub(crate) mod headroom;
pub(crate) mod hog;
pub(crate) mod hook;
pub(crate) mod lease;
pub(crate) mod ledger;
pub(crate) mod locks;
pub(crate) mod memory;
pub(crate) mod net;
pub(crate) mod noise;
pub(crate) mod owner;
pub(crate) mod pidfd;
pub(crate) mod ports;
pub(crate) mod process;
pub(crate) mod procfs;
pub(crate) mod proxy;
pub(crate) mod reaper;
pub(crate) mod residue;
pub(crate) mod run_folder;
pub(crate) mod run_start;
pub(crate) mod runtime;
#[cfg_attr(
    not(feature = "containers"),
    allow(dead_code, unused_imports, reason = "who asks is in the feature")
)]
pub(crate) mod sidecar;
pub(crate) mod signals;
pub(crate) mod supervisor;
pub(crate) mod syncs;
pub(crate) mod timer;
pub(crate) mod tree;
pub(crate) mod undo;
pub(crate) mod usage;
pub(crate) mod used;
#[cfg(feature = "cli")]
pub(crate) mod workspace;
pub(crate) mod writer;
