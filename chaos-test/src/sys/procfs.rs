//! What the kernel says about processes.
#![allow(clippy::disallowed_methods, reason = "sys is where /proc is read")]

use std::cell::Cell;
use std::fs;
use std::io::{self, Read};
use std::time::{Duration, Instant};

thread_local! {
    /// Whether a look of this thread lacked a descriptor since that was last asked.
    static BLIND: Cell<bool> = const { Cell::new(false) };
}

/// Remembers a look that lacked a descriptor: what it did not see may be there.
fn noted<T>(looked: io::Result<T>) -> io::Result<T> {
    let lacks =
        |error: &io::Error| matches!(error.raw_os_error(), Some(nix::libc::EMFILE | nix::libc::ENFILE));
    if looked.as_ref().is_err_and(lacks) {
        BLIND.set(true);
    }
    looked
}

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
    let text = noted(fs::read_to_string(format!("/proc/{pid}/stat")))?;
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
    noted(fs::read_dir(format!("/proc/{pid}/task"))).is_ok_and(|tasks| tasks.count() > 1)
}

/// Whether a process waits for a disk, and not even a signal wakes it.
pub(crate) fn is_waiting_for_a_disk(pid: u32) -> bool {
    stat(pid).is_ok_and(|fields| fields.first().is_some_and(|state| state == "D"))
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

/// Whether a process is under a seccomp filter.
pub(crate) fn is_filtered(pid: u32) -> io::Result<bool> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    Ok(status.lines().any(|line| line.strip_prefix("Seccomp:").is_some_and(|mode| mode.trim() == "2")))
}

/// The session a process belongs to.
pub(crate) fn session(pid: u32) -> Option<u32> {
    stat(pid).ok()?.get(3)?.parse().ok()
}

/// Who started a process (or has inherited it since), and when it was started.
pub(crate) fn parent_and_start(pid: u32) -> Option<(u32, u64)> {
    let fields = stat(pid).ok()?;
    Some((fields.get(1)?.parse().ok()?, fields.get(19)?.parse().ok()?))
}

/// The user a process runs as.
pub(crate) fn user(pid: u32) -> Option<u32> {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(format!("/proc/{pid}")).ok().map(|meta| meta.uid())
}

/// Whether processes can be looked at, and could be in all looks of this thread since this was last asked: who has no
/// descriptor left for it finds nobody, and that proves nothing.
pub(crate) fn can_look() -> bool {
    let can = noted(fs::read_dir("/proc")).is_ok() && stat(std::process::id()).is_ok();
    !BLIND.take() && can
}

/// All processes there are.
pub(crate) fn all() -> Vec<u32> {
    let entries = noted(fs::read_dir("/proc")).into_iter().flatten();
    entries.filter_map(|dir| dir.ok()?.file_name().to_str()?.parse().ok()).collect()
}

/// The environment a process was started with, if we may look.
///
/// An `execve` in the midst of a reading tears it: an opened file shows the memory the process had then, which ends, and
/// until the new program is loaded, which takes as long as its file and the processors let it, the new one has neither
/// arguments nor environment in it. So it is read by one call, and what reads as empty is believed where the kernel says
/// that the environment has no length, and that more than once, as it is so for a moment while it is counted. Threads of
/// the kernel and zombies have neither program nor environment.
fn environment(pid: u32) -> Option<Vec<u8>> {
    const PAUSE: Duration = Duration::from_micros(200);
    const PATIENCE: Duration = Duration::from_secs(2);
    const SETTLED: u32 = 3;
    let limit = Instant::now() + PATIENCE;
    let mut settled = 0;
    while settled < SETTLED && Instant::now() < limit {
        let environ = read_by_one_call(&format!("/proc/{pid}/environ")).ok()?;
        if !environ.is_empty() {
            return Some(environ);
        }
        match environment_length(pid) {
            Some(0) => settled += 1,
            Some(_) => {}
            None if fs::read_link(format!("/proc/{pid}/exe")).is_err() => break,
            None => settled = 0,
        }
        std::thread::sleep(PAUSE);
    }
    Some(Vec::new())
}

/// How long the environment of a process is by the kernel's account, in bytes; nothing while it has none yet.
fn environment_length(pid: u32) -> Option<u64> {
    let fields = stat(pid).ok()?;
    // env_start and env_end of proc(5).
    let at = |field: usize| fields.get(field).and_then(|at| at.parse::<u64>().ok()).filter(|at| *at > 0);
    at(48)?.checked_sub(at(47)?)
}

/// A file whose content is made as it is read, by one call as far as 256 KiB go.
fn read_by_one_call(path: &str) -> io::Result<Vec<u8>> {
    let mut content = vec![0; 256 << 10];
    let mut file = noted(fs::File::open(path))?;
    let length = file.read(&mut content)?;
    let is_whole = length < content.len();
    content.truncate(length);
    if !is_whole {
        file.read_to_end(&mut content)?;
    }
    Ok(content)
}

/// The value of a variable in the environment a process was started with, if we may look.
pub(crate) fn variable(pid: u32, name: &str) -> Option<String> {
    let environ = environment(pid)?;
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

/// The TCP sockets that listen on this port in a process's network namespace, as its descriptors name them.
pub(crate) fn listening_sockets(pid: u32, port: u16) -> Vec<String> {
    const LISTEN: &str = "0A";
    let tables = ["tcp", "tcp6"].map(|table| fs::read_to_string(format!("/proc/{pid}/net/{table}")));
    let lines = tables.iter().flatten().flat_map(|table| table.lines().skip(1));
    lines
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_ascii_whitespace().collect();
            let local = u16::from_str_radix(fields.get(1)?.rsplit_once(':')?.1, 16).ok()?;
            let listens = local == port && fields.get(3) == Some(&LISTEN);
            listens.then_some(format!("socket:[{}]", fields.get(9)?))
        })
        .collect()
}

/// What a process has used, by its own account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ProcessUsage {
    pub(crate) parent: u32,
    /// Its processor time, and that of children it has waited for.
    pub(crate) cpu: Duration,
    /// Bytes resident, and how many of them are or may be shared.
    pub(crate) resident: u64,
    pub(crate) shared: u64,
    /// Bytes from and to storage, also of children it has waited for.
    pub(crate) read: u64,
    pub(crate) written: u64,
}

/// What a process has used; the storage is nothing where we may not look.
pub(crate) fn usage(pid: u32) -> io::Result<ProcessUsage> {
    let fields = stat(pid)?;
    let number = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
    // utime, stime, cutime and cstime of proc(5), in ticks.
    let ticks: u64 = (11..=14).map(number).sum();
    let pages: Vec<u64> = fs::read_to_string(format!("/proc/{pid}/statm"))?
        .split_ascii_whitespace()
        .filter_map(|field| field.parse().ok())
        .collect();
    let bytes = |at: usize| pages.get(at).copied().unwrap_or(0).saturating_mul(page_size());
    let io = fs::read_to_string(format!("/proc/{pid}/io")).unwrap_or_default();
    let of = |name: &str| {
        let rest = io.lines().find_map(|line| line.strip_prefix(name));
        rest.and_then(|rest| rest.trim().parse().ok()).unwrap_or(0)
    };
    Ok(ProcessUsage {
        parent: number(1) as u32,
        cpu: Duration::from_secs_f64(ticks as f64 / ticks_per_second()),
        resident: bytes(1),
        shared: bytes(2),
        read: of("read_bytes:"),
        written: of("write_bytes:"),
    })
}

fn page_size() -> u64 {
    configured(nix::libc::_SC_PAGESIZE, 4096)
}

fn ticks_per_second() -> f64 {
    configured(nix::libc::_SC_CLK_TCK, 100) as f64
}

fn configured(name: i32, usual: u64) -> u64 {
    // SAFETY: sysconf takes an integer and returns one.
    let value = unsafe { nix::libc::sysconf(name) };
    u64::try_from(value).ok().filter(|value| *value > 0).unwrap_or(usual)
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::{Duration, Instant, can_look, environment, io, name, noted, variable};

    #[test]
    fn who_was_blind_for_a_moment_has_seen_nothing() {
        can_look();
        assert!(can_look());
        let _ = noted::<()>(Err(io::Error::from_raw_os_error(nix::libc::EMFILE)));
        assert!(!can_look() && can_look(), "told once, by whoever asks after it has looked");
    }

    #[test]
    fn an_environment_that_is_empty_is_believed() {
        let mut process = Command::new("sleep").arg("60").env_clear().stdin(Stdio::null()).spawn().unwrap();
        while name(process.id()).as_deref() != Some("sleep") {}
        let began = Instant::now();
        let seen = environment(process.id());
        let took = began.elapsed();
        let _ = process.kill();
        process.wait().unwrap();
        assert_eq!(seen, Some(Vec::new()));
        println!("believed after {took:?}");
    }

    #[test]
    fn an_environment_is_seen_while_the_process_starts_one_program_after_the_other() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), r#"[ "$1" -gt 0 ] && exec sh "$0" $(($1 - 1)); exec sleep 60"#).unwrap();
        let mut command = Command::new("sh");
        command.arg(file.path()).arg("2000").env("CHAOS_TEST_OF_PROCFS", "here").stdin(Stdio::null());
        let mut process = command.spawn().unwrap();
        let limit = Instant::now() + Duration::from_secs(20);
        while name(process.id()).as_deref() != Some("sleep") && Instant::now() < limit {
            assert_eq!(variable(process.id(), "CHAOS_TEST_OF_PROCFS").as_deref(), Some("here"));
        }
        let _ = process.kill();
        process.wait().unwrap();
    }
}
