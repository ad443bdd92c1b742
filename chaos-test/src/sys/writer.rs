//! What a writer does: it writes and syncs, and never fills more than its file; and what the kernel says it wrote.
#![allow(clippy::disallowed_methods, reason = "sys is where /proc is read and files are written")]

use std::fs;
use std::io::{self, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::lease::Lease;
use super::undo::FILE_PREFIX;
use super::{env, filesystem, hook, procfs, timer};

/// Synced at once.
const CHUNK: usize = 4 << 20;
/// What one block of a file system can be alike.
const BLOCK: usize = 4096;
/// How long another writer may have the name.
const TURN: Duration = Duration::from_millis(1);

/// Writes and syncs in that directory for as long as the lease holds, in a file of at most `most` bytes. Ends with the
/// error's number if it cannot.
pub(crate) fn write(most: u64, dir: &Path) {
    if let Err(error) = go_on_writing(most, dir, env::var(hook::MARK).as_deref()) {
        hook::exit_with(error.raw_os_error().unwrap_or(1));
    }
}

/// The same, for a thread: it ends with the error. The mark is for the name that a file has for a moment, where it needs
/// one.
pub(crate) fn go_on_writing(most: u64, dir: &Path, mark: Option<&str>) -> io::Result<()> {
    let most = most.max(CHUNK as u64);
    let lease = Lease::begin();
    let mut file = loop {
        match open(dir, mark) {
            // Another writer has it for a moment.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if !lease.holds_until(timer::now() + TURN) {
                    return Ok(());
                }
            }
            other => break other?,
        }
    };
    let mut chunk = content();
    let mut written = 0;
    let mut stamp = 0_u64;
    while lease.holds() {
        if written + CHUNK as u64 > most {
            // Taken anew: a file that grows has more to sync than one that is written over.
            file.set_len(0)?;
            file.rewind()?;
            written = 0;
        }
        for block in chunk.chunks_exact_mut(BLOCK) {
            stamp += 1;
            block[..8].copy_from_slice(&stamp.to_ne_bytes());
        }
        file.write_all(&chunk)?;
        file.sync_data()?;
        written += CHUNK as u64;
    }
    Ok(())
}

fn open(dir: &Path, mark: Option<&str>) -> io::Result<fs::File> {
    match filesystem::open_nameless(dir) {
        Err(error) if filesystem::is_unknown(&error) => {
            let mark = mark.ok_or(io::ErrorKind::NotFound)?;
            filesystem::open_and_remove(&name(dir, mark))
        }
        other => other,
    }
}

/// The name a writer's file has for a moment, where it needs one.
pub(crate) fn name(dir: &Path, mark: &str) -> PathBuf {
    dir.join(format!("{FILE_PREFIX}{mark}"))
}

/// Blocks that cannot be compressed, all alike.
fn content() -> Vec<u8> {
    let mut state = u64::from(std::process::id()) | 1;
    let block: [u8; BLOCK] = std::array::from_fn(|_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    });
    block.repeat(CHUNK / BLOCK)
}

/// What the kernel says of a writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Written {
    /// Calls of `write`.
    calls: u64,
    /// Bytes that went to a disk or are about to, and were not thrown away before.
    bytes: u64,
    /// Whether it waits for a disk.
    waits: bool,
}

impl Written {
    /// Whether a writer was at work between two looks: it wrote, or the disk has kept it waiting.
    pub(crate) fn since(&self, before: &Self) -> bool {
        self.waits || (self.calls > before.calls && self.bytes > before.bytes)
    }
}

/// What a writer has written, if it has a file open on that device.
pub(crate) fn written(pid: u32, device: u64) -> io::Result<Option<Written>> {
    let account = fs::read_to_string(format!("/proc/{pid}/io"))?;
    let (calls, bytes) = account_of(&account).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidData, format!("/proc/{pid}/io lacks what is needed"))
    })?;
    let mut open =
        fs::read_dir(format!("/proc/{pid}/fd"))?.filter_map(|fd| fs::metadata(fd.ok()?.path()).ok());
    let there = open.any(|meta| meta.is_file() && meta.dev() == device);
    Ok(there.then(|| Written { calls, bytes, waits: procfs::is_waiting_for_a_disk(pid) }))
}

/// Whether this kernel keeps an account of what processes write.
pub(crate) fn is_accounted() -> bool {
    fs::read_to_string("/proc/self/io").is_ok_and(|text| account_of(&text).is_some())
}

fn account_of(text: &str) -> Option<(u64, u64)> {
    let figure = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))?;
        line.trim().parse::<u64>().ok()
    };
    Some((figure("syscw")?, figure("write_bytes")?.saturating_sub(figure("cancelled_write_bytes")?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_account_is_read() {
        let text = "rchar: 5\nwchar: 9\nsyscr: 1\nsyscw: 7\nread_bytes: 0\nwrite_bytes: 4096\ncancelled_write_bytes: 96\n";
        assert_eq!(account_of(text), Some((7, 4000)));
        assert_eq!(account_of("rchar: 5\n"), None);
        assert!(is_accounted());
    }

    #[test]
    fn who_wrote_was_at_work() {
        let at = |calls, bytes, waits| Written { calls, bytes, waits };
        let before = at(5, 1000, false);
        assert!(at(6, 2000, false).since(&before));
        assert!(!at(6, 1000, false).since(&before), "what it wrote went to no disk");
        assert!(!before.since(&before));
        assert!(at(5, 1000, true).since(&before), "the disk is slow");
    }
}
