//! Locks between processes: files that the kernel unlocks when whoever holds them is gone.
//!
//! A lock belongs to the open file, not to the process: a duplicate of its descriptor in another process keeps it
//! after this one was killed. Dropped here, it is given up for all of them.
//!
//! The directory is the same for every user of the host, so anything in it may be somebody else's: links are not
//! followed, and what is read is only shown.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "sys is where files are touched")]

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::libc;
use serde::{Deserialize, Serialize};

use super::clock::unix_time;
use super::env;
use super::owner::{self, Mark, Standing};

/// Where the locks are, in place of the directory all users share.
const DIR: &str = "CHAOS_TEST_LOCK_DIR";
const SHARED_DIR: &str = "/tmp/chaos-test-locks";

/// The directory the locks of this host are in.
#[derive(Debug, Clone)]
pub(crate) struct LockDir(PathBuf);

/// Together with others, or alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Shared,
    Exclusive,
}

/// Somebody who holds a lock or waits in front of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Holder {
    /// What it calls itself: the name of its test.
    pub(crate) name: String,
    pub(crate) pid: u32,
    /// Since when, in seconds since 1970.
    pub(crate) since: f64,
    /// Its process is gone; somebody who has a duplicate keeps the lock.
    pub(crate) gone: bool,
}

/// What a holder leaves beside the lock for those who wait.
#[derive(Serialize, Deserialize)]
struct Note {
    name: String,
    since: f64,
}

impl LockDir {
    /// The host's: `$CHAOS_TEST_LOCK_DIR`, else one that all users share.
    pub(crate) fn of_host() -> io::Result<Self> {
        Self::at(env::var(DIR).map_or_else(|| PathBuf::from(SHARED_DIR), PathBuf::from))
    }

    /// That directory, made if it is not there.
    pub(crate) fn at(dir: PathBuf) -> io::Result<Self> {
        let told = |error: io::Error| {
            let text = format!("the directory of locks {}: {error} ({DIR} names another)", dir.display());
            io::Error::new(error.kind(), text)
        };
        match DirBuilder::new().recursive(true).mode(0o777).create(dir.parent().unwrap_or(Path::new("/"))) {
            Ok(()) => {}
            Err(error) => return Err(told(error)),
        }
        match DirBuilder::new().mode(0o1777).create(&dir) {
            // The umask has had its way with the mode.
            Ok(()) => fs::set_permissions(&dir, Permissions::from_mode(0o1777)).map_err(told)?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(told(error)),
        }
        match fs::symlink_metadata(&dir) {
            Ok(found) if found.is_dir() => Ok(Self(dir)),
            Ok(_) => Err(told(io::Error::other("it is a link or a file, which anybody may have put there"))),
            Err(error) => Err(told(error)),
        }
    }

    /// Takes the lock of that name if nobody is in the way.
    pub(crate) fn try_take(&self, name: &str, mode: Mode) -> io::Result<Option<Lock>> {
        let path = self.0.join(name);
        let told = |error: io::Error| {
            io::Error::new(
                error.kind(),
                format!("the lock {}: {error} ({DIR} names another directory)", path.display()),
            )
        };
        // If the file was removed between the opening and the locking, others lock another one of that name.
        for _ in 0..100 {
            let file = open(&path).map_err(told)?;
            let taken = match mode {
                Mode::Shared => file.try_lock_shared(),
                Mode::Exclusive => file.try_lock(),
            };
            match taken {
                Ok(()) if file.metadata().map_err(told)?.nlink() == 0 => {}
                Ok(()) => return Ok(Some(Lock { file, note: None, path })),
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(told(error)),
            }
        }
        Err(told(io::Error::other("somebody removes it again and again")))
    }

    /// Who holds the lock of that name, as far as they said: those that run first.
    pub(crate) fn holders(&self, name: &str) -> Vec<Holder> {
        let mut holders: Vec<Holder> =
            self.notes(name).into_iter().filter_map(|(path, mark)| holder(&path, &mark)).collect();
        holders.sort_by(|one, other| {
            (one.gone, one.since).partial_cmp(&(other.gone, other.since)).unwrap_or(std::cmp::Ordering::Equal)
        });
        holders
    }

    /// Removes the locks whose names begin so and that nobody has had for that long: every port that a test ever aimed
    /// at would leave one. Best effort; in a shared directory only their owner may.
    pub(crate) fn sweep(&self, prefix: &str, idle: Duration) {
        let now = unix_time().as_secs();
        for entry in fs::read_dir(&self.0).into_iter().flatten().flatten() {
            let name = entry.file_name();
            if !name.to_str().is_some_and(|name| name.starts_with(prefix) && name.ends_with(".lock")) {
                continue;
            }
            let Ok(file) = open_there(&entry.path(), false) else { continue };
            let Ok(found) = file.metadata() else { continue };
            let age = now.saturating_sub(u64::try_from(found.mtime()).unwrap_or(u64::MAX));
            // Removed with the lock in hand. Who has opened it meanwhile will see that it has no name left.
            let mine = age > idle.as_secs() && file.try_lock().is_ok();
            if mine && file.metadata().is_ok_and(|found| found.nlink() == 1) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    fn notes(&self, name: &str) -> Vec<(PathBuf, Mark)> {
        let entries = fs::read_dir(&self.0).into_iter().flatten().flatten();
        entries
            .filter_map(|entry| {
                let file = entry.file_name();
                let mark = file.to_str()?.strip_prefix(name)?.strip_prefix('.')?.parse().ok()?;
                Some((entry.path(), mark))
            })
            .collect()
    }
}

fn holder(path: &Path, mark: &Mark) -> Option<Holder> {
    let mut text = String::new();
    // Anybody may have written it.
    open_there(path, false).ok()?.take(4096).read_to_string(&mut text).ok()?;
    let Note { name, since } = serde_json::from_str(&text).ok()?;
    let name = name.chars().filter(|c| !c.is_control()).take(200).collect();
    Some(Holder { name, pid: mark.owner.pid, since, gone: mark.owner.standing() == Standing::Dead })
}

/// Opens a lock's file, and makes it if it is not there.
fn open(path: &Path) -> io::Result<File> {
    let file = match open_there(path, true) {
        // Another user's in a shared directory; reading is enough to lock it.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => open_there(path, false)?,
        // Only now, and only if it is not there: the kernel refuses to open another user's file for creation.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let made = options(true).create_new(true).mode(0o666).open(path);
            match made {
                Ok(file) => {
                    file.set_permissions(Permissions::from_mode(0o666))?;
                    file
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    open_there(path, true).or_else(|_| open_there(path, false))?
                }
                Err(error) => return Err(error),
            }
        }
        other => other?,
    };
    let found = file.metadata()?;
    // A second name of it could be a file of somebody's that is written to here.
    if !found.is_file() || found.nlink() > 1 {
        return Err(io::Error::other("it is no file of its own, and anybody may have put it there"));
    }
    Ok(file)
}

fn open_there(path: &Path, write: bool) -> io::Result<File> {
    options(write).open(path).map_err(|error| match error.raw_os_error() {
        Some(libc::ELOOP) => io::Error::other("it is a link, which anybody may have put there"),
        _ => error,
    })
}

fn options(write: bool) -> OpenOptions {
    let mut options = OpenOptions::new();
    // A pipe in its place would otherwise be waited for.
    options.read(true).write(write).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    options
}

/// A lock that is held until this is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
    path: PathBuf,
    note: Option<PathBuf>,
}

impl Lock {
    /// Says who holds it, for those who wait. Notes of the dead go. Best effort: a lock without a note is a lock.
    pub(crate) fn announce(&mut self, name: &str) {
        let file = self.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let dir = LockDir(self.path.parent().unwrap_or(Path::new("/")).to_path_buf());
        for (path, mark) in dir.notes(file) {
            if mark.owner.standing() == Standing::Dead {
                let _ = fs::remove_file(path);
            }
        }
        let note = Note { name: name.to_owned(), since: unix_time().as_secs_f64() };
        let path = dir.0.join(format!("{file}.{}", owner::new_mark()));
        let written = serde_json::to_vec(&note)
            .map_err(io::Error::from)
            .and_then(|text| options(true).create_new(true).mode(0o644).open(&path)?.write_all(&text));
        self.note = written.is_ok().then_some(path);
    }

    /// Whether it was said who holds it.
    pub(crate) fn is_announced(&self) -> bool {
        self.note.is_some()
    }

    /// What the last holder left in the lock's file for the next.
    pub(crate) fn read<T: for<'de> Deserialize<'de>>(&self) -> Option<T> {
        let (mut text, mut file) = (String::new(), &self.file);
        file.rewind().ok()?;
        file.take(4096).read_to_string(&mut text).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Leaves something in the lock's file for the next holder.
    pub(crate) fn write<T: Serialize>(&self, value: &T) -> io::Result<()> {
        let mut file = &self.file;
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(&serde_json::to_vec(value)?)
    }

    /// A duplicate of its descriptor: whoever has it keeps the lock if this process is killed.
    pub(crate) fn descriptor(&self) -> io::Result<OwnedFd> {
        self.file.try_clone().map(OwnedFd::from)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some(note) = &self.note {
            let _ = fs::remove_file(note);
        }
        // Not left to the closing: a duplicate, such as a child that is just being started has, would keep it.
        let _ = self.file.unlock();
    }
}

#[cfg(test)]
mod tests;
