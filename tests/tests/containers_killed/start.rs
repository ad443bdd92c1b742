use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use chaos_test::inject::injector_for;
use chaos_test::prelude::*;
use chaos_test::testcontainers::core::{IntoContainerPort, Mount};
use chaos_test::testcontainers::{GenericImage, ImageExt};
use suite::docker::STUB;
use suite::told::{NOTES, Notes, PAUSE, Told, Watched};
use suite::{start_ticks, victim};

/// The families there are: what a helper does to packets, in the groups of a container and past its engine, and what the
/// engine does.
pub(crate) const FAMILIES: [&str; 7] = [
    "packet_delay",
    "cpu_exhaust",
    "memory_leak",
    "disk_stress",
    "database_down_hang",
    "container_crash",
    "service_recovery",
];

/// An experiment of that family on one of two containers, each with a volume.
pub(crate) fn experiment(family: &'static str, held: Duration) -> Experiment {
    let notes = Notes { family };
    notes.say("start");
    let fault = victim::fault(family, held);
    let injector = injector_for(&fault);
    let environment = move || async move {
        notes.say("environment");
        let stub = || {
            let image = GenericImage::new(STUB.0, STUB.1).with_exposed_port(8000.tcp());
            let image = image.with_mount(Mount::volume_mount("", "/data"));
            Container::of(image).ready(Probe::http("/").every(50.ms()).timeout(500.ms()))
        };
        let environment = Environment::builder()
            .container("db", stub())
            .container("app", stub().restart(Restart::OnFailure))
            .start()
            .await?;
        notes.say("baseline");
        Ok::<_, Error>(Watched { environment, notes })
    };
    Experiment::fault(fault, held)
        .expect("the catalogue is in order")
        .name(family)
        .environment(environment)
        .target("app")
        .injector(Told { inner: injector, notes })
        .baseline(1.seconds())
        .watch(300.ms())
        .progress(false)
}

/// A test of this program in a process of its own.
pub(crate) struct Victim {
    pub(crate) child: Child,
    /// What all its marks have in them.
    pub(crate) owner: String,
    folder: tempfile::TempDir,
}

impl Victim {
    pub(crate) fn start(family: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let output = File::create(folder.path().join("output")).expect("the folder can be written");
        let mut command = Command::new(std::env::current_exe().expect("this test"));
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("NEXTEST") || text.starts_with("CHAOS_TEST") {
                command.env_remove(&name);
            }
        }
        let child = command
            .args(["victim", "--exact", "--ignored", "--nocapture"])
            .env("VICTIM", family)
            .env("CHAOS_TEST_DIR", folder.path().join("results"))
            // Its own, so that one does not wait for another.
            .env("CHAOS_TEST_LOCK_DIR", folder.path().join("locks"))
            .env(NOTES, folder.path().join("notes"))
            .env(PAUSE, "15")
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("a descriptor"))
            .stderr(output)
            .spawn()
            .expect("it starts");
        let owner = format!("-{}-{}-", child.id(), start_ticks(child.id()));
        Self { child, owner, folder }
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("it is our child").is_some()
    }

    /// Waits until it says that it is in that phase; false when it has ended before.
    pub(crate) fn comes_to(&mut self, phase: &str) -> bool {
        let began = Instant::now();
        while !self.has_ended() {
            if self.phases().iter().any(|said| said == phase) {
                return true;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "it does not get on: {}", self.output());
            std::thread::sleep(Duration::from_millis(1));
        }
        false
    }

    /// The phases it has come to, in order.
    pub(crate) fn phases(&self) -> Vec<String> {
        let notes = std::fs::read_to_string(self.folder.path().join("notes")).unwrap_or_default();
        notes.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
    }

    /// Whether its reaper still has something to do.
    pub(crate) fn has_ledger(&self) -> bool {
        !self.of_its_runs(|name| name.starts_with("ledger-") && name.ends_with(".jsonl")).is_empty()
    }

    /// What its reaper has done, for whoever wants to know why something is left.
    pub(crate) fn output(&self) -> String {
        let mut files = vec![self.folder.path().join("output")];
        files.extend(self.of_its_runs(|name| name.contains("reap")));
        files.iter().map(|file| std::fs::read_to_string(file).unwrap_or_default()).collect()
    }

    fn of_its_runs(&self, wanted: impl Fn(&str) -> bool) -> Vec<PathBuf> {
        let runs = std::fs::read_dir(self.folder.path().join("results")).into_iter().flatten().flatten();
        let files = runs.flat_map(|run| std::fs::read_dir(run.path()).into_iter().flatten().flatten());
        files.filter(|entry| wanted(&entry.file_name().to_string_lossy())).map(|entry| entry.path()).collect()
    }
}

impl Drop for Victim {
    /// A test that fails leaves no victim running.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
