//! The contract once more, for services in networks of their own: the faults of the network are made on their packets
//! where this host can do that.

#[path = "contract.rs"]
mod contract;
