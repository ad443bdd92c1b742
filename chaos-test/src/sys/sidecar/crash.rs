//! What a helper that sees the engine's processes does: it ends the first process of one container.
#![allow(clippy::disallowed_methods, reason = "sys is where /proc is read")]

use std::fs;
use std::io;

use nix::sys::signal::Signal;

use crate::sys::pidfd::PidFd;

/// Ends that process, after it was proven to be of that container; without `really`, only proves it.
pub(super) fn end(pid: u32, container: &str, really: bool) -> io::Result<()> {
    // Held before it is looked at: from then on the number cannot lead to anybody else.
    let held = PidFd::open(pid)?;
    let groups = fs::read_to_string(format!("/proc/{pid}/cgroup"))?;
    if !names(&groups, container) {
        let text = format!("process {pid} is not of the container {container}: its groups do not name it");
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, text));
    }
    if really { held.signal(Signal::SIGKILL) } else { Ok(()) }
}

/// Whether the groups of a process are those of that container: its whole name is in the path of one.
fn names(groups: &str, container: &str) -> bool {
    // A short name would be that of many.
    container.len() >= 64 && groups.lines().any(|line| line.contains(container))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_name_is_proof() {
        let id = "ab".repeat(32);
        assert!(names(&format!("4:cpu:/docker/{id}\n0::/\n"), &id));
        assert!(names(&format!("0::/system.slice/docker-{id}.scope\n"), &id));
        assert!(!names("4:cpu:/docker/abab\n", "abab"));
        assert!(!names("0::/\n", &id));
        assert!(end(std::process::id(), &id, true).is_err(), "and nothing is ended without it");
    }
}
