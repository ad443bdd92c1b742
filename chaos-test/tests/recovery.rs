//! Recovery on simulated services: how long it took, against the truth, and what is said of one that does not recover.

#[path = "recovery/lasting.rs"]
mod lasting;
#[path = "recovery/service.rs"]
mod service;
#[path = "recovery/truth.rs"]
mod truth;
