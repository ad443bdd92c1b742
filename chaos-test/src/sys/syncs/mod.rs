//! Syncs of a service that we answer for: late, failing, or as they are.
//!
//! Purpose: a [`Gate`] puts a process, before it runs its program, under a seccomp filter that makes the kernel ask this
//! process about every `fsync`, `fdatasync`, `syncfs`, `sync_file_range` and `msync`. Without a fault the answer is "go
//! on", at once.
//!
//! Invariants: a sync that is let go on is done by the kernel as it was asked for; a fault that is taken away frees
//! those that wait at once. Needs no privileges.
//! Not here: writes with `O_SYNC`, `sync(2)`, and what goes through io_uring, none of which is asked about. When this
//! process is gone, syncs of what it left behind fail with `ENOSYS` until the reaper has ended it.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "sys is where processes are started")]

mod filter;
mod supervisor;
mod trial;

use std::io::{self, IoSliceMut};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, MsgFlags, SockFlag, SockType, recvmsg, socketpair,
};

use super::hook;
use crate::model::SyncFault;
use crate::port::{SyncControl, SyncTrial};
use supervisor::Orders;
pub(crate) use trial::sync;

/// Answers for the syncs of one service, whichever process it is at the time.
#[derive(Debug)]
pub(crate) struct Gate {
    /// Where the service writes.
    dir: PathBuf,
    orders: Arc<Orders>,
}

/// Why no service's syncs can be supervised on this host, if so.
pub(crate) fn refusal() -> Option<String> {
    filter::available().err()
}

/// For a child: goes under the filter, and tells whoever is at the other end of the door.
pub(crate) fn enter(door: BorrowedFd<'_>) -> io::Result<()> {
    filter::enter(door)
}

/// A way for a child to tell us where to answer: our end and its.
pub(crate) fn door() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)?)
}

impl Gate {
    pub(crate) fn new(dir: PathBuf) -> Self {
        Self { dir, orders: Arc::default() }
    }

    /// Answers for a child that has [entered](enter) from now on. It must have: this does not wait.
    pub(crate) fn admit(&self, door: OwnedFd) -> io::Result<()> {
        let mut byte = [0];
        let mut part = [IoSliceMut::new(&mut byte)];
        let mut room = nix::cmsg_space!(RawFd);
        let flags = MsgFlags::MSG_CMSG_CLOEXEC | MsgFlags::MSG_DONTWAIT;
        let message = recvmsg::<()>(door.as_raw_fd(), &mut part, Some(&mut room), flags)?;
        let sent = message.cmsgs()?.find_map(|control| match control {
            ControlMessageOwned::ScmRights(fds) => fds.first().copied(),
            _ => None,
        });
        let listener = hook::own(sent.ok_or(io::ErrorKind::UnexpectedEof)?);
        supervisor::start(listener, Arc::clone(&self.orders))
    }
}

impl SyncControl for Gate {
    fn set(&self, fault: Option<SyncFault>) {
        self.orders.set(fault);
    }

    fn trial(&self, longest: Duration) -> io::Result<SyncTrial> {
        trial::trial(self, longest)
    }
}
