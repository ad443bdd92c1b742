//! Files: atomic writes, bounded reads, the end of a log.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "sys is where files are touched")]

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

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
    let dir = path.parent().unwrap_or(Path::new("."));
    create_dir(dir)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = dir.join(format!(".{name}.{}.tmp", std::process::id()));
    let written = (|| {
        let mut file = File::create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    })();
    if written.is_err() {
        // The name is ours alone; what remains of a failed write is of no use to anybody.
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// Writes a file atomically; what is no regular file (`/dev/null`, a pipe) is written to and not replaced.
#[cfg(feature = "cli")]
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(meta) if meta.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        Ok(meta) if !meta.is_file() => File::options().write(true).open(path)?.write_all(bytes),
        _ => write_atomically(path, bytes),
    }
}

/// Appends a line and waits until it is on the disk.
pub(crate) fn append_line_durably(path: &Path, line: &str) -> io::Result<()> {
    let mut file = create(path)?;
    file.write_all(format!("{line}\n").as_bytes())?;
    file.sync_data()
}

/// The bytes of a file of at most `most` bytes; one more byte is read so that a longer file is seen to be longer.
pub(crate) fn read_at_most(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Whether two paths lead to different files, both of which are there.
pub(crate) fn differ(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one != other)
}

/// Whether there is a file of that name.
pub(crate) fn is_file(path: &Path) -> bool {
    path.is_file()
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

/// Removes a file that nobody needs any more. One that cannot be removed does no harm.
pub(crate) fn remove(path: &Path) {
    let _ = fs::remove_file(path);
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
pub(crate) fn list(dir: &Path) -> io::Result<Vec<std::path::PathBuf>> {
    let mut entries: Vec<std::path::PathBuf> =
        fs::read_dir(dir)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    entries.sort();
    Ok(entries)
}

/// When a file or directory was last changed.
#[cfg(feature = "cli")]
pub(crate) fn modified(path: &Path) -> Option<std::time::SystemTime> {
    fs::metadata(path).and_then(|meta| meta.modified()).ok()
}
