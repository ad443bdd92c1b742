//! What a victim says of itself while it runs: in which phase it is, a line each, so that it can be killed there.
//!
//! The lines go to the file `CHAOS_TEST_CRASH_NOTES`. Between the ledger and the act there is a moment's wait, so that those
//! moments can be hit.

use std::fs::File;
use std::io::Write;
use std::time::Duration;

use chaos_test::port::{
    BoxFuture, DynInjector, InjectError, ObserveError, Prepared, Presence, RevertError, RevertRecord,
    Support, Target,
};
use chaos_test::prelude::*;

/// Where the lines go.
pub const NOTES: &str = "CHAOS_TEST_CRASH_NOTES";
/// How long the moments between ledger and act are drawn out, in milliseconds.
pub const PAUSE: &str = "CHAOS_TEST_CRASH_PAUSE";

/// The notes of one victim.
#[derive(Debug, Clone, Copy)]
pub struct Notes {
    /// What it is about.
    pub family: &'static str,
}

impl Notes {
    /// It is in that phase now.
    pub fn say(self, phase: &str) {
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
pub struct Watched {
    /// The environment.
    pub environment: Environment,
    /// Where it says it.
    pub notes: Notes,
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
pub struct Told {
    /// The real one.
    pub inner: Box<dyn DynInjector>,
    /// Where it says it.
    pub notes: Notes,
}

impl DynInjector for Told {
    fn support(&self, fault: &Fault, target: &Target) -> Support {
        self.inner.support(fault, target)
    }

    fn prepare<'a>(
        &'a self,
        fault: &'a Fault,
        target: &'a Target,
        mechanism: &'a str,
    ) -> BoxFuture<'a, Result<Prepared, InjectError>> {
        self.inner.prepare(fault, target, mechanism)
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
