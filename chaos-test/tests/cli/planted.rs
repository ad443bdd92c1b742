//! Processes that a test starts, each leading a session of its own, and what the kernel says about them.

use std::fs;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A process and its session, both ended when this is dropped.
#[derive(Debug)]
pub(crate) struct Planted(Child);

impl Planted {
    /// Starts a command as the leader of a new session. What it starts stays in that session.
    pub(crate) fn start(command: &mut Command) -> Self {
        Self::lead(command, Stdio::null())
    }

    /// The same with a listener as its standard input, which nobody else has then.
    pub(crate) fn listening(command: &mut Command, listener: TcpListener) -> Self {
        Self::lead(command, OwnedFd::from(listener).into())
    }

    fn lead(command: &Command, input: Stdio) -> Self {
        let mut started = Command::new("setsid");
        started.arg(command.get_program()).args(command.get_args()).stdin(input);
        started.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        if let Some(dir) = command.get_current_dir() {
            started.current_dir(dir);
        }
        let planted = Self::spawn(&mut started);
        let pid = planted.pid();
        until("its session", || session(pid) == Some(pid) && name(pid) != Some("setsid".into()));
        planted
    }

    /// Starts a command that stays in this session.
    pub(crate) fn here(command: &mut Command) -> Self {
        Self::spawn(command.stdin(Stdio::null()))
    }

    fn spawn(command: &mut Command) -> Self {
        Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Everybody who runs in its session.
    pub(crate) fn members(&self) -> Vec<Named> {
        members(self.pid())
    }

    /// Waits until those and no others run in its session: names of programs, sorted.
    pub(crate) fn until_it_has(&self, programs: &[&str]) -> Vec<Named> {
        let have = || {
            let mut names: Vec<String> =
                self.members().into_iter().filter_map(|member| name(member.pid)).collect();
            names.sort();
            names
        };
        until(&format!("{programs:?}"), || have() == programs);
        self.members()
    }
}

impl Drop for Planted {
    fn drop(&mut self) {
        let _ = self.0.kill();
        // Again and again, for one of them may be starting another. The leader is not waited for yet, so nobody else
        // can have its number.
        loop {
            let members = self.members();
            if members.is_empty() {
                break;
            }
            for member in members {
                let _ = kill(Pid::from_raw(member.pid as i32), Signal::SIGKILL);
            }
            sleep(Duration::from_millis(2));
        }
        let _ = self.0.wait();
    }
}

/// Waits until it is so; a minute is more than any of it takes.
pub(crate) fn until(what: &str, is_so: impl Fn() -> bool) {
    let limit = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < limit, "{what} never came");
        sleep(Duration::from_millis(2));
    }
}

/// Everybody who runs in that session.
pub(crate) fn members(leader: u32) -> Vec<Named> {
    let entries = fs::read_dir("/proc").unwrap();
    let pids = entries.filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    pids.filter(|pid| session(*pid) == Some(leader)).filter_map(Named::running).collect()
}

/// Whether it has a child that has ended and was not waited for.
pub(crate) fn has_zombie(parent: u32) -> bool {
    let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default();
    children
        .split_ascii_whitespace()
        .filter_map(|pid| pid.parse().ok())
        .any(|pid| state(pid).as_deref() == Some("Z"))
}

/// The fields of `/proc/PID/stat` after the name.
fn stat(pid: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(text.rsplit_once(") ")?.1.split_ascii_whitespace().map(str::to_owned).collect())
}

pub(crate) fn start_ticks(pid: u32) -> Option<u64> {
    stat(pid)?.get(19)?.parse().ok()
}

pub(crate) fn session(pid: u32) -> Option<u32> {
    stat(pid)?.get(3)?.parse().ok()
}

pub(crate) fn state(pid: u32) -> Option<String> {
    stat(pid)?.into_iter().next()
}

/// The name of its program. In the midst of an `execve` a process has the new name and no arguments and environment yet.
fn name(pid: u32) -> Option<String> {
    if fs::read(format!("/proc/{pid}/cmdline")).ok()?.is_empty() {
        return None;
    }
    Some(fs::read_to_string(format!("/proc/{pid}/comm")).ok()?.trim_end().to_owned())
}

/// A zombie has ended.
fn is_running(pid: u32) -> bool {
    state(pid).is_some_and(|state| !matches!(state.as_str(), "Z" | "X"))
}

/// A process named for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Named {
    pid: u32,
    start_ticks: u64,
}

impl Named {
    pub(crate) fn running(pid: u32) -> Option<Self> {
        let named = Self { pid, start_ticks: start_ticks(pid)? };
        named.runs().then_some(named)
    }

    pub(crate) fn has_mark(self, mark: &str) -> bool {
        let entry = format!("CHAOS_TEST_MARK={mark}");
        let environ = fs::read(format!("/proc/{}/environ", self.pid)).unwrap_or_default();
        environ.split(|byte| *byte == 0).any(|found| found == entry.as_bytes())
    }

    pub(crate) fn runs(self) -> bool {
        start_ticks(self.pid) == Some(self.start_ticks) && is_running(self.pid)
    }
}
