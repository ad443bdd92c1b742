//! A free TCP port for a service, kept for it.
//!
//! A port that the kernel picks comes from its ephemeral range, so while the service is down (a crash fault) any
//! client's outgoing connection may take it. Ports are therefore taken from below that range, and each is claimed by
//! an abstract Unix socket that other harnesses on the host see and that vanishes with this process.
#![allow(clippy::disallowed_methods, reason = "sys is where ports are looked for")]

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr as UnixAddr, UnixDatagram};

use crate::stats::SplitMix;

/// A port of 127.0.0.1 that is ours until this is dropped.
#[derive(Debug)]
pub(crate) struct ReservedPort {
    port: u16,
    _claim: UnixDatagram,
}

impl ReservedPort {
    /// A port that nobody listens on and no other harness has claimed.
    pub(crate) fn reserve() -> io::Result<Self> {
        let high = ephemeral_start().max(3_000);
        let low = (high - 1_000).min(10_000);
        let mut random =
            SplitMix::new(u64::from(std::process::id()) ^ super::clock::unix_time().as_nanos() as u64);
        for _ in 0..1000 {
            let port = low + (random.unit() * f64::from(high - low)) as u16;
            let name = UnixAddr::from_abstract_name(format!("chaos-test-port-{port}"))?;
            let Ok(claim) = UnixDatagram::bind_addr(&name) else { continue };
            if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
                return Ok(Self { port, _claim: claim });
            }
        }
        Err(io::Error::new(
            io::ErrorKind::AddrInUse,
            "no free port below the ephemeral range after 1000 tries",
        ))
    }

    pub(crate) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }
}

/// Where the kernel's own choice of ports begins.
fn ephemeral_start() -> u16 {
    fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range")
        .ok()
        .and_then(|text| text.split_ascii_whitespace().next()?.parse().ok())
        .unwrap_or(32_768)
}
