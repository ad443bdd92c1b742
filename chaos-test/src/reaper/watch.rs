use std::io::{self, ErrorKind, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigHandler, Signal, kill, signal};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};
use nix::unistd::Pid;

use super::log::Log;
use super::pay::{self, Death};
use crate::sys::clock::monotonic;
use crate::sys::ledger::{self, Payer};
use crate::sys::owner::{Owner, Standing};
use crate::sys::pidfd::PidFd;
use crate::sys::reaper::{LONGEST_ORDER, Order};
use crate::sys::{files, hook, memory, timer};

/// How often the process is looked at where the kernel cannot tell of its end.
const LOOK: Duration = Duration::from_millis(50);
/// How long a process that was asked to end may take, for its own rollback and record.
const PATIENCE: Duration = Duration::from_secs(10);

/// All the life of a reaper.
pub(crate) fn watch() {
    for name in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT, Signal::SIGPIPE] {
        // SAFETY: ignoring a signal runs no code of ours.
        let _ = unsafe { signal(name, SigHandler::SigIgn) };
    }
    let _ = nix::sys::prctl::set_name(c"chaos-reaper");
    let socket = hook::take_stdin();
    let Some((order, _)) = receive(&socket) else { return };
    let Ok(Order::Watch { owner, runner, ledger }) = serde_json::from_slice(&order) else { return };
    let mut watch = Watch {
        test: PidFd::of(&owner),
        runner: runner.as_ref().and_then(PidFd::of),
        unheld: None,
        owner,
        ledger: PathBuf::from(ledger),
        socket: Some(socket),
        held: Vec::new(),
        end_by: None,
        asked: None,
        why: None,
    };
    // A runner that cannot be held is not taken for dead, unless it is seen to be.
    match runner {
        Some(runner) if runner.standing() == Standing::Dead => watch.ask_to_end("its runner was gone"),
        Some(runner) if watch.runner.is_none() => watch.unheld = Some(runner),
        _ => {}
    }
    hook::say_ready();
    memory::let_go();
    watch.until_the_end();
    watch.settle();
}

struct Watch {
    owner: Owner,
    /// The test process; absent where the kernel has no such descriptors.
    test: Option<PidFd>,
    runner: Option<PidFd>,
    /// The runner, where the kernel has none for it.
    unheld: Option<Owner>,
    ledger: PathBuf,
    socket: Option<OwnedFd>,
    /// Locks kept for the test process.
    held: Vec<(u64, OwnedFd)>,
    end_by: Option<f64>,
    /// When the test process was asked to end.
    asked: Option<f64>,
    /// Why it was.
    why: Option<String>,
}

impl Watch {
    /// Returns when the test process is gone.
    fn until_the_end(&mut self) {
        loop {
            let (socket, test, runner) = self.poll();
            if test || self.test.is_none() && self.owner.standing() != Standing::Alive {
                return;
            }
            if socket && !self.take_order() {
                // Its end is closed. That is the end of the process, or a moment before it.
                self.socket = None;
            }
            let gone = self.unheld.as_ref().is_some_and(|runner| runner.standing() == Standing::Dead);
            if runner || gone {
                (self.runner, self.unheld) = (None, None);
                self.ask_to_end("its runner was gone");
            }
            if self.end_by.is_some_and(|at| monotonic() >= at) {
                self.end_by = None;
                self.ask_to_end("it should have ended long ago (max_total_duration_seconds)");
            }
            if self.asked.is_some_and(|at| monotonic() >= at + PATIENCE.as_secs_f64()) {
                self.asked = None;
                self.signal(Signal::SIGKILL);
            }
        }
    }

    /// Waits until something happens: an order, the end of the test process, the end of the runner.
    fn poll(&self) -> (bool, bool, bool) {
        let mut fds = Vec::with_capacity(3);
        let mut place = |fd: Option<BorrowedFd<'_>>| {
            fd.map(|fd| {
                // SAFETY: the descriptor is owned by `self`, which outlives the call below.
                let fd = unsafe { BorrowedFd::borrow_raw(fd.as_raw_fd()) };
                fds.push(PollFd::new(fd, PollFlags::POLLIN));
                fds.len() - 1
            })
        };
        let places = [
            place(self.socket.as_ref().map(AsFd::as_fd)),
            place(self.test.as_ref().map(AsFd::as_fd)),
            place(self.runner.as_ref().map(AsFd::as_fd)),
        ];
        let patience = self.asked.map(|at| at + PATIENCE.as_secs_f64());
        let due = [self.end_by, patience].into_iter().flatten().reduce(f64::min);
        let mut wait = due.map(|at| Duration::from_secs_f64((at - monotonic()).clamp(0.001, 3600.0)));
        if self.test.is_none() || self.unheld.is_some() {
            wait = Some(wait.map_or(LOOK, |wait| wait.min(LOOK)));
        }
        let wait =
            wait.map_or(PollTimeout::NONE, |wait| PollTimeout::try_from(wait).unwrap_or(PollTimeout::MAX));
        match poll(&mut fds, wait) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(_) => std::thread::sleep(LOOK),
        }
        let happened = |place: Option<usize>| {
            place.is_some_and(|at| fds[at].revents().is_some_and(|events| !events.is_empty()))
        };
        (happened(places[0]), happened(places[1]), happened(places[2]))
    }

    /// Does what the test process says; false when it says nothing more.
    fn take_order(&mut self) -> bool {
        let Some(socket) = &self.socket else { return false };
        let Some((text, lock)) = receive(socket) else { return false };
        // An order of a version that knows more is no reason to stop watching.
        match serde_json::from_slice(&text) {
            Ok(Order::Hold { id }) => self.held.extend(lock.map(|lock| (id, lock))),
            Ok(Order::Release { id }) => self.held.retain(|(held, _)| *held != id),
            Ok(Order::EndBy { at }) => self.end_by = at,
            Ok(Order::Watch { .. }) | Err(_) => {}
        }
        true
    }

    /// Asks the test process to end, so that it can roll back and write its record; later it is made to.
    fn ask_to_end(&mut self, why: &str) {
        if self.asked.is_none() {
            self.asked = Some(monotonic());
            self.why = Some(why.to_owned());
            self.signal(Signal::SIGTERM);
        }
    }

    fn signal(&self, signal: Signal) {
        // Gone already is as good; there is nobody to tell of anything else.
        let _ = match &self.test {
            Some(test) => test.signal(signal),
            None if self.owner.standing() == Standing::Alive => {
                let pid = i32::try_from(self.owner.pid).map_err(io::Error::other);
                pid.and_then(|pid| Ok(kill(Pid::from_raw(pid), signal)?))
            }
            None => return,
        };
    }

    /// The test process is gone: pays what it owed.
    fn settle(self) {
        let died = monotonic();
        let ending = self.test.as_ref().and_then(PidFd::ending);
        let mut death = Death { at: Some(died), ending, why: self.why.clone() };
        let lock = pay::lock(&self.ledger, Duration::from_secs(10));
        pay::tidy(&self.ledger, &self.owner);
        let account = ledger::read(&self.ledger);
        // Without a first line nothing was done.
        let nothing = account.as_ref().is_ok_and(ledger::Account::is_clear) || files::is_empty(&self.ledger);
        if nothing && pay::end_all_now(&self.owner).is_ok_and(|ended| ended.is_empty()) {
            let _ = files::remove(&self.ledger);
            return;
        }
        let mut log = Log::beside(&self.ledger);
        match account {
            Ok(account) => {
                let mut paid = pay::pay(&self.ledger, account, Payer::Reaper, &mut log);
                death.ending = death.ending.or_else(|| self.ending_later());
                paid.write_records(&self.ledger, &death, &mut log);
                let _ = paid.close(&self.ledger, &death, &mut log);
            }
            // Killed before there was one, or somebody took it away; then marks are all there is to go by.
            Err(ledger::ReadError::Io(error)) if error.kind() == ErrorKind::NotFound => {
                pay::end_all_marked(&self.owner, &mut log);
            }
            Err(error) => {
                log.line(&format!("the ledger {} cannot be read: {error}", self.ledger.display()));
                pay::end_all_marked(&self.owner, &mut log);
            }
        }
        drop(lock);
        // Only now: whoever waits for one of these finds everything as it was.
        drop(self.held);
    }

    /// How it ended, once its parent has waited for it: only then some kernels tell.
    fn ending_later(&self) -> Option<crate::sys::pidfd::Ending> {
        let test = self.test.as_ref()?;
        let limit = timer::now() + Duration::from_millis(200);
        while timer::now() < limit {
            if let Some(ending) = test.ending() {
                return Some(ending);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        None
    }
}

/// The next message, and the descriptor that came with it; nothing when there will be none.
fn receive(socket: &OwnedFd) -> Option<(Vec<u8>, Option<OwnedFd>)> {
    let mut text = vec![0_u8; LONGEST_ORDER];
    let mut space = nix::cmsg_space!([std::os::fd::RawFd; 1]);
    let (length, lock) = loop {
        let mut parts = [IoSliceMut::new(&mut text)];
        match recvmsg::<()>(socket.as_raw_fd(), &mut parts, Some(&mut space), MsgFlags::MSG_CMSG_CLOEXEC) {
            Ok(message) => {
                break (message.bytes, message.cmsgs().ok().and_then(|mut found| found.find_map(first)));
            }
            Err(Errno::EINTR) => {}
            Err(_) => return None,
        }
    };
    text.truncate(length);
    (length > 0).then_some((text, lock))
}

fn first(message: ControlMessageOwned) -> Option<OwnedFd> {
    let ControlMessageOwned::ScmRights(fds) = message else { return None };
    fds.first().map(|fd| hook::own(*fd))
}
