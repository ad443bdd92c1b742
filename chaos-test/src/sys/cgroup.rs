//! The control groups of processes: who is in which, and how to enter another's.
#![allow(clippy::disallowed_methods, reason = "sys is where /proc and the cgroups are read and written")]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use nix::unistd::{AccessFlags, access};
use serde::{Deserialize, Serialize};

/// One control group, as one hierarchy has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Group {
    /// The controllers of its hierarchy, as `/proc/PID/cgroup` has them; empty in the unified one.
    pub(crate) controllers: String,
    /// Its path in the hierarchy.
    pub(crate) path: String,
    /// Where it is mounted.
    pub(crate) dir: PathBuf,
    /// The groups whose `cgroup.procs` must be writable to enter it.
    gates: Vec<PathBuf>,
}

/// The groups of a process in the hierarchies that have one of those controllers, of those this process is not in too.
pub(crate) fn apart(pid: u32, controllers: &[&str]) -> io::Result<Vec<Group>> {
    let ours = fs::read_to_string("/proc/self/cgroup")?;
    let theirs = fs::read_to_string(format!("/proc/{pid}/cgroup"))?;
    let mounts = fs::read_to_string("/proc/self/mountinfo")?;
    differing(&ours, &theirs, &mounts, controllers).ok_or_else(|| {
        io::Error::new(io::ErrorKind::NotFound, "its cgroup is not mounted where this process sees it")
    })
}

/// The same, of texts; nothing if one of the groups is not mounted.
fn differing(ours: &str, theirs: &str, mounts: &str, controllers: &[&str]) -> Option<Vec<Group>> {
    let ours = relevant(ours, controllers);
    let apart = relevant(theirs, controllers).into_iter().filter_map(|(names, path)| {
        let (_, own) = ours.iter().find(|(own, _)| *own == names)?;
        (*own != path).then_some((names, path, *own))
    });
    apart.map(|(names, path, own)| group(mounts, names, path, own)).collect()
}

/// The lines for hierarchies with one of those controllers: their controllers and the path. The unified hierarchy counts
/// for what no other has.
fn relevant<'t>(text: &'t str, controllers: &[&str]) -> Vec<(&'t str, &'t str)> {
    let wanted = |names: &str| names.split(',').any(|name| controllers.contains(&name));
    let first: Vec<_> = lines(text).filter(|(names, _)| wanted(names)).collect();
    if first.is_empty() { lines(text).filter(|(names, _)| names.is_empty()).collect() } else { first }
}

/// What `/proc/PID/cgroup` says: the controllers of a hierarchy, and the path in it.
fn lines(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.lines().filter_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        Some((fields.next()?, fields.next()?))
    })
}

fn group(mounts: &str, controllers: &str, path: &str, own: &str) -> Option<Group> {
    let (mount, root) = mounts.lines().find_map(|line| mounted(line, controllers))?;
    let on_disk = |path: &str| {
        let below = if root == "/" { path } else { path.strip_prefix(&root)? };
        Some(mount.join(below.trim_start_matches('/')))
    };
    let dir = on_disk(path)?;
    // Of the unified hierarchy the kernel wants both to be ours: the group, and the one that has both in it.
    let common: PathBuf = Path::new(path)
        .iter()
        .zip(Path::new(own))
        .take_while(|(one, other)| one == other)
        .map(|(one, _)| one)
        .collect();
    let mut gates = vec![dir.clone()];
    if controllers.is_empty() {
        gates.push(on_disk(common.to_str()?)?);
    }
    Some(Group { controllers: controllers.to_owned(), path: path.to_owned(), dir, gates })
}

/// Where a hierarchy is mounted and what of it, if that line of `mountinfo` is about it.
fn mounted(line: &str, controllers: &str) -> Option<(PathBuf, String)> {
    let (mount, source) = line.split_once(" - ")?;
    let mut mount = mount.split(' ').skip(3);
    let (root, at) = (mount.next()?, mount.next()?);
    let mut source = source.split(' ');
    let (kind, options) = (source.next()?, source.nth(1)?);
    let ours = match kind {
        "cgroup2" => controllers.is_empty(),
        "cgroup" => {
            !controllers.is_empty()
                && controllers.split(',').all(|name| options.split(',').any(|o| o == name))
        }
        _ => false,
    };
    ours.then(|| (PathBuf::from(at), root.to_owned()))
}

impl Group {
    /// Whether this user may put processes into it.
    ///
    /// # Errors
    /// The reason why not.
    pub(crate) fn may_enter(&self) -> io::Result<()> {
        let mut gates = self.gates.iter().map(|dir| dir.join("cgroup.procs"));
        gates.try_for_each(|gate| access(&gate, AccessFlags::W_OK).map_err(io::Error::from))
    }

    /// Puts a process into it.
    pub(crate) fn enter(&self, pid: u32) -> io::Result<()> {
        fs::write(self.dir.join("cgroup.procs"), pid.to_string())
    }

    /// Whether the kernel says that a process is in it.
    pub(crate) fn holds(&self, pid: u32) -> io::Result<bool> {
        let text = fs::read_to_string(format!("/proc/{pid}/cgroup"))?;
        let here = (self.controllers.as_str(), self.path.as_str());
        Ok(lines(&text).any(|found| found == here))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
30 25 0:26 / /sys/fs/cgroup/cpu rw,relatime shared:1 - cgroup cgroup rw,cpu
31 25 0:27 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset
32 25 0:28 /docker/a /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
33 25 0:29 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
";

    fn dirs(ours: &str, theirs: &str, controllers: &[&str]) -> Option<Vec<PathBuf>> {
        let found = differing(ours, theirs, MOUNTS, controllers)?;
        Some(found.into_iter().map(|group| group.dir).collect())
    }

    #[test]
    fn only_what_decides_and_differs_counts() {
        let ours = "3:cpuset:/\n2:memory:/docker/a\n1:cpu:/\n0::/\n";
        let theirs = "3:cpuset:/\n2:memory:/docker/a/b\n1:cpu:/x\n0::/y\n";
        assert_eq!(dirs(ours, theirs, &["cpu", "cpuset"]), Some(vec!["/sys/fs/cgroup/cpu/x".into()]));
        assert_eq!(dirs(ours, theirs, &["memory"]), Some(vec!["/sys/fs/cgroup/memory/b".into()]));
        assert_eq!(dirs(ours, ours, &["cpu", "memory"]), Some(Vec::new()));
        let elsewhere = "2:memory:/docker/z\n1:cpu:/\n";
        assert_eq!(dirs(ours, elsewhere, &["memory"]), None, "not in what is mounted here");
    }

    #[test]
    fn in_the_unified_hierarchy_the_common_ancestor_is_a_gate() {
        let found = differing("0::/a/b/c\n", "0::/a/d\n", MOUNTS, &["cpu"]).expect("it is mounted");
        let at = |path: &str| PathBuf::from("/sys/fs/cgroup/unified").join(path);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].dir, at("a/d"));
        assert_eq!(found[0].gates, [at("a/d"), at("a")]);
    }

    #[test]
    fn nobody_is_apart_from_oneself() {
        assert_eq!(apart(std::process::id(), &["cpu", "memory"]).expect("every process may look"), []);
    }
}
