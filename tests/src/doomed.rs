//! A test process that does not come to a good end: `doomed FLAG how`. Its fault is the file FLAG. It tells the process
//! of its service, and when the fault is in.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "a program of the tests")]

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use chaos_test::model::Fault;
use chaos_test::port::{
    Dose, InjectError, Injector, ObserveError, Prepared, Presence, RevertError, RevertRecord, Support, Target,
};
use chaos_test::prelude::*;

struct Flag(PathBuf);

impl Injector for Flag {
    fn support(&self, _fault: &Fault, _target: &Target) -> Support {
        Support::yes("flag")
    }
    async fn prepare(
        &self,
        _fault: &Fault,
        target: &Target,
        _mechanism: &str,
    ) -> Result<Prepared, InjectError> {
        let id = format!("flag-{}", std::process::id());
        Ok(Prepared::new(RevertRecord::new(id, "flag", &target.service), "flag", "a flag"))
    }
    async fn inject(&self, _prepared: &Prepared) -> Result<(), InjectError> {
        std::fs::write(&self.0, "up").map_err(|error| InjectError(error.to_string()))
    }
    async fn observe(&self, _record: &RevertRecord) -> Result<Presence, ObserveError> {
        Ok(Presence::of(Dose::new(1.0, f64::from(u8::from(self.0.exists())))))
    }
    async fn revert(&self, _record: &RevertRecord) -> Result<(), RevertError> {
        std::fs::remove_file(&self.0).map_err(|error| RevertError(error.to_string()))
    }
}

/// From the first look under the fault on, it blocks its thread for a minute.
fn blind(flag: PathBuf) -> Probe {
    Probe::custom(move |_| {
        if flag.exists() {
            std::thread::sleep(Duration::from_secs(60));
        }
        async { Ok(()) }
    })
}

async fn service(blind: Option<Probe>) -> Result<Environment, Error> {
    // Looks so seldom that a busy machine is no reason for a baseline that is late.
    let probe = || Probe::http("/").every(100.ms());
    let stub = Process::cargo_bin("stub").args(["--port", "{port}"]).ready(probe());
    let environment = Environment::builder().process("app", stub);
    let measured = blind.unwrap_or_else(|| probe().into()).every(100.ms());
    let environment = environment.probe("app", measured).start().await?;
    println!("service {}", environment.services()[0].pid().expect("it runs"));
    Ok(environment)
}

/// Whether the record of its one run is there, and no pending one.
fn is_recorded(folder: &Path) -> bool {
    let files = std::fs::read_dir(folder).expect("the run has a folder");
    let names: Vec<String> =
        files.map(|file| file.expect("it can be read").file_name().to_string_lossy().into_owned()).collect();
    let is_record = |name: &String| name.ends_with(".json") && name != "run.json" && !name.starts_with('.');
    names.iter().any(is_record) && !names.iter().any(|name| name.ends_with(".pending.json"))
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut args = std::env::args().skip(1);
    let (flag, how) = (args.next().expect("a flag"), args.next().expect("how it ends"));
    let probe = (how == "blind").then(|| blind(PathBuf::from(&flag)));
    let experiment = Experiment::fault(
        Fault::NetworkDelay { delay: 1.ms(), jitter: Duration::ZERO, bandwidth: None, interface: None },
        if how == "wait" || how == "blind" { 60.seconds() } else { 2.seconds() },
    )
    .expect("the built-in catalogue")
    .environment(move || service(probe))
    .injector(Flag(Path::new(&flag).to_path_buf()))
    .baseline(3.seconds())
    .watch(2.seconds())
    .name(how.clone());
    let dir = std::env::var_os("CHAOS_TEST_DIR").map(PathBuf::from).expect("where its records go");
    let (begun, is_in) = tokio::sync::oneshot::channel::<()>();
    let begun = Mutex::new(Some(begun));
    let run = experiment.body(move |chaos| {
        println!("in");
        drop(begun.lock().expect("nobody panics while holding it").take());
        let (blocks, lingers) = (how == "block", how == "linger");
        async move {
            if lingers {
                chaos.until(Phase::Recovered).await;
                println!("watched");
            }
            // A mistake that people make: this takes the thread that the test has.
            if blocks {
                std::thread::sleep(Duration::from_secs(600));
            }
            std::future::pending::<()>().await
        }
    });
    if flag.ends_with("dropped") {
        tokio::select! {
            _ = run.run() => panic!("it takes a minute"),
            _ = is_in => {}
        }
        // The harness's threads have it now.
        while !is_recorded(&dir.join("run")) {
            tokio::time::sleep(10.ms()).await;
        }
    } else {
        let report = run.run().await.expect("well formed");
        println!("over: {}", report.headline());
    }
}
