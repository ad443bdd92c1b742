//! Packets that wait in a queue of the kernel's until this process lets them go.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::sockopt::{RcvBuf, RcvBufForce};
use nix::sys::socket::{MsgFlags, recv, setsockopt};

use super::applied::Which;
use super::netlink::{ACK, Message, Netlink, REQUEST, attributes, messages};
use super::nft::{Queueing, Table};
use crate::port::PacketShape;
use crate::stats::SplitMix;
use crate::sys::timer::now;

const NFNL_SUBSYS_QUEUE: u16 = 3;
const PACKET: u16 = 0;
const VERDICT: u16 = 1;
const CONFIG: u16 = 2;
const ACCEPT: u32 = 1;
/// Packets of the Internet's fourth version.
const IPV4: u16 = libc::AF_INET as u16;
/// Ours; a namespace of its own has no other.
const NUMBER: u16 = 1;
/// How many packets may wait; what comes then passes at once. At 1 500 bytes each that is 24 MB.
const LENGTH: u32 = 16_384;
/// What the kernel may tell us of before we have read it.
const TOLD: usize = 8 << 20;

/// A queue into which all packets go that arrive, until this is dropped.
#[derive(Debug)]
pub(crate) struct Queue {
    table: Table,
    netlink: Netlink,
    shape: PacketShape,
    waiting: BinaryHeap<Reverse<(Instant, u32)>>,
    random: SplitMix,
    told: Vec<u8>,
}

impl Queue {
    pub(super) fn open(name: &str, which: Which, shape: PacketShape, how: Queueing) -> io::Result<Self> {
        let mut netlink = Netlink::filter()?;
        netlink.ask([bound(), configured()])?;
        // Only root may have more than the host's limit; with that the queue passes bursts of a few hundred packets.
        let _ = setsockopt(&netlink, RcvBufForce, &TOLD).or_else(|_| setsockopt(&netlink, RcvBuf, &TOLD));
        // Only then, so that no packet finds the queue without us.
        let table = Table::queueing(name, which, NUMBER, how)?;
        let seed = u64::from(std::process::id());
        let told = vec![0; 256 * 1024];
        Ok(Self { table, netlink, shape, waiting: BinaryHeap::new(), random: SplitMix::new(seed), told })
    }

    /// When the next packet is due.
    pub(super) fn due(&self) -> Option<Instant> {
        self.waiting.peek().map(|Reverse((at, _))| *at)
    }

    /// Takes note of what has arrived.
    pub(super) fn read(&mut self) -> io::Result<()> {
        loop {
            let got = match recv(self.netlink.as_fd().as_raw_fd(), &mut self.told, MsgFlags::MSG_DONTWAIT) {
                Ok(got) => got,
                Err(Errno::EAGAIN) => return Ok(()),
                // Some were not told of, and have passed.
                Err(Errno::EINTR | Errno::ENOBUFS) => continue,
                Err(errno) => return Err(errno.into()),
            };
            let arrived = now();
            for (kind, _, rest) in messages(&self.told[..got]) {
                let Some(id) = (kind == NFNL_SUBSYS_QUEUE << 8 | PACKET).then(|| packet(rest)).flatten()
                else {
                    continue;
                };
                let jitter = self.shape.jitter.mul_f64(self.random.unit());
                self.waiting.push(Reverse((arrived + self.shape.delay + jitter, id)));
            }
        }
    }

    /// Lets all go that are due.
    pub(super) fn release(&mut self) -> io::Result<()> {
        self.let_go(now())
    }

    fn let_go(&mut self, until: Instant) -> io::Result<()> {
        /// So many verdicts fit into one message to the kernel, far below its limit.
        const AT_ONCE: usize = 512;
        let mut verdicts = Vec::new();
        while self.due().is_some_and(|due| due <= until) {
            let Some(Reverse((_, id))) = self.waiting.pop() else { break };
            verdicts.extend(accepted(id).numbered(0));
            if verdicts.len() >= AT_ONCE * 32 {
                self.netlink.send(&verdicts)?;
                verdicts.clear();
            }
        }
        if verdicts.is_empty() { Ok(()) } else { self.netlink.send(&verdicts) }
    }

    /// Ends it so that no packet that waits is lost.
    pub(super) fn end(mut self) -> io::Result<()> {
        const LATE: Duration = Duration::from_secs(3600);
        // The kernel drops what waits when its chain goes, so at first only the rule goes.
        self.table.clear()?;
        self.read()?;
        self.let_go(now() + LATE)
    }
}

impl AsFd for Queue {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.netlink.as_fd()
    }
}

fn message(kind: u16, flags: u16) -> Message {
    let [high, low] = NUMBER.to_be_bytes();
    Message::new(NFNL_SUBSYS_QUEUE << 8 | kind, flags, &[0, 0, high, low])
}

fn bound() -> Message {
    const BIND: u8 = 1;
    let [high, low] = IPV4.to_be_bytes();
    message(CONFIG, REQUEST | ACK).attr(1, &[BIND, 0, high, low])
}

fn configured() -> Message {
    /// Only that there is a packet, nothing of what is in it.
    const META: u8 = 1;
    /// What cannot be queued passes; large packets are queued as they are.
    const FAIL_OPEN_AND_GSO: u32 = 1 | 1 << 2;
    message(CONFIG, REQUEST | ACK)
        .attr(2, &[0, 0, 0, 0, META])
        .number(3, LENGTH)
        .number(4, FAIL_OPEN_AND_GSO)
        .number(5, FAIL_OPEN_AND_GSO)
}

fn accepted(id: u32) -> Message {
    let [verdict, id] = [ACCEPT.to_be_bytes(), id.to_be_bytes()];
    message(VERDICT, REQUEST).attr(2, &[verdict, id].concat())
}

/// The number of the packet that a message tells of.
fn packet(message: &[u8]) -> Option<u32> {
    let (_, header) = attributes(message.get(4..)?).find(|(kind, _)| *kind == 1)?;
    header.first_chunk().map(|id| u32::from_be_bytes(*id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_is_bound_and_told_how_to_be() {
        let bytes = bound().numbered(1);
        let (kind, _, rest) = messages(&bytes).next().expect("one");
        assert_eq!(kind, 0x0302);
        assert_eq!(rest[..4], [0, 0, 0, 1], "queue 1");
        assert_eq!(attributes(&rest[4..]).collect::<Vec<_>>(), [(1, &[1, 0, 0, 2][..])]);
        let bytes = configured().numbered(1);
        let (_, _, rest) = messages(&bytes).next().expect("one");
        assert_eq!(
            attributes(&rest[4..]).collect::<Vec<_>>(),
            [
                (2, &[0, 0, 0, 0, 1][..]),
                (3, &16_384_u32.to_be_bytes()[..]),
                (4, &[0, 0, 0, 5][..]),
                (5, &[0, 0, 0, 5][..]),
            ]
        );
    }

    #[test]
    fn a_verdict_names_its_packet() {
        let bytes = accepted(9).numbered(0);
        assert_eq!(bytes.len(), 32);
        let (kind, _, rest) = messages(&bytes).next().expect("one");
        assert_eq!(kind, 0x0301);
        assert_eq!(attributes(&rest[4..]).collect::<Vec<_>>(), [(2, &[0, 0, 0, 1, 0, 0, 0, 9][..])]);
        assert_eq!(packet(&[&[0; 4][..], &[11, 0, 1, 0, 0, 0, 0, 5, 8, 0, 1, 0]].concat()), Some(5));
        assert_eq!(packet(&[]), None);
    }
}
