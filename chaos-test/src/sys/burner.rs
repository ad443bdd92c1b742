//! What a processor worker does: nothing useful, all the time.

use std::os::fd::AsFd;
use std::os::unix::process::parent_id;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::timer::now;

/// How long a worker works before it looks whether it should go on.
const SLICE: Duration = Duration::from_millis(5);
/// A worker that is forgotten ends by itself. A fault that is held longer is then no longer seen.
const LONGEST: Duration = Duration::from_secs(3600);

/// Burns processor time until standard input closes or the parent is gone (another child of it may hold the pipe open).
pub(crate) fn burn() {
    let end = now() + LONGEST;
    let mut state = 1_u64;
    let parent = parent_id();
    while now() < end && parent_id() == parent && !orphaned(PollTimeout::ZERO) {
        let slice = now() + SLICE;
        while now() < slice {
            for _ in 0..2_000 {
                state = std::hint::black_box(state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
            }
        }
    }
}

/// Waits until standard input closes or the parent is gone.
pub(crate) fn idle() {
    let end = now() + LONGEST;
    let parent = parent_id();
    while now() < end && parent_id() == parent && !orphaned(PollTimeout::from(100_u8)) {}
}

/// Whether the other end of standard input is gone: the lease this worker lives by.
fn orphaned(wait: PollTimeout) -> bool {
    let stdin = std::io::stdin();
    let mut fds = [PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
    let hung_up = |fd: &PollFd<'_>| fd.revents().is_some_and(|events| events.contains(PollFlags::POLLHUP));
    match poll(&mut fds, wait) {
        Ok(_) => hung_up(&fds[0]),
        Err(nix::errno::Errno::EINTR) => false,
        Err(_) => true,
    }
}
