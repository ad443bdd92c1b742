//! Answers the kernel for the processes under one filter.

use std::collections::VecDeque;
use std::io;
use std::mem;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use nix::libc::{self, seccomp_notif, seccomp_notif_resp};
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::time::TimeSpec;

use crate::model::SyncFault;
use crate::sys::timer;

/// What is to happen to syncs now, and who has to know when that changes.
#[derive(Debug, Default)]
pub(super) struct Orders {
    fault: Mutex<Option<SyncFault>>,
    told: Mutex<Vec<Weak<EventFd>>>,
}

impl Orders {
    pub(super) fn set(&self, fault: Option<SyncFault>) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.retain(|wake| wake.upgrade().is_some_and(|wake| wake.write(1).is_ok()));
    }

    fn now(&self) -> Option<SyncFault> {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Answers at `listener` until no process is under its filter any more.
pub(super) fn start(listener: OwnedFd, orders: Arc<Orders>) -> io::Result<()> {
    let wake = Arc::new(EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?);
    orders.told.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(&wake));
    let answering = move || Supervisor { listener, wake, orders, waiting: VecDeque::new() }.answer();
    std::thread::Builder::new().name("chaos-test-syncs".into()).spawn(answering).map(drop)
}

struct Supervisor {
    listener: OwnedFd,
    wake: Arc<EventFd>,
    orders: Arc<Orders>,
    /// Syncs that wait, in the order they came.
    waiting: VecDeque<(Instant, u64)>,
}

impl Supervisor {
    fn answer(mut self) {
        loop {
            let fault = self.orders.now();
            self.let_go(fault);
            let mut looked = [
                PollFd::new(self.listener.as_fd(), PollFlags::POLLIN),
                PollFd::new(self.wake.as_fd(), PollFlags::POLLIN),
            ];
            match ppoll(&mut looked, self.next(fault), None) {
                Ok(_) | Err(nix::errno::Errno::EINTR) => {}
                Err(_) => return,
            }
            let listener = looked[0].revents().unwrap_or(PollFlags::empty());
            let _ = self.wake.read();
            if listener.contains(PollFlags::POLLIN) {
                self.take();
            } else if listener.intersects(PollFlags::POLLHUP | PollFlags::POLLERR | PollFlags::POLLNVAL) {
                return;
            }
        }
    }

    /// How long until the first that waits may go on; for ever if none does.
    fn next(&self, fault: Option<SyncFault>) -> Option<TimeSpec> {
        let (came, _) = self.waiting.front()?;
        let delay = delay(fault);
        Some(TimeSpec::from_duration((*came + delay).saturating_duration_since(timer::now())))
    }

    /// Lets those go on that have waited long enough under the fault as it is now.
    fn let_go(&mut self, fault: Option<SyncFault>) {
        let (now, delay) = (timer::now(), delay(fault));
        while let Some((came, id)) = self.waiting.front().copied()
            && came + delay <= now
        {
            self.waiting.pop_front();
            self.send(id, 0);
        }
    }

    /// Takes one sync that somebody is about to do.
    fn take(&mut self) {
        // SAFETY: zeros are what the kernel wants to find, and every bit pattern is one of these plain numbers.
        let mut notice: seccomp_notif = unsafe { mem::zeroed() };
        // SAFETY: the kernel writes one `seccomp_notif`, which lives until the call returns.
        let taken = unsafe {
            libc::ioctl(self.listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_RECV, &raw mut notice)
        };
        if taken != 0 {
            // It was interrupted, or whoever asked has died.
            return;
        }
        match self.orders.now() {
            None => self.send(notice.id, 0),
            Some(SyncFault::Delay(_)) => self.waiting.push_back((timer::now(), notice.id)),
            Some(SyncFault::Failed) => self.send(notice.id, libc::EIO),
            Some(SyncFault::Full) => self.send(notice.id, libc::ENOSPC),
        }
    }

    /// Lets a sync go on, or fail with that error.
    fn send(&self, id: u64, error: i32) {
        let flags = if error == 0 { libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE as u32 } else { 0 };
        let mut answer = seccomp_notif_resp { id, val: 0, error: -error, flags };
        // SAFETY: the kernel reads one `seccomp_notif_resp`, which lives until the call returns. If whoever asked has
        // died meanwhile, nobody waits for the answer.
        let _ = unsafe {
            libc::ioctl(self.listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_SEND, &raw mut answer)
        };
    }
}

fn delay(fault: Option<SyncFault>) -> Duration {
    match fault {
        Some(SyncFault::Delay(delay)) => delay,
        _ => Duration::ZERO,
    }
}
