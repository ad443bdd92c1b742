//! The kernel's own emulator of networks, a queueing discipline.

use std::io;
use std::time::Duration;

use nix::libc;

use super::netlink::{ACK, Message, NEW, Netlink, REQUEST};
use crate::port::PacketShape;

/// By which ours is known: nobody else's is removed.
const HANDLE: u32 = 0xC7A0_0000;
const ROOT: u32 = 0xFFFF_FFFF;
/// How many packets may wait: 1 000 would be all that there is of a fast link with a long delay.
const LIMIT: u32 = 50_000;

const TCA_KIND: u16 = 1;
const TCA_OPTIONS: u16 = 2;
const TCA_NETEM_LATENCY64: u16 = 10;
const TCA_NETEM_JITTER64: u16 = 11;

/// Lets a link treat the packets it sends so.
pub(super) fn add(link: i32, shape: &PacketShape) -> io::Result<()> {
    Netlink::route()?.ask([adding(link, shape)])
}

/// Undoes that. Nothing to undo is no error.
pub(super) fn remove(link: i32) -> io::Result<()> {
    match Netlink::route()?.ask([discipline(link, libc::RTM_DELQDISC, REQUEST | ACK)]) {
        // ENOENT: there is none; EINVAL: it is not ours.
        Err(error) if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::EINVAL)) => Ok(()),
        other => other,
    }
}

fn adding(link: i32, shape: &PacketShape) -> Message {
    // Of a jitter it makes a time between mean - jitter and mean + jitter, all as likely.
    let half = shape.jitter / 2;
    discipline(link, libc::RTM_NEWQDISC, NEW)
        .text(TCA_KIND, "netem")
        .attr(TCA_OPTIONS, &options(shape.delay + half, half, shape.loss))
}

fn discipline(link: i32, kind: u16, flags: u16) -> Message {
    // struct tcmsg: family, padding, link, handle, parent, info
    let mut fixed = [0; 20];
    fixed[4..8].copy_from_slice(&link.to_ne_bytes());
    fixed[8..12].copy_from_slice(&HANDLE.to_ne_bytes());
    fixed[12..16].copy_from_slice(&ROOT.to_ne_bytes());
    Message::new(kind, flags, &fixed)
}

/// `struct tc_netem_qopt` and the attributes that follow it, which say times in nanoseconds rather than in ticks.
fn options(latency: Duration, jitter: Duration, loss: f64) -> Vec<u8> {
    let loss = (loss.clamp(0.0, 1.0) * f64::from(u32::MAX)).round() as u32;
    // latency, limit, loss, gap, duplicate, jitter
    let mut options: Vec<u8> = [0, LIMIT, loss, 0, 0, 0].into_iter().flat_map(u32::to_ne_bytes).collect();
    for (kind, time) in [(TCA_NETEM_LATENCY64, latency), (TCA_NETEM_JITTER64, jitter)] {
        options.extend(12_u16.to_ne_bytes());
        options.extend(kind.to_ne_bytes());
        options.extend((time.as_nanos() as i64).to_ne_bytes());
    }
    options
}

#[cfg(test)]
mod tests {
    use super::super::netlink::{attributes, messages};
    use super::*;

    fn told(bytes: &[u8]) -> u32 {
        u32::from_ne_bytes(bytes.try_into().expect("four bytes"))
    }

    #[test]
    fn what_the_kernel_is_told() {
        let shape =
            PacketShape { delay: Duration::from_millis(100), jitter: Duration::from_millis(10), loss: 0.25 };
        let bytes = adding(1, &shape).numbered(1);
        let (kind, _, rest) = messages(&bytes).next().expect("one message");
        assert_eq!(kind, 36, "RTM_NEWQDISC");
        assert_eq!(u16::from_ne_bytes([bytes[6], bytes[7]]), 0x605, "request, ack, create, exclusive");
        assert_eq!(rest[0..4], [0; 4]);
        assert_eq!(
            [told(&rest[4..8]), told(&rest[8..12]), told(&rest[12..16]), told(&rest[16..20])],
            [1, 0xC7A0_0000, 0xFFFF_FFFF, 0]
        );
        let attrs: Vec<_> = attributes(&rest[20..]).collect();
        assert_eq!(attrs[0], (1, &b"netem\0"[..]));
        let (kind, options) = attrs[1];
        assert_eq!(kind, 2);
        assert_eq!(options.len(), 24 + 12 + 12);
        let fields: Vec<u32> = options[..24].chunks(4).map(told).collect();
        assert_eq!(fields, [0, 50_000, 1 << 30, 0, 0, 0]);
        let times: Vec<_> = attributes(&options[24..]).collect();
        assert_eq!(times, [(10, &105_000_000_i64.to_ne_bytes()[..]), (11, &5_000_000_i64.to_ne_bytes()[..])]);
    }

    #[test]
    fn ours_is_removed_by_its_handle() {
        let bytes = discipline(2, libc::RTM_DELQDISC, REQUEST | ACK).numbered(1);
        assert_eq!(bytes.len(), 36);
        assert_eq!(u16::from_ne_bytes([bytes[4], bytes[5]]), 37, "RTM_DELQDISC");
        assert_eq!([told(&bytes[20..24]), told(&bytes[24..28])], [2, 0xC7A0_0000]);
    }

    #[test]
    fn all_is_lost_at_one() {
        assert_eq!(told(&options(Duration::ZERO, Duration::ZERO, 1.0)[8..12]), u32::MAX);
    }
}
