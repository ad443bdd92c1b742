//! The test process's end of its reaper: starting it, and handing it locks.
//!
//! The two share a socket. When its other end closes, or the test process is gone, the reaper pays what the ledger says.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "sys is where processes are started")]

use std::io::{self, IoSlice, Read};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::Path;
use std::process::Child;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};
use serde::{Deserialize, Serialize};

use super::hook;
use super::owner::Owner;
use super::{env, procfs};

/// How long a reaper may take to start.
const START: Duration = Duration::from_secs(10);

/// What the test process tells its reaper, one message each.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "order")]
pub(crate) enum Order {
    /// The first message: whom to watch, and where its ledger is.
    Watch {
        owner: Owner,
        /// The runner that started it, if it is one.
        runner: Option<Owner>,
        ledger: String,
    },
    /// The descriptor that comes with this is to be kept open.
    Hold { id: u64 },
    /// It need not be kept any longer.
    Release { id: u64 },
    /// When the test process should have ended, in seconds of the monotonic clock, if ever.
    EndBy { at: Option<f64> },
}

/// The longest order.
pub(crate) const LONGEST_ORDER: usize = 16 * 1024;

/// A reaper that runs.
pub(crate) struct Reaper {
    child: Child,
    socket: OwnedFd,
    held: Vec<(u64, OwnedFd)>,
    next: u64,
    end_by: Option<f64>,
}

impl Reaper {
    /// Starts a reaper for this process and waits until it watches.
    pub(super) fn start(ledger: &Path) -> io::Result<Self> {
        let fail = |error: io::Error| {
            io::Error::new(
                error.kind(),
                format!("the reaper, which cleans up if this process is killed: {error}"),
            )
        };
        let runner = runner()?;
        let (child, socket) = hook::start_reaper().map_err(fail)?;
        let mut reaper = Self { child, socket, held: Vec::new(), next: 1, end_by: None };
        reaper.greet(ledger, runner).map_err(fail)?;
        Ok(reaper)
    }

    fn greet(&mut self, ledger: &Path, runner: Option<Owner>) -> io::Result<()> {
        let order =
            Order::Watch { owner: Owner::this().clone(), runner, ledger: ledger.display().to_string() };
        self.tell(&order, None)?;
        // One byte says that it watches; then it closes its output.
        let output = self.child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let mut ready = [PollFd::new(output.as_fd(), PollFlags::POLLIN)];
        let limit = PollTimeout::try_from(START).unwrap_or(PollTimeout::MAX);
        loop {
            match poll(&mut ready, limit) {
                Ok(0) => return Err(io::Error::new(io::ErrorKind::TimedOut, "it did not start in time")),
                Ok(_) => break,
                Err(nix::errno::Errno::EINTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        let mut byte = [0_u8];
        let mut output = output;
        output.read_exact(&mut byte).map_err(|_| {
            let status = self.child.try_wait().ok().flatten();
            let status = status.map_or_else(String::new, |status| format!(" ({status})"));
            io::Error::other(format!("it ended before it watched{status}"))
        })
    }

    /// Starts another one if this one has ended: nothing may be done without one.
    pub(super) fn keep_alive(&mut self, ledger: &Path) -> io::Result<()> {
        if self.child.try_wait()?.is_none() {
            return Ok(());
        }
        let mut next = Self::start(ledger)?;
        next.next = self.next;
        for (id, lock) in self.held.drain(..) {
            next.tell(&Order::Hold { id }, Some(&lock))?;
            next.held.push((id, lock));
        }
        next.end_by(self.end_by)?;
        *self = next;
        Ok(())
    }

    pub(super) fn hold(&mut self, lock: OwnedFd) -> io::Result<u64> {
        let id = self.next;
        self.next += 1;
        self.tell(&Order::Hold { id }, Some(&lock))?;
        self.held.push((id, lock));
        Ok(id)
    }

    pub(super) fn release(&mut self, id: u64) {
        self.held.retain(|(held, _)| *held != id);
        // A reaper that is gone holds nothing.
        let _ = self.tell(&Order::Release { id }, None);
    }

    pub(super) fn end_by(&mut self, at: Option<f64>) -> io::Result<()> {
        self.end_by = at;
        self.tell(&Order::EndBy { at }, None)
    }

    fn tell(&self, order: &Order, lock: Option<&OwnedFd>) -> io::Result<()> {
        let text = serde_json::to_string(order)?;
        let fds: Vec<i32> = lock.iter().map(|lock| lock.as_raw_fd()).collect();
        let with: Vec<ControlMessage<'_>> =
            if fds.is_empty() { Vec::new() } else { vec![ControlMessage::ScmRights(&fds)] };
        let parts = [IoSlice::new(text.as_bytes())];
        sendmsg::<()>(self.socket.as_raw_fd(), &parts, &with, MsgFlags::MSG_NOSIGNAL, None)?;
        Ok(())
    }
}

impl Drop for Reaper {
    /// Only one that was never of use is dropped: that of this process lives as long as it does.
    fn drop(&mut self) {
        let _ = self.child.kill().and_then(|()| self.child.wait());
    }
}

/// The process that started this one, if it is a test runner: when that is gone, nobody waits for this one.
fn runner() -> io::Result<Option<Owner>> {
    let nextest = env::var("NEXTEST").is_some();
    if nextest && hook::is_orphan() {
        return Err(io::Error::other("the test runner is gone already, and nobody waits for what this does"));
    }
    let parent = env::parent_pid();
    let is_runner =
        nextest || procfs::name(parent).is_some_and(|name| name == "cargo" || name.starts_with("cargo-"));
    Ok((is_runner && parent > 1).then(|| Owner::of(parent)))
}
