//! Files: atomic writes, bounded reads, the end of a log.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "sys is where files are touched")]

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
#[cfg(feature = "cli")]
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::owner::Owner;
use super::timer;

/// Creates a directory and those above it.
pub(crate) fn create_dir(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

/// Creates an empty file for appending, with the directories above it.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    if let Some(dir) = path.parent() {
        create_dir(dir)?;
    }
    File::options().create(true).append(true).open(path)
}

/// Writes a file so that a reader sees the old one or the whole new one, also after a crash.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    atomically(path, &mut |file| file.write_all(bytes))
}

fn atomically(path: &Path, write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let dir = path.parent().unwrap_or(Path::new("."));
    create_dir(dir)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = dir.join(format!(".{name}{}", temporary_of(Owner::this())));
    let written = (|| {
        let mut file = io::BufWriter::new(File::create(&temporary)?);
        write(&mut file)?;
        file.into_inner()?.sync_all()?;
        fs::rename(&temporary, path)
    })();
    if written.is_err() {
        // The name is ours alone; what remains of a failed write is of no use to anybody.
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// Creates a file with all that is to be in it, unless there is one: then nothing is changed, and the answer is false.
pub(crate) fn create_whole(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let dir = path.parent().unwrap_or(Path::new("."));
    create_dir(dir)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let nth = NEXT.fetch_add(1, Ordering::Relaxed);
    let temporary = dir.join(format!(".{name}.{nth}{}", temporary_of(Owner::this())));
    let made = (|| {
        let mut file = File::create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        match fs::hard_link(&temporary, path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error),
        }
    })();
    let _ = fs::remove_file(&temporary);
    made
}

/// The end of the names of files that a process is about to put in their places.
fn temporary_of(owner: &Owner) -> String {
    format!(".{}-{}.tmp", owner.pid, owner.start_ticks)
}

/// Removes what a process that is gone was writing in that directory when it ended.
pub(crate) fn remove_temporaries(dir: &Path, owner: &Owner) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') && name.ends_with(&temporary_of(owner)) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Writes a file atomically; what is no regular file (`/dev/null`, a pipe) is written to and not replaced.
#[cfg(feature = "cli")]
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_by(path, &mut |file| file.write_all(bytes))
}

/// The same piece by piece.
#[cfg(feature = "cli")]
pub(crate) fn write_by(
    path: &Path,
    write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(meta) if meta.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        Ok(meta) if !meta.is_file() => {
            let mut file = io::BufWriter::new(File::options().write(true).open(path)?);
            write(&mut file)?;
            file.flush()
        }
        _ => atomically(path, write),
    }
}

/// Appends a line.
pub(crate) fn append_line(path: &Path, line: &str) -> io::Result<()> {
    create(path)?.write_all(format!("{line}\n").as_bytes())
}

/// Appends a text.
#[cfg(feature = "cli")]
pub(crate) fn append(path: &Path, text: &str) -> io::Result<()> {
    create(path)?.write_all(text.as_bytes())
}

/// Appends a line and syncs it, unless whoever is given what is there says that it is. What a dead process has left half
/// written stays a line of its own.
#[cfg(feature = "cli")]
pub(crate) fn append_unless(
    path: &Path,
    line: &str,
    most: u64,
    known: &mut dyn FnMut(&str) -> bool,
) -> io::Result<()> {
    let mut file = create(path)?;
    let Some(_held) = lock(path, Duration::from_secs(10))? else {
        return Err(io::Error::new(io::ErrorKind::WouldBlock, "another process has held it for ten seconds"));
    };
    let there = read_at_most(path, most)?;
    if there.len() as u64 > most {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("larger than {} MiB", most >> 20)));
    }
    let whole = there.is_empty() || there.ends_with(b"\n");
    if known(&String::from_utf8_lossy(&there)) {
        return Ok(());
    }
    let line = format!("{}{line}\n", if whole { "" } else { "\n" });
    file.write_all(line.as_bytes())?;
    file.sync_all()
}

/// Removes a file.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    fs::remove_file(path)
}

/// A file that nobody else who asks can lock, until this is dropped or this process ends.
#[derive(Debug)]
pub(crate) struct Locked(#[allow(dead_code, reason = "held for its lock")] File);

/// Locks a file, waiting at most that long; nothing when somebody else holds it for longer.
pub(crate) fn lock(path: &Path, limit: Duration) -> io::Result<Option<Locked>> {
    let file = File::open(path)?;
    let deadline = timer::now() + limit;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Some(Locked(file))),
            Err(TryLockError::WouldBlock) if timer::now() >= deadline => return Ok(None),
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(5)),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

/// The files at most that many levels below a directory; what cannot be listed has none.
pub(crate) fn below(dir: &Path, levels: u32) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && levels > 1 => found.extend(below(&entry.path(), levels - 1)),
            Ok(kind) if kind.is_file() => found.push(entry.path()),
            _ => {}
        }
    }
    found.sort();
    found
}

/// The bytes of a file of at most `most` bytes; one more byte is read so that a longer file is seen to be longer.
pub(crate) fn read_at_most(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The bytes of a file that somebody named, if it is a regular one of at most that many bytes.
///
/// A pipe is not opened for reading, which would wait for its writer; and what is too long is not read at all.
#[cfg(feature = "cli")]
pub(crate) fn read_regular(path: &Path, most: u64) -> io::Result<Option<Vec<u8>>> {
    let not_regular = || io::Error::other("it is no regular file");
    // Before it is opened: that alone makes some devices do something.
    if !fs::metadata(path)?.is_file() {
        return Err(not_regular());
    }
    let file = File::options().read(true).custom_flags(nix::libc::O_NONBLOCK).open(path)?;
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(not_regular());
    }
    if meta.len() > most {
        return Ok(None);
    }
    let mut bytes = Vec::with_capacity(usize::try_from(meta.len()).unwrap_or(0));
    file.take(most + 1).read_to_end(&mut bytes)?;
    // It may have grown meanwhile.
    Ok((bytes.len() as u64 <= most).then_some(bytes))
}

/// Whether two paths lead to different files, both of which are there.
pub(crate) fn differ(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one != other)
}

/// Whether two files, there or not, are in one directory, which is there.
pub(crate) fn are_beside(one: &Path, other: &Path) -> bool {
    let home = |path: &Path| path.file_name().and(path.parent()).and_then(|dir| dir.canonicalize().ok());
    home(one).is_some_and(|one| home(other) == Some(one))
}

/// Whether a file is there, and was not written before another; one that is not there was never written.
pub(crate) fn is_not_older(one: &Path, other: &Path) -> bool {
    let written = |path: &Path| fs::metadata(path).and_then(|meta| meta.modified()).ok();
    written(one).is_some_and(|one| written(other).is_none_or(|other| one >= other))
}

/// A path without links and dots.
#[cfg(feature = "cli")]
pub(crate) fn real(path: &Path) -> io::Result<PathBuf> {
    path.canonicalize()
}

/// Whether there is a file of that name.
pub(crate) fn is_file(path: &Path) -> bool {
    path.is_file()
}

/// Whether there is a file of that name with nothing in it.
pub(crate) fn is_empty(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.len() == 0)
}

/// Whether a file belongs to the user this process runs as.
pub(crate) fn is_own(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.uid() == nix::unistd::geteuid().as_raw())
}

/// Whether there is a directory of that name.
#[cfg(feature = "cli")]
pub(crate) fn is_dir(path: &Path) -> bool {
    path.is_dir()
}

/// Whether a file has a line for which `wanted` holds; false when it cannot be read.
pub(crate) fn has_line(path: &Path, wanted: impl Fn(&str) -> bool) -> bool {
    fs::read_to_string(path).is_ok_and(|text| text.lines().any(wanted))
}

/// The last `lines` lines of a file; nothing when it cannot be read.
pub(crate) fn tail(path: &Path, lines: usize) -> Vec<String> {
    const WINDOW: u64 = 16 * 1024;
    let read = || -> io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(WINDOW)))?;
        let mut bytes = Vec::new();
        file.take(WINDOW).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let text = String::from_utf8_lossy(&read().unwrap_or_default()).into_owned();
    let mut last: Vec<String> = text.lines().rev().take(lines).map(str::to_owned).collect();
    last.reverse();
    last
}

/// The entries of a directory, sorted by name.
#[cfg(feature = "cli")]
pub(crate) fn list(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(dir)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    entries.sort();
    Ok(entries)
}

/// When a file or directory was last changed.
#[cfg(feature = "cli")]
pub(crate) fn modified(path: &Path) -> Option<std::time::SystemTime> {
    fs::metadata(path).and_then(|meta| meta.modified()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_dead_process_was_writing_is_removed_and_nothing_else() {
        let dir = tempfile::tempdir().expect("a directory");
        let other = Owner { pid: Owner::this().pid + 1, ..Owner::this().clone() };
        for name in ["a.json", ".b.json"] {
            for owner in [Owner::this(), &other] {
                fs::write(dir.path().join(format!(".{name}{}", temporary_of(owner))), "{").expect("written");
            }
            fs::write(dir.path().join(name), "{}").expect("written");
        }
        remove_temporaries(dir.path(), &other);
        let left: Vec<_> = below(dir.path(), 1);
        let ours = temporary_of(Owner::this());
        let ends = [format!("..b.json{ours}"), format!(".a.json{ours}"), ".b.json".into(), "a.json".into()];
        assert_eq!(left, ends.map(|name| dir.path().join(name)));
    }
}
