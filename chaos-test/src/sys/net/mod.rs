//! A network of a service's own, and what can be done to its packets.
//!
//! Purpose: a [`Namespace`] holds a network namespace with nothing but a loopback in it. The service joins it when it is
//! started; this process reaches it with sockets that were made inside and handed out, and lets it reach others by
//! listeners made inside. Faults are put on the packets of that loopback, each by a helper process of its own.
//!
//! Invariants: nothing here needs root; without it the namespace belongs to a user namespace of its own. No packet of
//! any other network is touched. A namespace is gone with the last process and socket in it; a fault with its helper,
//! except a queueing discipline, which goes with the namespace at the latest.
//! What is done to packets ([`Applied`]) is also used in the network of a container, by a helper in it (`sys/sidecar`).
//! Not here: which fault asks for what (that is `inject`).

mod agent;
mod applied;
mod found;
mod holder;
mod inside;
mod link;
mod namespace;
mod netem;
mod netlink;
mod nft;
mod order;
mod path;
mod queue;
mod trial;
mod witness;

pub(crate) use applied::{Applied, Which, tidy};
pub(crate) use found::{Found, Means};
pub(crate) use inside::serve;
pub(crate) use namespace::{Inside, Namespace};
pub(crate) use path::OwnNetwork;
pub(crate) use trial::try_all;
