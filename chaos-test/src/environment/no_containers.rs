//! Stands for services in containers where the feature `containers` is off: there are none.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use crate::port::{self, ContainerControl, Mishap, PacketPath};
use crate::probe::Probe;

/// There is none.
#[derive(Debug)]
pub(super) enum ContainerService {}

impl ContainerService {
    pub(super) fn inside(&self) -> u16 {
        match *self {}
    }

    pub(super) fn address(&self) -> SocketAddr {
        match *self {}
    }

    pub(super) fn log(&self) -> &Path {
        match *self {}
    }

    pub(super) fn mark(&self) -> &str {
        match *self {}
    }

    pub(super) fn control(&self) -> Option<Arc<dyn ContainerControl>> {
        match *self {}
    }

    pub(super) fn packets(&self) -> Option<Arc<dyn PacketPath>> {
        match *self {}
    }

    pub(super) fn ended(&self) -> Option<String> {
        match *self {}
    }

    pub(super) fn mishaps(&self) -> impl Fn() -> Vec<Mishap> + Send + Sync + 'static + use<> {
        match *self {}
        #[allow(unreachable_code, reason = "there is no such service")]
        Vec::new
    }

    pub(super) fn past_the_door(&self, _probe: &Probe) -> Result<Arc<dyn port::Probe>, String> {
        match *self {}
    }

    pub(super) fn ender(&self, _may_have_failed: bool) -> impl Fn() + Send + Sync + 'static + use<> {
        match *self {}
        #[allow(unreachable_code, reason = "there is no such service")]
        || ()
    }

    pub(super) fn settler(&self, _passed: bool) -> impl Fn() + Send + Sync + 'static + use<> {
        match *self {}
        #[allow(unreachable_code, reason = "there is no such service")]
        || ()
    }
}
