//! What the services use is in the record, and what goes past a threshold is on the timeline.
#![allow(clippy::disallowed_methods, reason = "test code may use files")]

use chaos_test::model::{EventKind, Fault, Phase};
use chaos_test::prelude::*;

/// A service whose first process burns time in a child, writes through another, and serves in a third. It leaves little for
/// a prober, so that asks seldom.
fn busy() -> Process {
    let program = env!("CARGO_BIN_EXE_stub");
    let script = format!(
        "{program} --port $PORT & (while :; do :; done) & \
         while :; do dd if=/dev/zero of=$FILE bs=64k count=4 conv=fsync 2>/dev/null; sleep 0.1; done"
    );
    Process::new("sh").arg("-c").arg(script).ready(Probe::http("/").every(100.ms()))
}

#[tokio::test]
async fn what_a_service_and_its_children_use_is_in_the_record() {
    // Beside the program, so that it is on a disk and not in memory.
    let folder =
        tempfile::tempdir_in(std::path::Path::new(env!("CARGO_BIN_EXE_stub")).parent().unwrap()).unwrap();
    let file = folder.path().join("written").display().to_string();
    let fault = Fault::ContainerCrash { container: None, downtime: 1500.ms(), recovery_time_expected: None };
    let report = Experiment::fault(fault, 5.seconds())
        .expect("the built-in catalogue")
        .environment(move || {
            let idle = Process::cargo_bin("stub").args(["--port", "{port}"]);
            Environment::builder().process("app", busy().env("FILE", file)).process("idle", idle).start()
        })
        .baseline(3.seconds())
        .run()
        .await
        .expect("well formed");
    println!("{}", report.text());
    let of =
        |name: &str| report.trace.resources.iter().find(|found| found.service == name).expect("it is ours");
    let (app, idle) = (of("app"), of("idle"));
    let used = |phase| app.used_in(phase, &report.trace.marks).expect("each phase has samples");
    let normal = used(Phase::Baseline);
    // A child burns one processor; on a loaded host it gets less.
    assert!(normal.cpu > 0.2 && normal.cpu < 4.0, "{normal:?}");
    assert!(normal.resident > 1 << 20, "{normal:?}");
    // 256 KiB, ten times a second at most; a file system in memory writes nothing to storage.
    let io = std::fs::read_to_string("/proc/self/io").is_ok_and(|io| io.contains("write_bytes"));
    assert!(!io || normal.written >= 256 << 10, "{normal:?}");
    assert!(app.samples.iter().any(|sample| sample.processes >= 4), "{:?}", app.samples);
    assert!(app.samples.iter().any(|sample| sample.processes == 0 && sample.resident == 0), "it was down");
    assert!(app.samples.iter().all(|sample| sample.cpu >= 0.0 && sample.cpu < 64.0), "{:?}", app.samples);
    let quiet = idle.used_in(Phase::Baseline, &report.trace.marks).expect("it has samples");
    assert!(quiet.cpu < normal.cpu / 2.0 && quiet.resident > 1 << 20, "{quiet:?}");
    let text = report.text();
    assert!(text.contains("  usage      app: ") && text.contains("(baseline → chaos"), "{text}");
    // It was down for most of a health check's interval, which is past any threshold of errors, once.
    let alerts: Vec<&str> = report
        .trace
        .events
        .iter()
        .filter(|event| event.kind == EventKind::Alert && event.text.starts_with("app: "))
        .map(|event| event.text.as_str())
        .collect();
    assert_eq!(alerts.iter().filter(|alert| alert.contains("% bad in")).count(), 1, "{alerts:?}");
    assert!(text.contains("threshold 10 %"), "{text}");
}
