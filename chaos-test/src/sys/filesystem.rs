//! A directory as a place to write and sync in.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "sys is where files are touched")]

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use nix::libc;
use nix::sys::statfs::{FsType, TMPFS_MAGIC, statfs};
use nix::unistd::{AccessFlags, access};

/// What a file there would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ground {
    /// The device it is on.
    pub(crate) device: u64,
    /// Whether it needs no name.
    pub(crate) nameless: bool,
}

/// Why nothing can be written and synced in a directory.
#[derive(Debug)]
pub(crate) enum Unfit {
    /// It is not there, or not ours to write in.
    Closed(io::Error),
    /// What is written there never goes to a disk, for this reason.
    Memory(&'static str),
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(error) => write!(f, "nothing can be written there: {error}"),
            Self::Memory(why) => write!(f, "{why}: a sync there does nothing"),
        }
    }
}

/// Looks at a directory by making a file without a name in it, of which nothing stays.
pub(crate) fn look(dir: &Path) -> Result<Ground, Unfit> {
    access(dir, AccessFlags::W_OK | AccessFlags::X_OK).map_err(|errno| Unfit::Closed(errno.into()))?;
    let kind = statfs(dir).map_err(|errno| Unfit::Closed(errno.into()))?.filesystem_type();
    if kind == TMPFS_MAGIC {
        return Err(Unfit::Memory("it is on a tmpfs, which is memory"));
    }
    if kind == FsType(RAMFS_MAGIC) {
        return Err(Unfit::Memory("it is on a ramfs, which is memory"));
    }
    let (device, nameless) = match open_nameless(dir) {
        Ok(file) => (file.metadata().map_err(Unfit::Closed)?.dev(), true),
        Err(error) if is_unknown(&error) => (fs::metadata(dir).map_err(Unfit::Closed)?.dev(), false),
        Err(error) => return Err(Unfit::Closed(error)),
    };
    if is_volatile(dir) {
        return Err(Unfit::Memory("it is on an overlay mounted `volatile`"));
    }
    Ok(Ground { device, nameless })
}

/// A new file that is gone as soon as nobody has it open.
pub(crate) fn open_nameless(dir: &Path) -> io::Result<File> {
    File::options().read(true).write(true).mode(0o600).custom_flags(libc::O_TMPFILE).open(dir)
}

/// The same with a name for a moment, for file systems that know no other.
pub(crate) fn open_and_remove(path: &Path) -> io::Result<File> {
    let file = File::options().read(true).write(true).create_new(true).mode(0o600).open(path)?;
    fs::remove_file(path).map(|()| file)
}

/// Whether a file system or its kernel knows no files without a name.
pub(crate) fn is_unknown(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EOPNOTSUPP | libc::EISDIR | libc::ENOENT | libc::EINVAL))
}

/// Whether an overlay was told to sync nothing.
fn is_volatile(dir: &Path) -> bool {
    let options = || {
        let dir = File::open(dir).ok()?;
        let info = fs::read_to_string(format!("/proc/self/fdinfo/{}", dir.as_raw_fd())).ok()?;
        let id = info.lines().find_map(|line| line.strip_prefix("mnt_id:"))?.trim().to_owned();
        let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
        let mount = mounts.lines().find(|line| line.split(' ').next() == Some(&id))?;
        Some(mount.rsplit(' ').next()?.to_owned())
    };
    options().is_some_and(|options: String| options.split(',').any(|option| option == "volatile"))
}

/// linux/magic.h
const RAMFS_MAGIC: libc::__fsword_t = 0x8584_58f6_u32 as libc::__fsword_t;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_on_a_disk_is_told_from_memory() {
        let here = std::env::current_dir().expect("there is one");
        let ground = look(&here).expect("the sources are on a disk");
        assert_eq!(ground.device, fs::metadata(&here).expect("it is there").dev());
        assert!(matches!(look(Path::new("/nowhere")), Err(Unfit::Closed(_))));
        let mounts = fs::read_to_string("/proc/mounts").expect("it is Linux");
        if mounts.lines().any(|line| line.contains(" /dev/shm tmpfs ")) {
            let unfit = look(Path::new("/dev/shm")).expect_err("it is memory");
            assert_eq!(unfit.to_string(), "it is on a tmpfs, which is memory: a sync there does nothing");
        }
    }

    #[test]
    fn a_file_without_a_name_and_one_that_loses_it() {
        let dir = tempfile::tempdir_in(std::env::current_dir().expect("there is one")).expect("a directory");
        let path = dir.path().join("named");
        open_and_remove(&path).expect("made");
        open_nameless(dir.path()).expect("made");
        assert_eq!(fs::read_dir(dir.path()).expect("ours").count(), 0);
    }
}
