//! `/proc`, read by this suite itself: what it finds must not depend on the code under test.

use std::fs;
use std::path::Path;

/// A process, named for good: its number and when it was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Id {
    pub(crate) pid: u32,
    pub(crate) ticks: u64,
}

/// What one look at a process says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Process {
    pub(crate) id: Id,
    pub(crate) parent: u32,
    state: char,
}

impl Process {
    /// The process of that number, if there is one.
    pub(crate) fn of(pid: u32) -> Option<Self> {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name may hold anything, so fields are counted from its end: the state is the third of all.
        let fields: Vec<&str> = text.rsplit_once(") ")?.1.split_ascii_whitespace().collect();
        Some(Self {
            id: Id { pid, ticks: fields.get(19)?.parse().ok()? },
            parent: fields.get(1)?.parse().ok()?,
            state: fields.first()?.chars().next()?,
        })
    }

    /// All there are.
    pub(crate) fn all() -> Vec<Self> {
        let entries = fs::read_dir("/proc").expect("/proc is mounted").flatten();
        entries.filter_map(|entry| Self::of(entry.file_name().to_str()?.parse().ok()?)).collect()
    }

    /// Whether it has not ended. Its first thread may have while others go on.
    pub(crate) fn runs(&self) -> bool {
        !matches!(self.state, 'Z' | 'X')
            || fs::read_dir(format!("/proc/{}/task", self.id.pid)).is_ok_and(|tasks| tasks.count() > 1)
    }

    /// Its command line.
    pub(crate) fn args(&self) -> Vec<String> {
        strings(Path::new(&format!("/proc/{}/cmdline", self.id.pid)))
    }

    /// The environment it was started with.
    pub(crate) fn environ(&self) -> Vec<String> {
        strings(Path::new(&format!("/proc/{}/environ", self.id.pid)))
    }
}

impl Id {
    /// Whether exactly this process still runs.
    pub(crate) fn runs(self) -> bool {
        Process::of(self.pid).is_some_and(|process| process.id == self && process.runs())
    }
}

fn strings(path: &Path) -> Vec<String> {
    let bytes = fs::read(path).unwrap_or_default();
    let words = bytes.split(|byte| *byte == 0).filter(|word| !word.is_empty());
    words.map(|word| String::from_utf8_lossy(word).into_owned()).collect()
}

/// The TCP ports on which somebody listens.
pub(crate) fn listening() -> Vec<u16> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|path| fs::read_to_string(path).unwrap_or_default());
    let port = |line: &str| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        // 0A: it listens.
        let local = (*fields.get(3)? == "0A").then(|| fields.get(1))??;
        u16::from_str_radix(local.rsplit_once(':')?.1, 16).ok()
    };
    tables.iter().flat_map(|table| table.lines().skip(1).filter_map(port)).collect()
}
