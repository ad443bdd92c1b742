//! Crashes of services that serve in a process which one of ours has started.

use chaos_test::prelude::*;
use chaos_test::report::Report;
use chaos_test::slo::Reason;

/// A crash of a service that a process of ours has started and put into a session of its own.
async fn crash_of_a_fork(how: &'static str) -> Report {
    let report = suite::carried_out(async || {
        Experiment::scenario("Application Container Restart")
            .unwrap()
            .environment(move || {
                let outer = Process::cargo_bin("stub").args(["--port", "{port}", "--fork", how]);
                Environment::builder().process("app", outer.ready(Probe::http("/"))).start()
            })
            .baseline(1.seconds())
            .duration(5.seconds())
            .name(how)
            .run()
            .await
            .expect("well formed")
    })
    .await;
    println!("{}", report.text());
    report
}

#[tokio::test]
async fn a_crash_takes_down_what_has_left_the_process_group() {
    let report = crash_of_a_fork("session").await;
    let outages = &report.judgement.streams[0].outages;
    assert_eq!(outages.len(), 1, "it was found by its mark, and was down");
    // All of it: the last lines are of the second one only. Its path counts from the workspace, or is whole.
    let file = report.services[0].log_file.clone().expect("it has a log");
    let places = [std::path::PathBuf::from(&file), std::path::Path::new("..").join(&file)];
    let log = places.iter().find_map(|path| std::fs::read_to_string(path).ok()).expect("it is there");
    let pids: Vec<&str> = log.lines().filter_map(|line| line.strip_prefix("stub serves in ")).collect();
    assert!(pids.len() >= 2, "the one that was crashed, and the one after it: {log}");
    let running = |pid: &str| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        !stat.is_empty() && !stat.contains(") Z ")
    };
    let left: Vec<&str> = pids.into_iter().filter(|pid| running(pid)).collect();
    assert!(left.is_empty(), "left running: {left:?}");
}

#[tokio::test]
async fn a_crash_takes_down_what_has_left_its_environment_as_well() {
    let report = crash_of_a_fork("bare").await;
    assert_eq!(report.judgement.streams[0].outages.len(), 1, "it was found by its parent, and was down");
    assert!(report.trace.residue.is_empty(), "{:?}", report.trace.residue);
}

#[tokio::test]
async fn a_crash_that_takes_nobody_down_is_not_proven() {
    // Nothing tells that the process that serves is one of ours: it goes on serving.
    let report = crash_of_a_fork("daemon").await;
    assert_eq!(report.judgement.label(), "Error(cleanup)", "{}", report.text());
    assert_eq!(report.judgement.apart_from_cleanup, Some(Verdict::Inconclusive), "{}", report.text());
    let reasons = &report.judgement.reasons;
    assert!(reasons.iter().any(|reason| matches!(reason, Reason::FaultNotDelivered(_))), "{reasons:?}");
    // Nor can the end of its environment end it, and the audit says so.
    assert!(
        report.trace.residue.iter().any(|left| left.contains("still listens")),
        "{:?}",
        report.trace.residue
    );
}
