//! What the kernel says about processes.
#![allow(clippy::disallowed_methods, reason = "sys is where /proc is read")]

use std::fs;
use std::io;
use std::time::Duration;

/// Processor time of a process: what it used, and what it waited for while it was ready to run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct CpuTime {
    pub(crate) used: Duration,
    pub(crate) waited: Duration,
}

/// Processor time of a process by the scheduler's own account (`/proc/PID/schedstat`, nanoseconds).
pub(crate) fn cpu_time(pid: u32) -> io::Result<CpuTime> {
    let text = fs::read_to_string(format!("/proc/{pid}/schedstat"))?;
    let mut fields = text.split_ascii_whitespace().map(|field| field.parse().map(Duration::from_nanos));
    match (fields.next(), fields.next()) {
        (Some(Ok(used)), Some(Ok(waited))) => Ok(CpuTime { used, waited }),
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("/proc/{pid}/schedstat reads `{}`", text.trim()),
        )),
    }
}

/// The fields of `/proc/PID/stat` after the name, which may itself hold blanks and brackets.
fn stat(pid: u32) -> io::Result<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let rest = text.rsplit_once(") ").map_or("", |(_, rest)| rest);
    Ok(rest.split_ascii_whitespace().map(str::to_owned).collect())
}

/// Whether a process exists and has not ended. A zombie has ended, unless only its first thread has: the others still
/// hold what it has open, such as a port.
pub(crate) fn is_running(pid: u32) -> bool {
    let state = stat(pid).ok().and_then(|fields| fields.into_iter().next());
    state.is_some_and(|state| match state.as_str() {
        "X" => false,
        "Z" => has_threads(pid),
        _ => true,
    })
}

/// Whether a process has threads left, though its first one may have ended.
fn has_threads(pid: u32) -> bool {
    fs::read_dir(format!("/proc/{pid}/task")).is_ok_and(|tasks| tasks.count() > 1)
}

/// Whether a process is stopped, by a signal or by whoever traces it.
pub(crate) fn is_stopped(pid: u32) -> bool {
    stat(pid).is_ok_and(|fields| fields.first().is_some_and(|state| matches!(state.as_str(), "T" | "t")))
}

/// When a process was started, in ticks since the boot: with its pid this names it for good.
pub(crate) fn start_ticks(pid: u32) -> Option<u64> {
    stat(pid).ok()?.get(19)?.parse().ok()
}

/// The same, with nothing only for a process that is not there.
pub(crate) fn find_start(pid: u32) -> io::Result<Option<u64>> {
    match stat(pid) {
        Ok(fields) => Ok(fields.get(19).and_then(|ticks| ticks.parse().ok())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.raw_os_error() == Some(nix::libc::ESRCH) => Ok(None),
        Err(error) => Err(error),
    }
}

/// When this machine was booted, in seconds since 1970.
pub(crate) fn boot_time() -> Option<f64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    stat.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse().ok())
}

/// What a process is called: its program's name, cut after 15 letters.
pub(crate) fn name(pid: u32) -> Option<String> {
    fs::read_to_string(format!("/proc/{pid}/comm")).ok().map(|name| name.trim_end().to_owned())
}

/// The session a process belongs to.
pub(crate) fn session(pid: u32) -> Option<u32> {
    stat(pid).ok()?.get(3)?.parse().ok()
}

/// The user a process runs as.
pub(crate) fn user(pid: u32) -> Option<u32> {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(format!("/proc/{pid}")).ok().map(|meta| meta.uid())
}

/// All processes there are.
pub(crate) fn all() -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten();
    entries.filter_map(|dir| dir.ok()?.file_name().to_str()?.parse().ok()).collect()
}

/// The value of a variable in the environment a process was started with, if we may look.
pub(crate) fn variable(pid: u32, name: &str) -> Option<String> {
    let environ = fs::read(format!("/proc/{pid}/environ")).ok()?;
    let entry = environ
        .split(|byte| *byte == 0)
        .find_map(|entry| entry.strip_prefix(name.as_bytes()).and_then(|rest| rest.strip_prefix(b"=")))?;
    String::from_utf8(entry.to_vec()).ok()
}

/// The processes whose environment carries `entry` (`NAME=value`), of those we may look at.
pub(crate) fn with_environment(entry: &str) -> Vec<u32> {
    let Some((name, value)) = entry.split_once('=') else { return Vec::new() };
    all().into_iter().filter(|pid| variable(*pid, name).as_deref() == Some(value)).collect()
}
