//! The groups of processes that limit a container, seen from a helper that has joined its process namespace.
#![allow(clippy::disallowed_methods, reason = "sys is where /proc and the groups are touched")]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Where a helper finds the groups of the engine's host.
pub(crate) const ROOT: &str = "/chaos-test-groups";
/// Those that share out what a helper is to take, by the names of version 1. In version 2 one group is all of them.
const WANTED: [&str; 5] = ["cpu", "cpuacct", "cpuset", "memory", "blkio"];
/// Who is in a group; writing to it moves a process there.
const MEMBERS: &str = "cgroup.procs";

/// A group and the controllers it is of: `cpu,cpuacct`, or nothing for all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    controllers: String,
    path: String,
    dir: PathBuf,
}

/// Moves this whole process into the groups of the container's first process, and looks that it is there.
pub(super) fn enter() -> io::Result<()> {
    let theirs = of_the_first()?;
    for group in &theirs {
        fs::write(group.dir.join(MEMBERS), "0").map_err(|error| {
            let text = format!("joining the group {} of the container: {error}", group.dir.display());
            io::Error::new(error.kind(), text)
        })?;
    }
    if are_shared()? {
        Ok(())
    } else {
        Err(io::Error::other("it was moved into the groups of the container and is not there"))
    }
}

/// Whether this process is in all those groups, by the kernel's word.
pub(super) fn are_shared() -> io::Result<bool> {
    let ours = fs::read_to_string("/proc/self/cgroup")?;
    let unified = is_unified();
    Ok(of_the_first()?.iter().all(|group| {
        let here = wanted(&ours, unified).find(|(controllers, _)| *controllers == group.controllers);
        here.is_some_and(|(_, path)| path == group.path)
    }))
}

fn of_the_first() -> io::Result<Vec<Group>> {
    let groups = groups(&fs::read_to_string("/proc/1/cgroup")?, is_unified(), Path::new(ROOT));
    if groups.is_empty() {
        return Err(io::Error::other("the container is in no group that has a limit"));
    }
    Ok(groups)
}

/// What the groups count for all that is in them, the service and helpers alike.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Count {
    /// Processor time, in nanoseconds.
    pub(crate) processor: u64,
    /// Memory now, in bytes.
    pub(crate) memory: u64,
}

/// Reads it.
pub(super) fn count() -> io::Result<Count> {
    let groups = of_the_first()?;
    let read = |name: &str| {
        let text = groups.iter().find_map(|group| fs::read_to_string(group.dir.join(name)).ok());
        let told =
            || io::Error::new(io::ErrorKind::NotFound, format!("no group of the container has {name}"));
        text.ok_or_else(told)
    };
    let number = |name: &str| read(name)?.trim().parse::<u64>().map_err(io::Error::other);
    if !is_unified() {
        return Ok(Count { processor: number("cpuacct.usage")?, memory: number("memory.usage_in_bytes")? });
    }
    let micros = processor_time(&read("cpu.stat")?).ok_or(io::ErrorKind::InvalidData)?;
    Ok(Count { processor: micros.saturating_mul(1000), memory: number("memory.current")? })
}

/// In microseconds, of version 2.
fn processor_time(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("usage_usec ")?.trim().parse().ok())
}

/// Whether all controllers are in one hierarchy. Where there are some of each, those of version 1 have the limits.
fn is_unified() -> bool {
    fs::exists(Path::new(ROOT).join("cgroup.controllers")).unwrap_or(false)
}

/// The groups of a process and where they are, by its line for each.
fn groups(text: &str, unified: bool, root: &Path) -> Vec<Group> {
    let group = |(controllers, path): (&str, &str)| {
        // Hierarchies with several controllers are known by the name of each, too.
        let first = controllers.split(',').find(|name| WANTED.contains(name)).unwrap_or_default();
        let dir = root.join(first).join(path.trim_start_matches('/'));
        Group { controllers: controllers.into(), path: path.into(), dir }
    };
    wanted(text, unified).map(group).collect()
}

/// The controllers and the path of each line that is of interest.
fn wanted(text: &str, unified: bool) -> impl Iterator<Item = (&str, &str)> {
    text.lines().filter_map(move |line| {
        let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
        let ours = match controllers {
            "" => unified,
            _ => !unified && controllers.split(',').any(|name| WANTED.contains(&name)),
        };
        ours.then_some((controllers, path))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dirs(text: &str, unified: bool) -> Vec<String> {
        let found = groups(text, unified, Path::new("/g"));
        found.into_iter().map(|group| group.dir.display().to_string()).collect()
    }

    #[test]
    fn of_version_1_there_is_a_group_for_each_controller() {
        let text = "12:pids:/docker/a\n7:memory:/docker/a\n4:cpu,cpuacct:/docker/a\n3:blkio:/docker/a\n\
                    2:cpuset:/docker/a\n1:name=systemd:/docker/a\n0::/\n";
        assert_eq!(
            dirs(text, false),
            ["/g/memory/docker/a", "/g/cpu/docker/a", "/g/blkio/docker/a", "/g/cpuset/docker/a"]
        );
    }

    #[test]
    fn of_version_2_there_is_one() {
        assert_eq!(dirs("0::/system.slice/docker-a.scope\n", true), ["/g/system.slice/docker-a.scope"]);
        assert_eq!(dirs("1:name=systemd:/x\n0::/docker/a\n", true), ["/g/docker/a"], "and only that");
        assert!(dirs("0::/docker/a\n", false).is_empty(), "without controllers it limits nothing");
    }

    #[test]
    fn of_version_2_the_processor_time_is_in_a_table() {
        assert_eq!(processor_time("usage_usec 1500\nuser_usec 1000\n"), Some(1500));
        assert_eq!(processor_time("user_usec 1000\n"), None);
    }

    #[test]
    fn a_path_never_leads_above_the_root() {
        // What is outside of the reader's own view is named so.
        let out = dirs("4:cpu:/../a\n", false);
        assert_eq!(out, ["/g/cpu/../a"], "and is then not found, for it is not mounted");
    }
}
