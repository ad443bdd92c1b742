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

/// Whether a process exists and has not ended; a zombie has ended.
pub(crate) fn is_running(pid: u32) -> bool {
    stat(pid).is_ok_and(|fields| fields.first().is_some_and(|state| !matches!(state.as_str(), "Z" | "X")))
}

/// The name a process goes by: its program's, at most 15 bytes of it.
pub(crate) fn name(pid: u32) -> Option<String> {
    fs::read_to_string(format!("/proc/{pid}/comm")).ok().map(|name| name.trim_end().to_owned())
}

/// When a process was started, in ticks since the boot: with its pid this names it for good.
pub(crate) fn start_ticks(pid: u32) -> Option<u64> {
    stat(pid).ok()?.get(19)?.parse().ok()
}

/// The processes whose environment carries `entry` (`NAME=value`), of those we may look at.
pub(crate) fn with_environment(entry: &str) -> Vec<u32> {
    let pids = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|dir| dir.ok()?.file_name().to_str()?.parse().ok());
    pids.filter(|pid| {
        fs::read(format!("/proc/{pid}/environ"))
            .is_ok_and(|environ| environ.split(|byte| *byte == 0).any(|found| found == entry.as_bytes()))
    })
    .collect()
}
