//! What an experiment may touch.
#![cfg_attr(not(feature = "runtime"), allow(dead_code, reason = "only a run touches anything"))]

// `core::net` holds the same addresses as `std::net` and nothing that can open a socket.
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What an experiment may touch: what it started itself, this host's loopback, and what was allowed by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct BlastRadius {
    allowed: Vec<AllowedTarget>,
}

/// What a fault is aimed at, as the blast radius sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Destination {
    /// The service's name in its environment.
    pub(crate) service: String,
    /// Whether this run started it itself.
    pub(crate) started_here: bool,
    /// The host that its URL names.
    pub(crate) host: Option<String>,
    /// The address that name led to, which is the one that would be used.
    pub(crate) address: Option<IpAddr>,
    /// The port.
    pub(crate) port: Option<u16>,
}

impl BlastRadius {
    /// What was allowed beside what always is.
    pub(crate) fn new(allowed: Vec<AllowedTarget>) -> Self {
        Self { allowed }
    }

    /// Whether the fault may be aimed there.
    ///
    /// # Errors
    /// The refusal: it names the target, the rule and both ways to allow it.
    pub(crate) fn check(&self, target: &Destination) -> Result<(), OutsideBlastRadius> {
        // Judged by the address that would be used: a name such as localhost may lead anywhere.
        let loopback = target.address.is_some_and(|address| address.to_canonical().is_loopback());
        if target.started_here || loopback || self.allowed.iter().any(|allowed| allowed.covers(target)) {
            Ok(())
        } else {
            Err(OutsideBlastRadius(target.clone()))
        }
    }
}

/// A target is none of those an experiment may touch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OutsideBlastRadius(pub(crate) Destination);

impl fmt::Display for OutsideBlastRadius {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Destination { service, host, address, port, .. } = &self.0;
        let name = host.clone().or_else(|| address.map(|address| address.to_string()));
        let name = name.unwrap_or_else(|| "an unknown host".into());
        write!(f, "\"{service}\" at {name}")?;
        if let Some(port) = port {
            write!(f, ":{port}")?;
        }
        match address {
            Some(address) if address.to_string() != name.trim_matches(['[', ']']) => {
                write!(f, " ({address})")?
            }
            _ => {}
        }
        write!(
            f,
            " is outside the blast radius: this run did not start it, its address is not this host's loopback, and \
             it is not allowed by name; nothing was sent to it. If faults may be aimed there, say so with \
             CHAOS_TEST_ALLOW={name} in the environment or with `safety: {{allowed_targets: [\"{name}\"]}}` in the \
             catalogue"
        )
    }
}

impl std::error::Error for OutsideBlastRadius {}

/// One entry of what is allowed beside what always is: `host`, `host:port`, `*.staging.example`, `10.1.2.3`,
/// `10.1.0.0/16`, `[fd00::1]:8080`.
///
/// A name is compared with the one in the URL, wherever it leads; an address or a network with the address that the
/// name led to.
///
/// ```
/// use chaos_test::model::AllowedTarget;
/// for entry in ["db.staging.example", "*.staging.example", "10.1.0.0/16", "[fd00::1]:8080"] {
///     let target: AllowedTarget = entry.parse().unwrap();
///     assert_eq!(target.to_string(), entry);
/// }
/// assert!("*.example".parse::<AllowedTarget>().is_err(), "a whole top level would be nearly everything");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AllowedTarget {
    hosts: Hosts,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Hosts {
    /// Lower case, without the dot at its end.
    Name(String),
    /// What comes before is any name, not none: `.staging.example`.
    Below(String),
    /// The first so many bits are those of this address.
    Network(IpAddr, u8),
}

impl AllowedTarget {
    fn covers(&self, target: &Destination) -> bool {
        let host = target.host.as_deref().map(plain_name);
        let named = |matches: &dyn Fn(&str) -> bool| host.as_deref().is_some_and(matches);
        let here = match &self.hosts {
            Hosts::Name(name) => named(&|host| host == name),
            Hosts::Below(end) => named(&|host| host.len() > end.len() && host.ends_with(end.as_str())),
            Hosts::Network(network, bits) => {
                target.address.is_some_and(|address| inside(address, *network, *bits))
            }
        };
        here && (self.port.is_none() || self.port == target.port)
    }
}

fn plain_name(host: &str) -> String {
    host.trim_end_matches('.').to_ascii_lowercase()
}

/// Whether the first `bits` of both addresses are the same. An IPv4 address written as IPv6 is an IPv4 address.
fn inside(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    let shared = |one: u128, other: u128, width: u8| {
        let rest = u32::from(width.saturating_sub(bits));
        one.checked_shr(rest).unwrap_or(0) == other.checked_shr(rest).unwrap_or(0)
    };
    match (address.to_canonical(), network.to_canonical()) {
        (IpAddr::V4(one), IpAddr::V4(other)) => shared(u32::from(one).into(), u32::from(other).into(), 32),
        (IpAddr::V6(one), IpAddr::V6(other)) => shared(one.into(), other.into(), 128),
        _ => false,
    }
}

/// A text that is no entry of what is allowed.
///
/// ```
/// use chaos_test::model::{AllowedTarget, NotATarget};
/// fn allowed(list: &str) -> Result<Vec<AllowedTarget>, NotATarget> {
///     list.split(',').map(|entry| entry.trim().parse()).collect()
/// }
/// assert_eq!(allowed("db.staging.example, 10.1.0.0/16").unwrap().len(), 2);
/// let error = allowed("http://db").unwrap_err();
/// assert!(error.to_string().ends_with("found `http://db`"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a host such as `db.staging.example`, `*.staging.example`, `10.1.2.3`, `10.1.0.0/16` or `host:8080`, \
     found `{0}`"
)]
pub struct NotATarget(String);

impl FromStr for AllowedTarget {
    type Err = NotATarget;

    fn from_str(text: &str) -> Result<Self, NotATarget> {
        let wrong = || NotATarget(text.chars().take(80).collect());
        let (host, port) = split_port(text).ok_or_else(wrong)?;
        let hosts = hosts(host).ok_or_else(wrong)?;
        Ok(Self { hosts, port })
    }
}

/// `host`, and the port if there is one. An IPv6 address with a port is in square brackets.
fn split_port(text: &str) -> Option<(&str, Option<u16>)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        host.parse::<Ipv6Addr>().ok()?;
        return match rest {
            "" => Some((host, None)),
            rest => Some((host, Some(port(rest.strip_prefix(':')?)?))),
        };
    }
    match text.split_once(':') {
        Some((host, rest)) if !rest.contains(':') => Some((host, Some(port(rest)?))),
        _ => Some((text, None)),
    }
}

fn port(text: &str) -> Option<u16> {
    text.parse().ok().filter(|port| *port > 0 && text.bytes().all(|byte| byte.is_ascii_digit()))
}

fn hosts(text: &str) -> Option<Hosts> {
    if let Some((network, bits)) = text.split_once('/') {
        let network: IpAddr = network.parse().ok()?;
        let bits: u8 = bits.parse().ok()?;
        return (bits <= width(network)).then_some(Hosts::Network(network, bits));
    }
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(Hosts::Network(address, width(address)));
    }
    let name = text.strip_prefix("*.").unwrap_or(text);
    let label = |label: &str| {
        !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    let name = plain_name(name);
    // Four numbers that are no address are a slip, not a name.
    let numbers = name.chars().all(|c| c.is_ascii_digit() || c == '.');
    if numbers || !name.split('.').all(label) {
        return None;
    }
    // `*.` over a whole top level would allow nearly everything there is.
    match text.starts_with("*.") {
        true if !name.contains('.') => None,
        true => Some(Hosts::Below(format!(".{name}"))),
        false => Some(Hosts::Name(name)),
    }
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { Ipv4Addr::BITS as u8 } else { Ipv6Addr::BITS as u8 }
}

impl fmt::Display for AllowedTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = match &self.hosts {
            Hosts::Name(name) => name.clone(),
            Hosts::Below(end) => format!("*{end}"),
            Hosts::Network(address, bits) if *bits < width(*address) => format!("{address}/{bits}"),
            Hosts::Network(IpAddr::V6(address), _) if self.port.is_some() => format!("[{address}]"),
            Hosts::Network(address, _) => address.to_string(),
        };
        match self.port {
            Some(port) => write!(f, "{host}:{port}"),
            None => f.write_str(&host),
        }
    }
}

impl TryFrom<String> for AllowedTarget {
    type Error = NotATarget;
    fn try_from(text: String) -> Result<Self, NotATarget> {
        text.parse()
    }
}

impl From<AllowedTarget> for String {
    fn from(target: AllowedTarget) -> Self {
        target.to_string()
    }
}

#[cfg(test)]
mod tests;
