//! What a helper process lives by: its parent, the pipe to it, and a longest time.

use std::os::fd::AsFd;
use std::os::unix::process::parent_id;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;

use super::timer::now;

/// A helper that is forgotten ends by itself. A fault that is held longer is then no longer seen.
const LONGEST: Duration = Duration::from_secs(3600);
/// How long one wait lasts at most: another child of the parent may hold the pipe open after the parent's death.
const LOOK: Duration = Duration::from_millis(100);

/// The right to go on.
pub(crate) struct Lease {
    parent: u32,
    end: Instant,
}

impl Lease {
    /// From now on, by whoever has started this process.
    pub(crate) fn begin() -> Self {
        Self { parent: parent_id(), end: now() + LONGEST }
    }

    /// Whether it holds now.
    pub(crate) fn holds(&self) -> bool {
        now() < self.end && parent_id() == self.parent && !hung_up(Duration::ZERO)
    }

    /// Sleeps until that time; false as soon as the lease does not hold any more.
    pub(crate) fn holds_until(&self, at: Instant) -> bool {
        loop {
            let left = at.saturating_duration_since(now());
            if now() >= self.end || parent_id() != self.parent || hung_up(left.min(LOOK)) {
                return false;
            }
            if now() >= at {
                return true;
            }
        }
    }

    /// Sleeps for as long as it holds.
    pub(crate) fn wait_for_its_end(&self) {
        while self.holds_until(now() + LOOK) {}
    }
}

/// Whether the other end of standard input is gone, or goes within that time.
fn hung_up(wait: Duration) -> bool {
    let stdin = std::io::stdin();
    let mut fds = [PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
    let hung_up = |fd: &PollFd<'_>| fd.revents().is_some_and(|events| events.contains(PollFlags::POLLHUP));
    match ppoll(&mut fds, Some(TimeSpec::from_duration(wait)), None) {
        Ok(_) => hung_up(&fds[0]),
        Err(Errno::EINTR) => false,
        Err(_) => true,
    }
}
