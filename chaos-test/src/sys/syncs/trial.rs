//! The witness of a fault of syncs: a process of ours under a filter of the same orders syncs a file of its own.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::{Gate, filter};
use crate::port::SyncTrial;
use crate::sys::hook::{self, Role};
use crate::sys::{owner, timer};

/// How long a trial may take beyond what is asked for.
const LIMIT: Duration = Duration::from_secs(5);

/// One sync in a process under the gate, and one of this process, which is under none.
pub(super) fn trial(gate: &Gate, longest: Duration) -> io::Result<SyncTrial> {
    let direct = sync_once(&gate.dir, &owner::new_mark())?;
    let mark = owner::new_mark();
    let (ours, theirs) = super::door()?;
    let mut child = hook::start_prepared(
        Role::Sync,
        "",
        &mark,
        |command| {
            // SAFETY: entering makes system calls only, and touches no memory but the stack.
            unsafe { command.pre_exec(move || filter::enter(theirs.as_fd())) };
            command.stdout(Stdio::piped());
        },
        |_| Ok(()),
    )?;
    let told = gate.admit(ours).and_then(|()| {
        let mut input = child.stdin.as_ref().ok_or(io::ErrorKind::BrokenPipe)?;
        input.write_all(gate.dir.as_os_str().as_encoded_bytes())?;
        input.write_all(b"\n")
    });
    let answered = told.and_then(|()| {
        let output = child.stdout.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        let mut ready = [PollFd::new(output.as_fd(), PollFlags::POLLIN)];
        let limit = PollTimeout::try_from(longest + LIMIT).unwrap_or(PollTimeout::MAX);
        if poll(&mut ready, limit)? == 0 {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "a sync under the fault has not ended"));
        }
        let mut answer = String::new();
        output.take(64).read_to_string(&mut answer)?;
        Ok(answer)
    });
    // It has ended by itself, or is too late.
    let _ = child.kill().and_then(|()| child.wait());
    let answer = answered?;
    let mut words = answer.split_ascii_whitespace().map(str::parse::<u64>);
    match (words.next(), words.next()) {
        (Some(Ok(nanos)), Some(Ok(errno))) => Ok(SyncTrial {
            took: Duration::from_nanos(nanos),
            direct: direct.0,
            error: (errno != 0).then_some(errno as i32),
        }),
        _ => Err(io::Error::other("the process that was to sync a file has ended without a word")),
    }
}

/// What the process of a trial does: syncs a file where it is told, and says how long that took and how it ended.
pub(crate) fn sync() {
    let mut dir = Vec::new();
    let _ = io::stdin().lock().read_until(b'\n', &mut dir);
    dir.pop();
    // SAFETY: the bytes come from `as_encoded_bytes` of this very program.
    let dir = PathBuf::from(unsafe { std::ffi::OsString::from_encoded_bytes_unchecked(dir) });
    let mark = std::env::var(hook::MARK).unwrap_or_default();
    let said = match sync_once(&dir, &mark) {
        Ok((took, error)) => format!("{} {error}\n", took.as_nanos()),
        Err(_) => return,
    };
    let _ = io::stdout().write_all(said.as_bytes());
}

/// How long a sync of some new data takes there, and the error it ends with, or 0.
fn sync_once(dir: &Path, mark: &str) -> io::Result<(Duration, i32)> {
    let mut file = nameless(dir, mark)?;
    file.write_all(&[0x5a; 4096])?;
    let started = timer::now();
    let synced = file.sync_data();
    let took = timer::now() - started;
    Ok((took, synced.err().and_then(|error| error.raw_os_error()).unwrap_or(0)))
}

/// A file without a name, which nobody has to remove.
fn nameless(dir: &Path, mark: &str) -> io::Result<File> {
    let open = |path: &Path, flags| OpenOptions::new().write(true).mode(0o600).custom_flags(flags).open(path);
    match open(dir, libc::O_TMPFILE) {
        Err(error) if error.raw_os_error() == Some(libc::EOPNOTSUPP) => {
            let path = dir.join(format!("chaos-test-{mark}-sync"));
            let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
            std::fs::remove_file(path)?;
            Ok(file)
        }
        opened => opened,
    }
}
