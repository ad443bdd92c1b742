//! A thread that lets the packets of a queue go when they are due.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::thread::JoinHandle;
use std::time::Duration;

use nix::errno::Errno;
use nix::libc;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;

use super::queue::Queue;
use crate::sys::timer::now;

/// How long it waits if nothing is due.
const LONG: Duration = Duration::from_secs(60);

/// A queue that is read, until this is ended.
#[derive(Debug)]
pub(crate) struct Holder {
    /// Open as long as it is to go on.
    going: OwnedFd,
    thread: JoinHandle<io::Result<()>>,
}

impl Holder {
    pub(super) fn of(queue: Queue) -> io::Result<Self> {
        let (stop, going) = nix::unistd::pipe()?;
        let thread = std::thread::Builder::new().spawn(move || hold(queue, &stop))?;
        Ok(Self { going, thread })
    }

    /// Ends it so that no packet that waits is lost.
    pub(super) fn end(self) -> io::Result<()> {
        drop(self.going);
        self.thread.join().map_err(|_| io::Error::other("the thread that reads the queue has panicked"))?
    }
}

fn hold(mut queue: Queue, stop: &OwnedFd) -> io::Result<()> {
    // Else the kernel wakes it up to 50 µs late.
    // SAFETY: this prctl takes integers and changes only how exactly timers of this thread expire.
    unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1, 0, 0, 0) };
    loop {
        let wait = queue.due().map_or(LONG, |due| due.saturating_duration_since(now())).min(LONG);
        let mut fds =
            [PollFd::new(stop.as_fd(), PollFlags::POLLIN), PollFd::new(queue.as_fd(), PollFlags::POLLIN)];
        match ppoll(&mut fds, Some(TimeSpec::from_duration(wait)), None) {
            Ok(_) => {}
            Err(Errno::EINTR) => continue,
            Err(errno) => return Err(errno.into()),
        }
        let [stopped, told] = fds.map(|fd| fd.any().unwrap_or(false));
        if stopped {
            return queue.end();
        }
        // What could not be read or let go waits for the next time.
        if told {
            let _ = queue.read();
        }
        let _ = queue.release();
    }
}
