//! Processes by descriptor: a pid may become a stranger's, a descriptor never does.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "sys is where processes are touched")]

use std::fmt;
use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use nix::errno::Errno;
use nix::libc;
use nix::sys::signal::Signal;

use super::owner::{Owner, Standing};

/// A process, held by a descriptor.
#[derive(Debug)]
pub(crate) struct PidFd {
    fd: OwnedFd,
    pid: u32,
}

impl PidFd {
    /// That process, if it exists. It may be a zombie.
    pub(crate) fn open(pid: u32) -> io::Result<Self> {
        // SAFETY: pidfd_open takes two integers and returns a descriptor or an error.
        let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid as libc::pid_t, 0) };
        let fd = Errno::result(fd)?;
        // SAFETY: the kernel has just given us this descriptor, and nobody else knows it.
        Ok(Self { fd: unsafe { OwnedFd::from_raw_fd(fd as i32) }, pid })
    }

    /// That process, if it still runs.
    pub(crate) fn of(owner: &Owner) -> Option<Self> {
        let held = Self::open(owner.pid).ok()?;
        // Looked at after it was opened: from now on the number cannot lead to anybody else.
        (owner.standing() == Standing::Alive).then_some(held)
    }

    pub(crate) fn signal(&self, signal: Signal) -> io::Result<()> {
        // SAFETY: pidfd_send_signal with a null siginfo takes integers only.
        let sent = unsafe {
            libc::syscall(
                libc::SYS_pidfd_send_signal,
                self.fd.as_raw_fd(),
                signal as libc::c_int,
                std::ptr::null::<libc::siginfo_t>(),
                0,
            )
        };
        Errno::result(sent).map(drop).map_err(io::Error::from)
    }

    /// How it ended, if that can be told by somebody who is not its parent.
    pub(crate) fn ending(&self) -> Option<Ending> {
        self.ending_of_zombie().or_else(|| self.ending_by_kernel())
    }

    /// While nobody has waited for it, its state says how it ended.
    fn ending_of_zombie(&self) -> Option<Ending> {
        let text = fs::read_to_string(format!("/proc/{}/stat", self.pid)).ok()?;
        let fields: Vec<&str> = text.rsplit_once(") ")?.1.split_ascii_whitespace().collect();
        if !matches!(fields.first(), Some(&"Z" | &"X")) {
            return None;
        }
        Ending::of_status(fields.get(49)?.parse().ok()?)
    }

    /// Linux 6.15 and newer keep it with the descriptor.
    fn ending_by_kernel(&self) -> Option<Ending> {
        /// `struct pidfd_info` in its first version.
        #[repr(C)]
        #[derive(Default)]
        struct Info {
            mask: u64,
            cgroup: u64,
            ids: [u32; 11],
            exit_code: i32,
        }
        const EXIT: u64 = 1 << 3;
        // _IOWR(0xFF, 11, struct pidfd_info)
        const GET_INFO: u64 = (3 << 30) | ((size_of::<Info>() as u64) << 16) | (0xFF << 8) | 11;
        let mut info = Info { mask: EXIT, ..Info::default() };
        // SAFETY: the kernel writes at most the size that the request names, which is that of `info`.
        let got = unsafe { libc::ioctl(self.fd.as_raw_fd(), GET_INFO as libc::Ioctl, &raw mut info) };
        (got == 0 && info.mask & EXIT != 0).then(|| Ending::of_status(info.exit_code))?
    }
}

impl AsFd for PidFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Signal(Signal),
    Exit(i32),
}

impl Ending {
    /// From the status that `wait` gives.
    fn of_status(status: i32) -> Option<Self> {
        match status & 0x7f {
            0 => Some(Self::Exit(status >> 8 & 0xff)),
            signal => Signal::try_from(signal).ok().map(Self::Signal),
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signal(Signal::SIGABRT) => {
                f.write_str("ended by SIGABRT (a panic that aborts, or abort())")
            }
            Self::Signal(signal) => write!(f, "killed by {signal}"),
            Self::Exit(code) => write!(f, "exited with code {code}"),
        }
    }
}
