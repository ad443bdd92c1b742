//! Messages of netlink, and a socket to exchange them with the kernel.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::libc;
use nix::sys::socket::sockopt::ReceiveTimeout;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, send, setsockopt,
    socket,
};
use nix::sys::time::{TimeVal, TimeValLike};

pub(super) const REQUEST: u16 = libc::NLM_F_REQUEST as u16;
pub(super) const ACK: u16 = libc::NLM_F_ACK as u16;
pub(super) const CREATE: u16 = libc::NLM_F_CREATE as u16;
const EXCLUSIVE: u16 = libc::NLM_F_EXCL as u16;
/// To make something that may not be there yet.
pub(super) const NEW: u16 = REQUEST | ACK | CREATE | EXCLUSIVE;

const HEADER: usize = 16;
const NESTED: u16 = 1 << 15;
/// How long the kernel may take to answer, in seconds.
const ANSWER: i64 = 5;

/// One message, or the attributes of one: what is put in comes one after the other, each part padded to four bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    bytes: Vec<u8>,
}

impl Message {
    /// A message of that type, which begins with those fixed fields.
    pub(super) fn new(kind: u16, flags: u16, fixed: &[u8]) -> Self {
        let mut message = Self { bytes: vec![0; HEADER] };
        message.bytes[4..6].copy_from_slice(&kind.to_ne_bytes());
        message.bytes[6..8].copy_from_slice(&flags.to_ne_bytes());
        message.bytes.extend_from_slice(fixed);
        message.padded()
    }

    pub(super) fn attr(mut self, kind: u16, value: &[u8]) -> Self {
        let length = (value.len() + 4) as u16;
        self.bytes.extend_from_slice(&length.to_ne_bytes());
        self.bytes.extend_from_slice(&kind.to_ne_bytes());
        self.bytes.extend_from_slice(value);
        self.padded()
    }

    /// A text with the zero that ends it.
    pub(super) fn text(self, kind: u16, text: &str) -> Self {
        self.attr(kind, format!("{text}\0").as_bytes())
    }

    /// A number as it goes over a network.
    pub(super) fn number(self, kind: u16, number: u32) -> Self {
        self.attr(kind, &number.to_be_bytes())
    }

    /// Attributes within an attribute.
    pub(super) fn nest(self, kind: u16, fill: impl FnOnce(Self) -> Self) -> Self {
        let inner = fill(Self { bytes: Vec::new() });
        self.attr(kind | NESTED, &inner.bytes)
    }

    fn padded(mut self) -> Self {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        self
    }

    /// The whole, with its length and that number.
    pub(super) fn numbered(mut self, number: u32) -> Vec<u8> {
        let length = self.bytes.len() as u32;
        self.bytes[0..4].copy_from_slice(&length.to_ne_bytes());
        self.bytes[8..12].copy_from_slice(&number.to_ne_bytes());
        self.bytes
    }

    fn wants_answer(&self) -> bool {
        u16::from_ne_bytes([self.bytes[6], self.bytes[7]]) & ACK != 0
    }
}

/// The attributes in there: type and value. Stops at what makes no sense.
pub(super) fn attributes(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let [a, b, c, d, ..] = *bytes else { return None };
        let length = usize::from(u16::from_ne_bytes([a, b]));
        let value = bytes.get(4..length)?;
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((u16::from_ne_bytes([c, d]) & !NESTED, value))
    })
}

/// The messages in there: type, number and what follows the header.
pub(super) fn messages(mut bytes: &[u8]) -> impl Iterator<Item = (u16, u32, &[u8])> {
    std::iter::from_fn(move || {
        let header = bytes.get(..HEADER)?;
        let length = u32::from_ne_bytes(header[0..4].try_into().ok()?) as usize;
        let kind = u16::from_ne_bytes(header[4..6].try_into().ok()?);
        let number = u32::from_ne_bytes(header[8..12].try_into().ok()?);
        let rest = bytes.get(HEADER..length)?;
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, number, rest))
    })
}

/// A socket to one part of the kernel, of the network namespace it was opened in.
#[derive(Debug)]
pub(super) struct Netlink {
    fd: OwnedFd,
    next: u32,
}

impl Netlink {
    /// To what routes, links and queueing disciplines are made with.
    pub(super) fn route() -> io::Result<Self> {
        Self::open(SockProtocol::NetlinkRoute)
    }

    /// To the packet filter.
    pub(super) fn filter() -> io::Result<Self> {
        Self::open(SockProtocol::NetlinkNetFilter)
    }

    fn open(protocol: SockProtocol) -> io::Result<Self> {
        let fd = socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, protocol)?;
        bind(fd.as_raw_fd(), &NetlinkAddr::new(0, 0))?;
        setsockopt(&fd, ReceiveTimeout, &TimeVal::seconds(ANSWER))?;
        Ok(Self { fd, next: 1 })
    }

    /// Sends those messages as one and waits until each that wants an answer has one.
    pub(super) fn ask(&mut self, asked: impl IntoIterator<Item = Message>) -> io::Result<()> {
        let (mut bytes, mut open) = (Vec::new(), Vec::new());
        for message in asked {
            if message.wants_answer() {
                open.push(self.next);
            }
            bytes.extend(message.numbered(self.next));
            self.next = self.next.wrapping_add(1);
        }
        self.send(&bytes)?;
        let mut answer = vec![0; 32 * 1024];
        while !open.is_empty() {
            let got = match recv(self.fd.as_raw_fd(), &mut answer, MsgFlags::empty()) {
                Ok(got) => got,
                Err(nix::errno::Errno::EINTR) => continue,
                Err(errno) => return Err(errno.into()),
            };
            for (kind, number, rest) in messages(&answer[..got]) {
                if i32::from(kind) != libc::NLMSG_ERROR {
                    continue;
                }
                let code = rest.first_chunk().map_or(0, |code| i32::from_ne_bytes(*code));
                if code != 0 {
                    return Err(io::Error::from_raw_os_error(-code));
                }
                open.retain(|waiting| *waiting != number);
            }
        }
        Ok(())
    }

    /// Sends what wants no answer.
    pub(super) fn send(&self, bytes: &[u8]) -> io::Result<()> {
        send(self.fd.as_raw_fd(), bytes, MsgFlags::empty())?;
        Ok(())
    }
}

impl AsFd for Netlink {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_its_header_and_padded_attributes() {
        let bytes = Message::new(0x1234, REQUEST | ACK, &[7]).text(1, "ab").numbered(9);
        let mut expected = Vec::new();
        expected.extend(28_u32.to_ne_bytes());
        expected.extend(0x1234_u16.to_ne_bytes());
        expected.extend(5_u16.to_ne_bytes());
        expected.extend(9_u32.to_ne_bytes());
        expected.extend([0; 4]);
        expected.extend([7, 0, 0, 0]);
        expected.extend(7_u16.to_ne_bytes());
        expected.extend(1_u16.to_ne_bytes());
        expected.extend(b"ab\0\0");
        assert_eq!(bytes, expected);
    }

    #[test]
    fn what_was_nested_can_be_read_back() {
        let message = Message::new(1, 0, &[]).nest(2, |inner| inner.number(3, 4).text(5, "x"));
        let bytes = message.numbered(6);
        let (kind, number, rest) = messages(&bytes).next().expect("one message");
        assert_eq!((kind, number), (1, 6));
        let outer: Vec<_> = attributes(rest).collect();
        assert_eq!(outer[0].0, 2);
        let inner: Vec<_> = attributes(outer[0].1).collect();
        assert_eq!(inner, [(3, &[0, 0, 0, 4][..]), (5, &b"x\0"[..])]);
    }

    #[test]
    fn nonsense_has_no_attributes() {
        assert_eq!(attributes(&[1, 0, 1, 0]).count(), 0);
        assert_eq!(attributes(&[200, 0, 1, 0, 9]).count(), 0);
        assert_eq!(messages(&[0; 16]).count(), 0);
    }
}
