//! A control group of the test's own, and a service in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::stress;

/// A group of one hierarchy that is removed when this is dropped.
pub struct OwnGroup {
    dir: PathBuf,
}

impl OwnGroup {
    /// Below the group this test is in, in the hierarchy of that controller; nothing where that is not permitted.
    pub fn below(controller: &str) -> Option<Self> {
        let made = Self::make(controller);
        stress::has("cgroup", made.as_ref().err().cloned()).then_some(())?;
        made.ok()
    }

    fn make(controller: &str) -> Result<Self, String> {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let ours = fs::read_to_string("/proc/self/cgroup").map_err(|error| error.to_string())?;
        let place = ours.lines().find_map(|line| {
            let mut fields = line.splitn(3, ':').skip(1);
            let (names, path) = (fields.next()?, fields.next()?);
            names.split(',').any(|name| name == controller).then_some((names, path))
        });
        let (names, path) = place.ok_or(format!("no hierarchy of the first version with {controller}"))?;
        let parent = Path::new("/sys/fs/cgroup").join(names).join(path.trim_start_matches('/'));
        let dir = parent.join(format!(
            "chaos-test-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        ));
        fs::create_dir(&dir).map_err(|error| format!("{}: {error}", dir.display()))?;
        Ok(Self { dir })
    }

    /// Writes one of its files.
    pub fn set(&self, file: &str, value: &str) {
        fs::write(self.dir.join(file), value).expect("it is ours");
    }

    /// Reads one of its files that has one number in it.
    pub fn figure(&self, file: &str) -> u64 {
        let text = fs::read_to_string(self.dir.join(file)).expect("it is ours");
        text.trim().parse().expect("a number")
    }

    /// Puts a process into it.
    pub fn take(&self, pid: u32) {
        self.set("cgroup.procs", &pid.to_string());
    }

    /// Whether a process is in it, by its own list.
    pub fn has(&self, pid: u32) -> bool {
        let list = fs::read_to_string(self.dir.join("cgroup.procs")).expect("it is ours");
        list.lines().any(|line| line == pid.to_string())
    }
}

impl Drop for OwnGroup {
    fn drop(&mut self) {
        // A process that was killed a moment ago may still be counted.
        for _ in 0..100 {
            if fs::remove_dir(&self.dir).is_ok() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        panic!("{} cannot be removed", self.dir.display());
    }
}
