//! What is said between this process and its helpers in a namespace: one message each, descriptors beside it.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::Duration;

use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, recvmsg, sendmsg};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::found::{Found, Means};
use crate::port::PacketShape;
use crate::sys::hook;

/// How many descriptors go with one message.
pub(super) const HANDFUL: usize = 64;
const LONGEST: usize = 16 * 1024;

/// What a helper is asked to do.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "order")]
pub(super) enum Order {
    /// Make a namespace and go into it; its descriptors come back.
    Create,
    /// Go into that namespace, whose descriptors come with this.
    Enter,
    /// Make so many sockets that connect to nobody yet.
    Sockets { count: usize },
    /// Make a socket for single packets at any port.
    Datagram,
    /// Make a socket that listens there.
    Listen { at: SocketAddr },
    /// Find out what can be done to packets.
    Try,
    /// Do that to all packets.
    Apply { name: String, means: Means, delay: Duration, jitter: Duration, loss: f64 },
    /// Undo it, and end.
    End,
    /// Remove a queueing discipline of ours that was left.
    Tidy,
}

/// What came of it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "reply")]
pub(super) enum Reply {
    Done,
    Tried { found: Found },
    Failed { code: Option<i32>, text: String },
}

impl Order {
    pub(super) fn apply(name: &str, means: Means, shape: PacketShape) -> Self {
        let PacketShape { delay, jitter, loss } = shape;
        Self::Apply { name: name.to_owned(), means, delay, jitter, loss }
    }
}

impl Reply {
    pub(super) fn failed(error: &io::Error) -> Self {
        Self::Failed { code: error.raw_os_error(), text: error.to_string() }
    }
}

pub(super) fn send<T: Serialize>(
    socket: BorrowedFd<'_>,
    message: &T,
    fds: &[BorrowedFd<'_>],
) -> io::Result<()> {
    let text = serde_json::to_string(message)?;
    let fds: Vec<RawFd> = fds.iter().map(AsRawFd::as_raw_fd).collect();
    let with: Vec<ControlMessage<'_>> =
        if fds.is_empty() { Vec::new() } else { vec![ControlMessage::ScmRights(&fds)] };
    let parts = [IoSlice::new(text.as_bytes())];
    sendmsg::<()>(socket.as_raw_fd(), &parts, &with, MsgFlags::MSG_NOSIGNAL, None)?;
    Ok(())
}

/// The next message, or nothing if there will be none.
pub(super) fn receive<T: DeserializeOwned>(socket: BorrowedFd<'_>) -> io::Result<Option<(T, Vec<OwnedFd>)>> {
    let mut text = vec![0; LONGEST];
    let mut space = nix::cmsg_space!([RawFd; HANDFUL]);
    let mut parts = [IoSliceMut::new(&mut text)];
    let got = loop {
        match recvmsg::<()>(socket.as_raw_fd(), &mut parts, Some(&mut space), MsgFlags::MSG_CMSG_CLOEXEC) {
            Err(nix::errno::Errno::EINTR) => {}
            other => break other?,
        }
    };
    let mut fds = Vec::new();
    for message in got.cmsgs()? {
        if let ControlMessageOwned::ScmRights(received) = message {
            fds.extend(received.into_iter().map(hook::own));
        }
    }
    let length = got.bytes;
    if length == 0 {
        return Ok(None);
    }
    Ok(Some((serde_json::from_slice(&text[..length])?, fds)))
}
