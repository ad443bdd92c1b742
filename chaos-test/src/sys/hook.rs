//! How a test binary becomes its own helper process.
//!
//! A library cannot ship a program of its own, but it is linked into one: the user's test binary. A function in
//! `.init_array` (`helper.rs`) runs before `main`, and when a private variable is set it takes over and never returns.
//! That works under libtest, nextest, `harness = false` and in examples. An ordinary run pays one look at the environment
//! and one at its parent.
//!
//! The variable alone is not believed: the program's name must be the helper's, so a stray variable in somebody's shell
//! changes nothing. A process that has that name never goes on to `main`, whatever else goes wrong: it would run the
//! user's tests once more.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "sys is where processes are started")]

use std::io::{self, Write};
use std::os::fd::{AsFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use nix::libc;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;

use super::owner;

/// The role a helper plays, its token, and what it is told about its work: `burn <token> 0.25`.
pub(crate) const ROLE: &str = "CHAOS_TEST_HELPER";
/// The mark every worker and every service carries in its environment, by which it is known as ours.
pub(crate) const MARK: &str = "CHAOS_TEST_MARK";

/// Whether that process is somebody's reaper: as in `called`, the variable alone is not believed.
pub(crate) fn is_reaper(pid: u32) -> bool {
    let is_called =
        |line: Vec<u8>| line.split(|byte| *byte == 0).next() == Some(Role::Reap.program().as_bytes());
    super::procfs::variable(pid, ROLE).is_some_and(|order| order.split(' ').next() == Some(Role::Reap.name()))
        && std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(is_called)
}

/// What a helper process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Burns processor time until its standard input closes. Its order: the share of one processor, `0.25`.
    Burn,
    /// Takes memory and keeps it. Its order: bytes, and over how many milliseconds.
    Hog,
    /// Writes and syncs. Its order: the most a file may have, and the directory.
    Write,
    /// Looks like a worker and does nothing: for the tests that prove we notice.
    Idle,
    /// Syncs a file once, and says how that went.
    Sync,
    /// Waits for its parent to end, and pays what it owes.
    Reap,
    /// Makes sockets and faults in a network of its own, as it is asked to.
    Network,
    /// Does what it is asked to, in a container.
    Sidecar,
}

impl Role {
    const ALL: [(&'static str, Self); 8] = [
        ("burn", Self::Burn),
        ("hog", Self::Hog),
        ("write", Self::Write),
        ("idle", Self::Idle),
        ("sync", Self::Sync),
        ("reap", Self::Reap),
        ("network", Self::Network),
        ("sidecar", Self::Sidecar),
    ];

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, role)| *role == self).map_or("", |(name, _)| name)
    }

    /// What such a process is called: the first word of its command line. In a container that has to be a file.
    fn program(self) -> String {
        let root = if self == Self::Sidecar { "/" } else { "" };
        format!("{root}chaos-test-{}", self.name())
    }
}

/// The process that had started this one when the hook ran.
static STARTED_BY: AtomicU32 = AtomicU32::new(0);

/// Whether whoever had started this process has gone since.
pub(crate) fn is_orphan() -> bool {
    let then = STARTED_BY.load(Ordering::Relaxed);
    then != 0 && then != super::env::parent_pid()
}

/// The role this process was started for and its order, if it is a helper. Called before `main`; ends a helper that nobody
/// holds.
pub(crate) fn called() -> Option<(Role, String)> {
    STARTED_BY.store(super::env::parent_pid(), Ordering::Relaxed);
    let order = std::env::var(ROLE).ok()?;
    let (role, rest) = order.split_once(' ')?;
    let (token, order) = rest.split_once(' ').unwrap_or((rest, ""));
    let (_, role) = Role::ALL.iter().find(|(name, _)| *name == role)?;
    // If that cannot be read, this may be a helper, and a user's tests must not run twice; or it is a test, which must not
    // pass without having run.
    let Ok(line) = std::fs::read("/proc/self/cmdline") else { exit_failed() };
    if line.split(|byte| *byte == 0).next() != Some(role.program().as_bytes()) {
        return None;
    }
    // From here on this is a helper. Its parent may be gone already, or be about to be.
    let mut sent = vec![0_u8; token.len()];
    if read_exactly(&mut sent).is_err() || sent != token.as_bytes() {
        exit();
    }
    // A session of its own: the signals of a terminal and of a runner go to the session and group of the test. And
    // with autogroup scheduling, workers that share one session share one share.
    let _ = nix::unistd::setsid();
    // SAFETY: close_range has no memory effects; descriptors from 3 on belong to nobody in this process yet.
    unsafe { libc::syscall(libc::SYS_close_range, 3_u32, u32::MAX, 0_u32) };
    Some((*role, order.to_owned()))
}

/// Reads from standard input without reading ahead.
fn read_exactly(buffer: &mut [u8]) -> io::Result<()> {
    let mut filled = 0;
    while filled < buffer.len() {
        match nix::unistd::read(io::stdin().as_fd(), &mut buffer[filled..]) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => filled += read,
            Err(nix::errno::Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

fn exit_failed() -> ! {
    exit_with(1)
}

/// Ends a helper without running the destructors of a program that never began.
pub(crate) fn exit() -> ! {
    exit_with(0)
}

/// The same, with something to say to its parent.
pub(crate) fn exit_with(status: i32) -> ! {
    // SAFETY: `_exit` has no preconditions.
    unsafe { libc::_exit(status) }
}

fn command(role: Role, token: &str, order: &str) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command
        .arg0(role.program())
        .env_clear()
        .env(ROLE, format!("{} {token} {order}", role.name()))
        .current_dir("/")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if let Some(libraries) = std::env::var_os("LD_LIBRARY_PATH") {
        command.env("LD_LIBRARY_PATH", libraries);
    }
    command
}

/// Starts a worker that carries `mark` in its environment. It ends when the returned child's standard input is
/// closed, which this process's death does too, or when this process is gone. It does nothing before `settle` has been
/// given its number, which may put it where it belongs.
pub(crate) fn start(
    role: Role,
    order: &str,
    mark: &str,
    settle: impl FnOnce(u32) -> io::Result<()>,
) -> io::Result<Child> {
    start_prepared(role, order, mark, |_| (), settle)
}

/// The same, with more to be said about how it is started.
pub(crate) fn start_prepared(
    role: Role,
    order: &str,
    mark: &str,
    prepare: impl FnOnce(&mut Command),
    settle: impl FnOnce(u32) -> io::Result<()>,
) -> io::Result<Child> {
    let mut command = command(role, mark, order);
    // Before it carries the mark: whoever carries one proves that its session is ours.
    // SAFETY: setsid is async-signal-safe and touches no memory.
    unsafe { command.pre_exec(|| nix::unistd::setsid().map(drop).map_err(io::Error::from)) };
    prepare(&mut command);
    let mut child = command.env(MARK, mark).stdin(Stdio::piped()).spawn()?;
    let told = settle(child.id())
        .and_then(|()| child.stdin.as_mut().map_or(Ok(()), |input| input.write_all(mark.as_bytes())));
    or_end(told, child)
}

/// Starts a helper for networks that carries `mark`; the socket leads to its standard input, and the helper ends when
/// that is closed or this process is gone.
pub(crate) fn start_network(mark: &str) -> io::Result<(Child, OwnedFd)> {
    let (ours, theirs) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)?;
    let mut command = command(Role::Network, mark, "");
    // Before it carries the mark, as a worker does.
    // SAFETY: setsid is async-signal-safe and touches no memory.
    unsafe { command.pre_exec(|| nix::unistd::setsid().map(drop).map_err(io::Error::from)) };
    let child = command.env(MARK, mark).stdin(theirs).spawn()?;
    let told = nix::unistd::write(&ours, mark.as_bytes()).map(drop).map_err(io::Error::from);
    or_end(told, child).map(|child| (child, ours))
}

/// Starts a reaper; the socket leads to its standard input. It carries no mark: a reaper is nobody's residue.
pub(crate) fn start_reaper() -> io::Result<(Child, OwnedFd)> {
    let (ours, theirs) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)?;
    let token = owner::new_mark();
    let mut command = command(Role::Reap, &token, "");
    // By these testcontainers finds the engine that it started containers in: its reaper has to find the same.
    command.envs(std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(leads_to_engine)));
    let child = command.stdin(theirs).stdout(Stdio::piped()).spawn()?;
    let told = nix::unistd::write(&ours, token.as_bytes()).map(drop).map_err(io::Error::from);
    or_end(told, child).map(|child| (child, ours))
}

/// Whether a variable says where the container engine is.
fn leads_to_engine(name: &str) -> bool {
    name.starts_with("DOCKER_")
        || name.starts_with("TESTCONTAINERS_")
        || matches!(name, "HOME" | "XDG_RUNTIME_DIR" | "XDG_CONFIG_HOME")
}

/// The child, if it could be told its token; else it is ended.
fn or_end(told: io::Result<()>, mut child: Child) -> io::Result<Child> {
    match told {
        Ok(()) => Ok(child),
        Err(error) => {
            let _ = child.kill().and_then(|()| child.wait());
            Err(error)
        }
    }
}

/// How a helper ended, if it has: the status it ended with, unless a signal ended it. It is not waited for, so its number
/// stays its own.
pub(crate) fn ended(helper: &Child) -> Option<Option<i32>> {
    let looked = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    match waitid(Id::Pid(Pid::from_raw(helper.id() as i32)), looked).ok()? {
        WaitStatus::StillAlive => None,
        WaitStatus::Exited(_, status) => Some(Some(status)),
        _ => Some(None),
    }
}

/// The descriptor of standard input, to own.
pub(crate) fn take_stdin() -> OwnedFd {
    // SAFETY: a helper owns its standard input alone: nothing of `main` ever runs.
    unsafe { OwnedFd::from_raw_fd(0) }
}

/// A descriptor that somebody has just sent us, to own.
pub(crate) fn own(fd: std::os::fd::RawFd) -> OwnedFd {
    // SAFETY: the kernel made it for this process when it delivered the message, and nobody else knows it.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

/// Tells the parent that a helper is ready: one byte, and the end.
pub(crate) fn say_ready() {
    let mut output = io::stdout();
    let _ = output.write_all(b"!").and_then(|()| output.flush());
    // Its number is not to be given to a file. Where there is no such device the pipe stays open, which harms nobody.
    if let Ok(null) = std::fs::File::options().write(true).open("/dev/null") {
        let _ = nix::unistd::dup2_stdout(null);
    }
}
