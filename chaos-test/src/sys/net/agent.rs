//! A helper in a namespace, from this process's side.
#![allow(clippy::disallowed_types, reason = "sys is where processes are started")]

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::Child;

use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::ReceiveTimeout;
use nix::sys::time::{TimeVal, TimeValLike};

use super::order::{Order, Reply, receive, send};
use crate::sys::hook;

/// How long one order may take, in seconds. On a host that is starved on purpose everything takes its time.
const PATIENCE: i64 = 8;

/// A helper that runs. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Agent {
    child: Child,
    socket: OwnedFd,
    /// An answer was not understood or did not come: what comes now would belong to another order.
    broken: bool,
}

impl Agent {
    /// One that makes a namespace, and the descriptors of that.
    pub(super) fn create(mark: &str) -> io::Result<(Self, Vec<OwnedFd>)> {
        let mut agent = Self::start(mark)?;
        let (_, fds) = agent.ask(&Order::Create, &[])?;
        Ok((agent, fds))
    }

    /// One that goes into a namespace that there is.
    pub(super) fn enter(mark: &str, namespace: &[OwnedFd]) -> io::Result<Self> {
        let mut agent = Self::start(mark)?;
        let fds: Vec<_> = namespace.iter().map(AsFd::as_fd).collect();
        agent.ask(&Order::Enter, &fds)?;
        Ok(agent)
    }

    fn start(mark: &str) -> io::Result<Self> {
        let (child, socket) = hook::start_network(mark)?;
        setsockopt(&socket, ReceiveTimeout, &TimeVal::seconds(PATIENCE))?;
        Ok(Self { child, socket, broken: false })
    }

    /// Asks for something and waits for what comes of it.
    pub(super) fn ask(&mut self, order: &Order, fds: &[BorrowedFd<'_>]) -> io::Result<(Reply, Vec<OwnedFd>)> {
        let answer = send(self.socket.as_fd(), order, fds)
            .and_then(|()| receive(self.socket.as_fd())?.ok_or_else(gone))
            .inspect_err(|_| self.broken = true)?;
        match answer {
            (Reply::Failed { code: Some(code), .. }, _) => Err(io::Error::from_raw_os_error(code)),
            (Reply::Failed { text, .. }, _) => Err(io::Error::other(text)),
            answer => Ok(answer),
        }
    }

    /// This, if it can still be asked.
    pub(super) fn still(mut self) -> Option<Self> {
        let runs = !self.broken && matches!(self.child.try_wait(), Ok(None));
        runs.then_some(self)
    }

    /// Lets it undo what it does, and end.
    pub(super) fn end(mut self) -> io::Result<()> {
        self.ask(&Order::End, &[]).map(drop)
        // Dropped, and with that killed and waited for, should it linger.
    }
}

fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the helper in its network is gone")
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill().and_then(|()| self.child.wait());
    }
}
