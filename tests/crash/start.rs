//! Starting a victim in each of the ways in which people start tests.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use suite::victim;

use crate::built::{cargo, victims, without_runner};
use crate::proc::Process;
use crate::residue::{Family, Left, TAG, entries, ledgers};

/// How a victim is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// A program without a test harness.
    Program,
    /// One test of a libtest binary.
    Libtest,
    /// All families at a time, as tests in one process.
    LibtestAll,
    /// A test under nextest.
    Nextest,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Program => "program",
            Self::Libtest | Self::LibtestAll => "cargo test",
            Self::Nextest => "nextest",
        })
    }
}

/// A test that runs, and all that belongs to it.
pub(crate) struct Victim {
    started: Child,
    dir: tempfile::TempDir,
    pub(crate) family: Family,
}

/// How long anything that is waited for may take.
const PATIENCE: Duration = Duration::from_secs(60);

impl Victim {
    /// Starts that test; several words are several tests.
    pub(crate) fn start(way: Way, test: &str) -> Self {
        Self::start_with(way, test, &[])
    }

    /// Starts it with these variables set.
    pub(crate) fn start_with(way: Way, test: &str, variables: &[(&str, &str)]) -> Self {
        Self::start_in(tempfile::tempdir().expect("a folder"), way, test, variables)
    }

    /// Starts it in a folder that another one has left.
    pub(crate) fn start_in(dir: tempfile::TempDir, way: Way, test: &str, variables: &[(&str, &str)]) -> Self {
        let mut command = command(way, test);
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let tag = format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let output = File::create(dir.path().join("output")).expect("the folder can be written");
        command
            .env("CHAOS_TEST_DIR", dir.path().join("results"))
            .env("CHAOS_TEST_LOCK_DIR", dir.path().join("locks"))
            .env(victim::NOTES, dir.path().join("notes"))
            .env(TAG, &tag)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("a descriptor"))
            .stderr(output)
            .process_group(0);
        let started = command.spawn().expect("it can be started");
        let id = Process::of(started.id()).expect("it is not waited for yet").id;
        let mut family = Family::default();
        family.tag = tag;
        match way {
            Way::Nextest => family.spared.push(id),
            Way::Program | Way::Libtest | Way::LibtestAll => family.test = Some(id),
        }
        Self { started, dir, family }
    }

    /// Waits until the test process is there, which under nextest takes a while. False when there will be none.
    pub(crate) fn find_test(&mut self) -> bool {
        let runner = self.started.id();
        // While it is still nextest that is about to become the test, its arguments are nextest's.
        let is_test = |process: &Process| {
            let args = process.args();
            process.parent == runner
                && args.iter().any(|arg| arg == "--exact")
                && args.first().is_some_and(|program| program.contains("crash_victims"))
        };
        let found = |this: &mut Self| {
            if this.family.test.is_none() {
                this.family.test = Process::all().into_iter().find(is_test).map(|process| process.id);
            }
            this.family.test.is_some()
        };
        self.wait_for(found)
    }

    /// Waits until that is so; false when the victim has ended before.
    pub(crate) fn wait_for(&mut self, mut wanted: impl FnMut(&mut Self) -> bool) -> bool {
        let limit = Instant::now() + PATIENCE;
        loop {
            if wanted(self) {
                return true;
            }
            if self.has_ended() {
                return false;
            }
            assert!(Instant::now() < limit, "it does not get on: {}", self.output());
            std::thread::sleep(Duration::from_micros(300));
        }
    }

    /// Whether the test process has ended, or (before it is known) whoever was to start it.
    pub(crate) fn has_ended(&mut self) -> bool {
        match self.family.test {
            Some(test) => !test.runs(),
            None => self.started.try_wait().expect("it is our child").is_some(),
        }
    }

    /// Sends a signal to the test process.
    pub(crate) fn signal(&self, signal: Signal) {
        kill(self.test(), signal).expect("it is there until we wait for it");
    }

    /// Sends a signal to the process group of the test process.
    pub(crate) fn signal_group(&self, signal: Signal) {
        killpg(self.test(), signal).expect("it leads a group");
    }

    /// Sends a signal to what was started: under nextest that is nextest.
    pub(crate) fn signal_runner(&mut self, signal: Signal) {
        kill(Pid::from_raw(self.started.id() as i32), signal).expect("it is our child");
        if signal == Signal::SIGKILL {
            self.family.spared.clear();
        }
    }

    fn test(&self) -> Pid {
        Pid::from_raw(self.family.test.expect("it was found").pid as i32)
    }

    /// The phase that each of its tests said last it was in.
    pub(crate) fn phases(&self) -> Vec<String> {
        let mut last = BTreeMap::new();
        for line in self.notes().lines() {
            let mut words = line.split(' ').map(str::to_owned);
            if let (Some(phase), Some(test)) = (words.next(), words.next()) {
                last.insert(test, phase);
            }
        }
        last.into_values().collect()
    }

    /// Whether one of them was in that phase.
    pub(crate) fn was_in(&self, phase: &str) -> bool {
        self.notes().lines().any(|line| line.split(' ').next() == Some(phase))
    }

    fn notes(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("notes")).unwrap_or_default()
    }

    /// The entries of its ledger, and nothing if it has none.
    pub(crate) fn ledger(&self) -> Option<Vec<serde_json::Value>> {
        Some(ledgers(&self.results()).iter().flat_map(|path| entries(path)).collect())
            .filter(|_: &Vec<_>| !ledgers(&self.results()).is_empty())
    }

    pub(crate) fn results(&self) -> PathBuf {
        self.dir.path().join("results")
    }

    pub(crate) fn left(&mut self) -> Left {
        let results = self.results();
        self.family.left(&results)
    }

    /// Waits for what was started.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.started.wait().expect("it is our child")
    }

    /// Everything it wrote so far.
    pub(crate) fn output(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("output")).unwrap_or_default()
    }

    /// Its folder, for another one to be started in.
    pub(crate) fn into_dir(mut self) -> tempfile::TempDir {
        self.wait();
        let empty = tempfile::tempdir().expect("a folder");
        std::mem::replace(&mut self.dir, empty)
    }
}

impl Drop for Victim {
    /// A test of this suite that fails leaves no victim running.
    fn drop(&mut self) {
        if let Some(test) = self.family.test.filter(|test| test.runs()) {
            let _ = kill(Pid::from_raw(test.pid as i32), Signal::SIGKILL);
        }
        let _ = self.started.kill();
        let _ = self.started.wait();
    }
}

fn command(way: Way, test: &str) -> Command {
    match way {
        Way::Program => {
            let mut program = Command::new(env!("CARGO_BIN_EXE_victim"));
            program.args(test.split(' '));
            without_runner(&mut program);
            program
        }
        Way::Libtest | Way::LibtestAll => {
            let mut binary = Command::new(&victims().binary);
            binary.args(test.split(' ')).args(["--exact", "--nocapture", "--test-threads", "3"]);
            // As cargo would: it starts tests in the folder of their package.
            binary.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")));
            without_runner(&mut binary);
            binary
        }
        Way::Nextest => {
            let built = victims();
            let mut nextest = cargo();
            nextest.args(["nextest", "run", "--profile", "crash-victims", "--binaries-metadata"]);
            nextest.arg(&built.binaries_metadata).arg("--cargo-metadata").arg(&built.cargo_metadata);
            nextest.args(["-E", &format!("test(={test})")]);
            nextest
        }
    }
}
