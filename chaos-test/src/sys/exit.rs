//! How a child of this process ended.
#![allow(clippy::disallowed_types, reason = "sys is where processes are started")]

use std::fmt;
use std::process::Child;

use nix::errno::Errno;
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;

/// How a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    /// So.
    As(WaitStatus),
    /// Nobody knows: somebody else in this process has waited for it, or SIGCHLD is ignored. Its number may be anybody's
    /// by now.
    Taken,
}

/// How a child ended, without waiting for it in the sense that frees its number; `None` while it runs.
pub(super) fn exit(child: &Child) -> Option<Exit> {
    let looked = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    match waitid(Id::Pid(Pid::from_raw(child.id() as i32)), looked) {
        Ok(WaitStatus::StillAlive) => None,
        Ok(status) => Some(Exit::As(status)),
        Err(Errno::ECHILD) => Some(Exit::Taken),
        // Nothing else is known to go wrong, and to say that it runs does no harm.
        Err(_) => None,
    }
}

impl Exit {
    /// Whether it ended by itself, and well as far as it says.
    pub(super) fn is_well(self) -> bool {
        matches!(self, Self::As(WaitStatus::Exited(_, 0)))
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::As(WaitStatus::Exited(_, code)) => write!(f, "exit status: {code}"),
            Self::As(WaitStatus::Signaled(_, signal, _)) => write!(f, "signal: {signal}"),
            Self::As(other) => write!(f, "{other:?}"),
            Self::Taken => f.write_str("nobody knows how: something else in the test process waited for it"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    #[allow(clippy::disallowed_methods, reason = "a test of processes starts one")]
    fn a_child_that_somebody_else_has_waited_for_has_ended() {
        let mut shell = Command::new("sh");
        shell.args(["-c", "read line; exit 3"]);
        let mut child = shell.stdin(std::process::Stdio::piped()).spawn().expect("there is a sh");
        assert_eq!(exit(&child), None);
        drop(child.stdin.take());
        let pid = Pid::from_raw(child.id() as i32);
        let by_itself = loop {
            if let Some(found) = exit(&child) {
                break found;
            }
            std::thread::yield_now();
        };
        assert_eq!(by_itself.to_string(), "exit status: 3");
        nix::sys::wait::waitpid(pid, None).expect("it is ours");
        assert_eq!(exit(&child), Some(Exit::Taken));
        assert!(!Exit::Taken.is_well() && !by_itself.is_well());
        child.wait().expect_err("there is nobody to wait for");
    }
}
