//! How much memory and disk space is left: what the kernel says, and the limit of the cgroup this process is in.
#![allow(clippy::disallowed_methods, reason = "sys is where /proc and the cgroups are read")]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use nix::sys::statvfs::statvfs;

use crate::model::Room;
use crate::units::ByteSize;

/// The memory a process of ours could still take: of the host, or of the cgroup if its limit leaves less.
pub(crate) fn memory() -> io::Result<Room> {
    let host = host_memory(&fs::read_to_string("/proc/meminfo")?)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "/proc/meminfo has no MemAvailable"))?;
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    Ok(cgroup_dirs(&groups, Path::new("/sys/fs/cgroup"))
        .iter()
        .filter_map(|dir| limit(dir))
        .fold(host, tighter))
}

/// The space on the file system that `path` is on or will be on.
pub(crate) fn disk(path: &Path) -> io::Result<Room> {
    let there = path.ancestors().find(|dir| dir.symlink_metadata().is_ok()).unwrap_or(Path::new("/"));
    let stat = statvfs(there)?;
    let size = |blocks: u64| ByteSize::new(blocks.saturating_mul(stat.fragment_size()));
    Ok(Room { free: size(stat.blocks_available()), total: size(stat.blocks()) })
}

/// The smaller one of each.
fn tighter(one: Room, other: Room) -> Room {
    Room { free: one.free.min(other.free), total: one.total.min(other.total) }
}

fn host_memory(meminfo: &str) -> Option<Room> {
    let field = |name: &str| {
        let rest = meminfo.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        let kib: u64 = rest.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(ByteSize::new(kib * 1024))
    };
    Some(Room { free: field("MemAvailable")?, total: field("MemTotal")? })
}

/// The directories of the memory cgroups this process is in, from the innermost up: each may have a limit.
fn cgroup_dirs(groups: &str, root: &Path) -> Vec<PathBuf> {
    let mut dirs = Vec::new();
    for line in groups.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { continue };
        let mount = match controllers {
            "" => root.to_path_buf(),
            _ if controllers.split(',').any(|name| name == "memory") => root.join("memory"),
            _ => continue,
        };
        // In a container the path may be the host's and not be there; its own group is then what is mounted.
        let inner = mount.join(path.trim_start_matches('/'));
        dirs.extend(inner.ancestors().take_while(|dir| dir.starts_with(&mount)).map(Path::to_path_buf));
    }
    dirs
}

/// What a cgroup's limit leaves; nothing if it has none.
fn limit(dir: &Path) -> Option<Room> {
    let read = |name: &str| fs::read_to_string(dir.join(name)).ok();
    let number = |name: &str| read(name)?.trim().parse::<u64>().ok();
    let (limit, used, cache) = match number("memory.max") {
        Some(limit) => (limit, number("memory.current")?, "inactive_file "),
        None => (number("memory.limit_in_bytes")?, number("memory.usage_in_bytes")?, "total_inactive_file "),
    };
    // Pages of files that nobody uses are given back before anybody is denied.
    let stat = read("memory.stat").unwrap_or_default();
    let cached = stat.lines().find_map(|line| line.strip_prefix(cache)?.trim().parse().ok()).unwrap_or(0_u64);
    let free = limit.saturating_sub(used.saturating_sub(cached));
    Some(Room { free: ByteSize::new(free), total: ByteSize::new(limit) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(free: u64, total: u64) -> Room {
        Room { free: ByteSize::new(free), total: ByteSize::new(total) }
    }

    #[test]
    fn the_host_is_read_from_meminfo() {
        let text = "MemTotal:       24683520 kB\nMemFree:  1 kB\nMemAvailable:   24000000 kB\n";
        assert_eq!(host_memory(text), Some(room(24_000_000 * 1024, 24_683_520 * 1024)));
        assert_eq!(host_memory("MemTotal: 5 kB\n"), None);
        let here = memory().unwrap();
        assert!(here.free > ByteSize::new(0) && here.free <= here.total, "{here:?}");
        let disk = disk(Path::new("/nowhere/at/all")).unwrap();
        assert!(disk.free <= disk.total && disk.total > ByteSize::new(0), "{disk:?}");
    }

    #[test]
    fn every_group_up_to_the_root_may_have_a_limit() {
        let root = tempfile::tempdir().unwrap();
        let (outer, inner) = (root.path().join("a"), root.path().join("a/b"));
        fs::create_dir_all(&inner).unwrap();
        fs::write(inner.join("memory.max"), "max\n").unwrap();
        fs::write(inner.join("memory.current"), "10\n").unwrap();
        fs::write(outer.join("memory.max"), "1000\n").unwrap();
        fs::write(outer.join("memory.current"), "700\n").unwrap();
        fs::write(outer.join("memory.stat"), "anon 600\ninactive_file 100\n").unwrap();
        let dirs = cgroup_dirs("0::/a/b\n", root.path());
        assert_eq!(dirs, [inner, outer, root.path().to_path_buf()]);
        let found: Vec<Room> = dirs.iter().filter_map(|dir| limit(dir)).collect();
        assert_eq!(found, [room(400, 1000)]);
    }

    #[test]
    fn the_first_version_of_cgroups_is_read_too() {
        let root = tempfile::tempdir().unwrap();
        let group = root.path().join("memory");
        fs::create_dir_all(&group).unwrap();
        fs::write(group.join("memory.limit_in_bytes"), "4096\n").unwrap();
        fs::write(group.join("memory.usage_in_bytes"), "5000\n").unwrap();
        let dirs = cgroup_dirs("5:devices:/\n4:cpu,memory:/not/mounted/here\n", root.path());
        let found: Vec<Room> = dirs.iter().filter_map(|dir| limit(dir)).collect();
        assert_eq!(found, [room(0, 4096)], "over its limit: nothing is free");
    }
}
