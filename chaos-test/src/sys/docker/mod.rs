//! The container engine.
//!
//! Purpose: what is asked of it (look, kill, stop, start, pause, remove by label), through the client that testcontainers
//! finds by its own rules.
//!
//! Invariants: every call is made on the harness's own threads, whoever asks. What is made here carries a mark of ours in
//! its labels, and nothing is removed that does not.
//! Not here: which fault asks for what (that is `inject`), how a service is started (that is `environment`).

mod container;
mod crash;
mod engine;
mod events;
mod group;
mod host_port;
mod image;
mod labels;
mod life;
mod logs;
mod managed;
#[cfg(feature = "cli")]
mod own_image;
mod packet_witness;
mod packets;
mod remove;
mod request;
mod sidecar;
#[cfg(test)]
pub(crate) mod stand_in;
#[cfg(test)]
pub(crate) mod tests;
mod watched;
mod work;

pub(crate) use container::{Details, limits};
#[cfg(feature = "cli")]
pub(crate) use engine::Refused;
pub(crate) use engine::refused;
pub(crate) use group::Group;
pub(crate) use host_port::HostPort;
pub(crate) use life::Life;
pub(crate) use managed::ManagedContainer;
#[cfg(feature = "cli")]
pub use own_image::OwnImage;
pub(crate) use packets::ContainerPackets;
#[cfg(feature = "cli")]
pub(crate) use remove::of_the_dead_now;
pub(crate) use remove::{is_left, marked_now, remove_marked, remove_of};
pub(crate) use request::{Dress, Request};
pub(crate) use sidecar::{Place, Sidecar};
pub(crate) use watched::Watched;

pub(crate) use super::containers::MARK_LABEL;

/// The run it belongs to.
pub(crate) const RUN_LABEL: &str = "chaos-test.run";
/// The test that made it.
pub(crate) const TEST_LABEL: &str = "chaos-test.test";
/// The service that it is, or works for.
pub(crate) const SERVICE_LABEL: &str = "chaos-test.service";
