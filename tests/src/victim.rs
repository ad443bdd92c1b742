//! A short experiment that is there to be killed, and says where it is while it runs.
//!
//! The fault is the real one. Around it a wrapper writes a line per phase to the file `CHAOS_TEST_CRASH_NOTES`, and waits
//! a moment between the ledger and the act, so that those moments can be hit.

use std::fs::File;
use std::io::Write;
use std::num::NonZeroU32;
use std::time::Duration;

use chaos_test::inject::injector_for;
use chaos_test::port::{
    BoxFuture, DynInjector, InjectError, ObserveError, Prepared, Presence, RevertError, RevertRecord,
    Support, Target,
};
use chaos_test::prelude::*;
use chaos_test::report::Report;

/// Where the lines go.
pub const NOTES: &str = "CHAOS_TEST_CRASH_NOTES";
/// How long the moments between ledger and act are drawn out, in milliseconds.
pub const PAUSE: &str = "CHAOS_TEST_CRASH_PAUSE";

/// The families there are.
pub const FAMILIES: [&str; 3] = ["cpu_exhaust", "network_delay", "container_crash"];

/// How long the chaos phase is.
pub const CHAOS: Duration = Duration::from_millis(700);

fn fault(family: &str, held: Duration) -> Fault {
    match family {
        "cpu_exhaust" => Fault::CpuExhaust { workers: NonZeroU32::MIN },
        "network_delay" => {
            Fault::NetworkDelay { delay: Duration::from_millis(20), jitter: Duration::ZERO, interface: None }
        }
        "container_crash" => {
            Fault::ContainerCrash { container: None, downtime: held, recovery_time_expected: None }
        }
        _ => panic!("{family} is not one of {FAMILIES:?}"),
    }
}

/// An experiment of that family on a service with a process tree: its child has a session of its own.
pub fn experiment(family: &'static str, held: Duration) -> Experiment {
    let notes = Notes { family };
    notes.say("start");
    let fault = fault(family, held);
    let injector = injector_for(&fault).expect("this family has an injector");
    let environment = move || async move {
        notes.say("environment");
        let stub = Process::cargo_bin("stub").args(["--port", "{port}", "--fork", "session"]);
        let probe = Probe::http("/").every(30.ms()).timeout(500.ms());
        // And one that its mark does not lead to.
        let bare = Process::cargo_bin("stub").args(["--port", "{port}", "--fork", "scrub"]);
        let environment =
            Environment::builder().process("app", stub.ready(probe)).process("bare", bare).start().await?;
        notes.say("baseline");
        Ok::<_, Error>(Watched { environment, notes })
    };
    Experiment::fault(fault, held)
        .expect("the catalogue is in order")
        .name(family)
        .environment(environment)
        .injector(Told { inner: injector, notes })
        .baseline(900.ms())
        .watch(300.ms())
        .progress(false)
}

/// Runs it to its end.
pub async fn run(family: &'static str) -> Result<Report, Error> {
    let report = experiment(family, CHAOS).run().await;
    Notes { family }.say("over");
    report
}

#[derive(Clone, Copy)]
struct Notes {
    family: &'static str,
}

impl Notes {
    fn say(self, phase: &str) {
        let Some(path) = std::env::var_os(NOTES) else { return };
        let file = File::options().create(true).append(true).open(path);
        let line = format!("{phase} {} {}\n", self.family, std::process::id());
        // A disk that takes nothing is one of the things a victim is put through.
        let _ = file.and_then(|mut file| file.write_all(line.as_bytes()));
    }

    async fn pause(self) {
        tokio::time::sleep(pause()).await;
    }
}

fn pause() -> Duration {
    let asked = std::env::var(PAUSE).ok().and_then(|text| text.parse().ok());
    Duration::from_millis(asked.unwrap_or(0))
}

/// An environment that says when it ends.
struct Watched {
    environment: Environment,
    notes: Notes,
}

impl AsEnvironment for Watched {
    fn environment(&self) -> &Environment {
        &self.environment
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.notes.say("end");
        std::thread::sleep(pause());
    }
}

/// An injector that says what it is about to do.
struct Told {
    inner: Box<dyn DynInjector>,
    notes: Notes,
}

impl DynInjector for Told {
    fn support(&self, fault: &Fault, target: &Target) -> Support {
        self.inner.support(fault, target)
    }

    fn prepare<'a>(
        &'a self,
        fault: &'a Fault,
        target: &'a Target,
    ) -> BoxFuture<'a, Result<Prepared, InjectError>> {
        self.inner.prepare(fault, target)
    }

    fn inject<'a>(&'a self, prepared: &'a Prepared) -> BoxFuture<'a, Result<(), InjectError>> {
        Box::pin(async move {
            self.notes.say("owed");
            self.notes.pause().await;
            self.notes.say("inject");
            let injected = self.inner.inject(prepared).await;
            self.notes.pause().await;
            self.notes.say("chaos");
            injected
        })
    }

    fn observe<'a>(&'a self, record: &'a RevertRecord) -> BoxFuture<'a, Result<Presence, ObserveError>> {
        self.inner.observe(record)
    }

    fn revert<'a>(&'a self, record: &'a RevertRecord) -> BoxFuture<'a, Result<(), RevertError>> {
        Box::pin(async move {
            self.notes.say("undo");
            self.notes.pause().await;
            let reverted = self.inner.revert(record).await;
            self.notes.say("undone");
            self.notes.pause().await;
            reverted
        })
    }
}
