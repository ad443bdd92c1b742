//! A real Redis crashes and hangs. Where it is not installed (Debian: `apt-get install redis-server`) these tests say so and
//! do nothing, unless `CHAOS_TEST_REQUIRE` names `redis`.
#![allow(clippy::disallowed_methods, reason = "a server has to be looked for before it can be started")]

use std::net::SocketAddr;
use std::path::PathBuf;

use chaos_test::model::{OutageMode, Outcome};
use chaos_test::prelude::*;
use chaos_test::report::Report;
use chaos_test::slo::{Indicator, RecoveryTime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Where Redis is; without it, says so.
fn redis_or_skip() -> Option<PathBuf> {
    let found = PathBuf::from("/usr/bin/redis-server");
    if found.is_file() {
        return Some(found);
    }
    let required = std::env::var("CHAOS_TEST_REQUIRE").unwrap_or_default();
    assert!(
        !required.split(',').any(|name| name.trim() == "redis"),
        "redis is required: no /usr/bin/redis-server"
    );
    eprintln!("SKIPPED: this host has no redis: no /usr/bin/redis-server");
    None
}

/// A question and its answer, as any client of Redis would have them.
async fn ping(at: SocketAddr) -> Result<(), String> {
    let asked = async {
        let mut stream = TcpStream::connect(at).await?;
        stream.write_all(b"*1\r\n$4\r\nPING\r\n").await?;
        let mut answer = [0; 7];
        stream.read_exact(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    match asked.await {
        Ok(answer) if &answer == b"+PONG\r\n" => Ok(()),
        Ok(answer) => Err(format!("it said {:?}", String::from_utf8_lossy(&answer))),
        Err(error) => Err(error.to_string()),
    }
}

async fn outage(program: PathBuf, mode: OutageMode) -> Report {
    suite::unless_void(async || tried(program.clone(), mode).await).await
}

async fn tried(program: PathBuf, mode: OutageMode) -> Report {
    let data = tempfile::tempdir().expect("a folder");
    let dir = data.path().to_owned();
    let fault = Fault::DatabaseDown { database: Some("redis".into()), mode, recovery_time_expected: None };
    let report = Experiment::fault(fault, 3.seconds())
        .expect("the built-in catalogue")
        .name(format!("redis {mode:?}"))
        .environment(move || {
            let probe = Probe::custom(ping).every(50.ms()).timeout(500.ms());
            let redis = Process::new(program)
                .args(["--port", "{port}", "--bind", "{host}", "--save", "", "--appendonly", "no"])
                .dir(dir)
                .ready(probe);
            Environment::builder().process("redis", redis).start()
        })
        .baseline(1.seconds())
        .objective(Objective::ErrorRate(Percent::new(100.0).expect("a percentage")))
        .objective(Objective::Availability(Percent::new(0.0).expect("a percentage")))
        // What is not answered takes as long as the probe's patience.
        .objective(Objective::LatencyDegradation(5.seconds()))
        .objective(Objective::RecoveryTime(5.seconds()))
        .run()
        .await
        .expect("well formed");
    println!("{}\n", report.text());
    report
}

/// Nothing but the outage, and then all as before. (While all of it is away nothing answers, and there is no latency to
/// judge; so the verdict is not a pass.)
fn assert_down_and_back(report: &Report, saw: Outcome) {
    let judgement = &report.judgement;
    assert!(judgement.broken().is_empty() && !judgement.is_void(), "{}", report.text());
    let recovery = judgement.evaluations.iter().find(|found| found.indicator == Indicator::RecoveryTime);
    assert_eq!(recovery.map(|recovery| recovery.verdict), Some(Verdict::Pass), "{}", report.text());
    let redis = &judgement.streams[0];
    assert!(matches!(redis.recovery_time, Some(RecoveryTime::After(_))), "{}", report.text());
    assert_eq!(redis.outages.len(), 1, "{}", report.text());
    let down = redis.outages[0].end.expect("it ended") - redis.outages[0].start;
    assert!(down >= 2.seconds(), "down for {down:?} only");
    let bad: Vec<Outcome> = report.trace.streams[0].samples.iter().map(|sample| sample.outcome).collect();
    let (seen, others) = (
        bad.iter().filter(|outcome| **outcome == saw).count(),
        bad.iter().filter(|outcome| ![saw, Outcome::Good].contains(outcome)).count(),
    );
    assert!(seen > 5 * others, "{seen} × {saw}, and {others} others");
    assert!(report.trace.residue.is_empty(), "{:?}", report.trace.residue);
}

#[tokio::test]
async fn a_redis_that_crashes() {
    let Some(program) = redis_or_skip() else { return };
    let report = outage(program, OutageMode::Crash).await;
    // A connection opens and ends: the door stays where it is.
    assert_down_and_back(&report, Outcome::Failed);
}

#[tokio::test]
async fn a_redis_that_hangs() {
    let Some(program) = redis_or_skip() else { return };
    let report = outage(program, OutageMode::Hang).await;
    assert_down_and_back(&report, Outcome::Timeout);
}
