//! Bounds beyond the usual five on a real run: endpoints, code of the test's own, throughput, and warnings.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "test code may start programs and read files"
)]

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use chaos_test::model::{Fault, StreamKind};
use chaos_test::prelude::*;
use chaos_test::report::Report;
use chaos_test::slo::{Evaluation, Indicator, judge};
use suite::{Answer, Scripted, Stub, VOID, at_once, unless_void};

async fn stub() -> Result<Environment, Error> {
    let app = Process::cargo_bin("stub").args(["--port", "{port}"]).ready(Probe::http("/").every(50.ms()));
    Environment::builder().process("app", app).start().await
}

/// A stub that follows a script once the fault is in place, and a body that asks it for the menu and then orders.
async fn shop(name: &str, script: Vec<(Duration, Answer)>) -> Experiment {
    let stub = Stub::start(0).await.expect("a free port");
    let fault =
        Fault::NetworkDelay { delay: 1.ms(), jitter: Duration::ZERO, bandwidth: None, interface: None };
    let url = stub.url();
    Experiment::fault(fault, 6.seconds())
        .expect("the built-in catalogue")
        .against(url)
        .injector(Scripted::new(stub, script))
        .abort_conditions(AbortConditions::default())
        .baseline(2.seconds())
        .watch(6.seconds())
        .name(name)
        .repeat_with(50.per_second(), |chaos| async move {
            let app = chaos.client("target");
            let menu = app.get("/menu/today?for=2").send().await.map(drop);
            let order = app.post("/orders").body("1 x tea").send().await.map(drop);
            menu.and(order)
        })
}

fn of<'r>(report: &'r Report, stream: &str, indicator: Indicator) -> &'r Evaluation {
    let mut all = report.judgement.evaluations.iter();
    all.find(|found| found.stream == stream && found.indicator == indicator).expect("it was judged")
}

fn percent(value: f64) -> Percent {
    Percent::new(value).expect("a percentage")
}

/// What is stored, read back and judged again.
fn judged_again(report: &Report) -> Report {
    let path = Path::new(report.path.as_ref().expect("it is kept"));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace is above");
    let found = [path.to_path_buf(), root.join(path)].into_iter().find(|path| path.is_file());
    let bytes = std::fs::read(found.expect("the record is there")).expect("it can be read");
    let read = Report::from_json(&bytes).expect("a record");
    assert_eq!(judge(&read.trace, &read.slo.objectives), report.judgement);
    read
}

async fn every_second_request_is_bad() {
    let report = unless_void(async || {
        shop("endpoints", vec![(Duration::ZERO, Answer::EveryNth(2))])
            .await
            // The body takes any answer. Of its two requests one is always bad: which, the instant of the injection says.
            .endpoint("GET /menu/{day}", Objective::ErrorRate(percent(40.0)))
            .endpoint("GET /menu/{day}", Objective::LatencyP95(5.seconds()))
            .endpoint("POST /orders", Objective::ErrorRate(percent(40.0)))
            .endpoint("POST /orders", Objective::LatencyP95(5.seconds()))
            .run()
            .await
            .expect("it is well formed")
    })
    .await;
    println!("{}", report.text());
    let errors = |endpoint| of(&report, endpoint, Indicator::EndpointErrorRate);
    let (mut well, mut bad) = ("GET /menu/{day}", "POST /orders");
    if errors(well).verdict == Verdict::Fail {
        (well, bad) = (bad, well);
    }
    assert_eq!(errors(well).verdict, Verdict::Pass);
    assert_eq!(of(&report, well, Indicator::EndpointLatencyP95).verdict, Verdict::Pass);
    assert_eq!(errors(bad).verdict, Verdict::Fail);
    assert_eq!(of(&report, "body", Indicator::ErrorRate).verdict, Verdict::Pass);
    assert_eq!(report.verdict(), Verdict::Fail);
    assert!(report.headline().contains(&format!(": error rate of {bad} ")), "{}", report.headline());
    // Each request is in the stream of all of them, and in that of its endpoint.
    let streams = &report.trace.streams;
    let count = |kind| streams.iter().filter(|s| s.kind == kind).map(|s| s.samples.len()).sum::<usize>();
    assert_eq!(count(StreamKind::Request), count(StreamKind::Endpoint));
    judged_again(&report);
}

async fn nobody_asks_for_the_stock() {
    let report = unless_void(async || {
        shop("an endpoint nobody asks", vec![(Duration::ZERO, Answer::Well)])
            .await
            .endpoint("GET /stock", Objective::ErrorRate(percent(5.0)))
            .run()
            .await
            .expect("it is well formed")
    })
    .await;
    assert_eq!(report.judgement.label(), "Inconclusive(no samples)", "{}", report.text());
    assert!(report.headline().contains("no request to GET /stock"), "{}", report.headline());
    assert!(!report.passed());
}

async fn code_of_the_tests_own() {
    let report = unless_void(async || {
        shop("custom objectives", vec![(Duration::ZERO, Answer::Well)])
            .await
            .custom_objective("everybody is served", |samples: &Samples| {
                let body = samples.stream("body")?;
                match body.in_phase(Phase::Chaos).count() {
                    0 => Err("nothing was sent".into()),
                    _ => Ok(()),
                }
            })
            .custom_objective("nobody is served", |samples: &Samples| {
                let good = samples.stream("body")?.all().iter().filter(|sample| sample.is_good()).count();
                if good == 0 { Ok(()) } else { Err(format!("{good} were")) }
            })
            .custom_objective("a misspelt stream", |samples: &Samples| samples.stream("bdy").map(drop))
            .custom_objective("a slip", |_: &Samples| panic!("as it should"))
            .run()
            .await
            .expect("it is well formed")
    })
    .await;
    println!("{}", report.text());
    assert_eq!(report.verdict(), Verdict::Fail);
    let verdict = |name| of(&report, name, Indicator::Custom).verdict;
    assert_eq!(verdict("everybody is served"), Verdict::Pass);
    for broken in ["nobody is served", "a misspelt stream", "a slip"] {
        assert_eq!(verdict(broken), Verdict::Fail, "{broken}");
    }
    let why = |name| of(&report, name, Indicator::Custom).note.clone().unwrap_or_default();
    assert!(why("a slip").starts_with("panicked at ") && why("a slip").ends_with(": as it should"));
    assert_eq!(
        why("a misspelt stream"),
        "no samples of \"bdy\": the streams of this run are \"requests\", \"body\""
    );
    assert_eq!(judged_again(&report).trace.custom.len(), 4);
}

#[tokio::test]
async fn endpoints_and_code_of_ones_own_are_judged() {
    let runs: [std::pin::Pin<Box<dyn Future<Output = ()>>>; 3] = [
        Box::pin(every_second_request_is_bad()),
        Box::pin(nobody_asks_for_the_stock()),
        Box::pin(code_of_the_tests_own()),
    ];
    at_once(runs).await;
}

#[tokio::test]
async fn what_cannot_be_judged_is_refused_before_anything_is_injected() {
    let refused = async |experiment: Experiment| experiment.run().await.expect_err("a refusal").to_string();
    let shop = || shop("refused", Vec::new());
    let floor = |rate: u32| Objective::Throughput(rate.per_second());
    let error = refused(shop().await.objective(floor(60))).await;
    assert!(error.contains("asks for 60/s, and the body is repeated 50 times a second"), "{error}");
    let error = refused(shop().await.objective(Objective::ErrorRate(percent(0.0)))).await;
    assert!(error.contains("`max_error_rate_percent` is 0"), "{error}");
    let error = refused(shop().await.endpoint("POST /orders", Objective::ErrorRate(percent(0.0)))).await;
    assert!(error.contains("`max_error_rate_percent` is 0"), "{error}");
    let error = refused(shop().await.warn(floor(50))).await;
    assert!(error.contains("Ask for less than 50/s"), "{error}");
    let error = refused(shop().await.endpoint("orders", Objective::ErrorRate(percent(1.0)))).await;
    assert!(error.contains("expected a method and a path such as \"POST /orders\""), "{error}");
    let error = refused(shop().await.endpoint("POST /orders", Objective::RecoveryTime(1.seconds()))).await;
    assert!(error.contains("is no bound of an endpoint (POST /orders)"), "{error}");
    let error = refused(shop().await.custom_objective(" ", |_: &Samples| Ok(()))).await;
    assert!(error.contains("give it a name"), "{error}");
    let bodiless = Experiment::scenario("Light Network Delay").expect("it is built in");
    let bodiless = bodiless.environment(stub).endpoint("POST /orders", Objective::ErrorRate(percent(1.0)));
    let error = refused(bodiless).await;
    assert!(error.contains("the experiment no body"), "{error}");
}

/// 50 ms more are no breach, and a warning says so.
#[chaos_test(
    scenario = "Light Network Delay",
    catalogue = "tests/bounds.yml",
    slo = "dev",
    environment = stub,
    duration = "10s",
    baseline = "2s"
)]
async fn slower_and_well() {}

/// The test above once more, as a runner starts it.
#[test]
fn a_warning_stands_on_standard_error_of_a_test_that_passes() {
    let once = |n: u32| {
        Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "slower_and_well::light_network_delay", "--nocapture"])
            // A run of its own: its record is not that of the test above.
            .env("CHAOS_TEST_RUN_ID", format!("warned-{}-{n}", std::process::id()))
            .output()
            .expect("it is started")
    };
    let void = |run: &std::process::Output| {
        let told = String::from_utf8_lossy(&run.stderr);
        VOID.iter().any(|label| told.contains(label))
    };
    let run = (0..=3).map(once).find(|run| !void(run)).expect("this host is too busy for any run");
    let (out, err) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    println!("{err}");
    assert!(run.status.success(), "{out}\n{err}");
    assert!(
        err.contains("held under \"Light Network Delay\", with a warning: p95 latency degradation "),
        "{err}"
    );
    let row = err.lines().find(|line| line.contains("p95 degradation, warning")).expect("a row of its own");
    assert!(row.contains("≤ 20 ms") && row.contains("WARNING"), "{row}");
}
