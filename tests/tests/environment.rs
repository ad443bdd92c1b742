//! Environments: processes that start, fail to start, end; several services; one address through a crash.
#![allow(clippy::disallowed_methods, reason = "test code may look at processes")]

use chaos_test::prelude::*;
use suite::unless_void;

fn stub() -> Process {
    Process::cargo_bin("stub").args(["--port", "{port}"])
}

fn message<T: std::fmt::Debug>(outcome: Result<T, Error>) -> String {
    let error = outcome.expect_err("it cannot start");
    println!("{error}\n");
    error.to_string()
}

#[tokio::test]
async fn a_service_is_ready_when_it_says_so() {
    let environment = Environment::builder()
        .process("late", stub().args(["--late", "300ms"]).ready(Probe::http("/")))
        .env("late", "GREETING", |env| env.url_for("late", "hello from {host}:{port}"))
        .start()
        .await
        .expect("it starts");
    let late = environment.service("late").unwrap();
    let answer = reqwest::get(late.url()).await.expect("it is ready").text().await.unwrap();
    assert_eq!(answer, "ok");
    let log = late.log_tail(5).join("\n");
    assert!(log.contains(&format!("GREETING=hello from {}", late.address())), "{log}");
}

#[tokio::test]
async fn what_it_started_ends_with_it() {
    let environment = Environment::builder().process("app", stub()).start().await.expect("it starts");
    let pid = environment.service("app").unwrap().pid().expect("it runs");
    assert!(std::path::Path::new(&format!("/proc/{pid}")).exists());
    drop(environment);
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists(), "the process is gone, and waited for");
}

#[tokio::test]
async fn what_has_lost_its_environment_ends_with_it_too() {
    let scrubbed = stub().args(["--fork", "scrub"]);
    let environment = Environment::builder().process("app", scrubbed).start().await.expect("it starts");
    let (pid, port) = {
        let service = environment.service("app").unwrap();
        (service.pid().expect("it runs"), service.direct_address())
    };
    let environ = std::fs::read(format!("/proc/{pid}/environ")).expect("it is ours");
    assert!(environ.is_empty(), "nothing in it leads to us");
    drop(environment);
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists(), "the process is gone, and waited for");
    std::net::TcpListener::bind(port).expect("nobody listens there any more");
}

#[tokio::test]
async fn a_port_is_free_once_its_environment_has_ended() {
    for _ in 0..20 {
        // It serves in a process of several threads that is no child of ours.
        let forked = stub().args(["--fork", "session"]).ready(Probe::http("/").every(10.ms()));
        let environment = Environment::builder().process("app", forked).start().await.expect("it starts");
        let port = environment.service("app").unwrap().direct_address();
        drop(environment);
        std::net::TcpListener::bind(port).expect("nobody listens there any more");
    }
}

#[tokio::test]
async fn a_service_stays_down_once_its_environment_has_ended() {
    let environment = Environment::builder().process("app", stub()).start().await.expect("it starts");
    let control = environment.service("app").unwrap().target().process.expect("it is a process of ours");
    control.kill().expect("it can be killed");
    assert_eq!(control.pid(), None);
    control.respawn().expect("it can be started again");
    let pid = control.pid().expect("it runs again");
    // Whoever still owes the service a new start (a run that was dropped in the middle of a crash) must not give it one.
    drop(environment);
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists(), "it ended with its environment");
    control.respawn().expect("nothing to do");
    assert_eq!(control.pid(), None);
}

#[tokio::test]
async fn a_service_that_something_else_has_waited_for_is_down_and_can_be_started_again() {
    use nix::sys::{signal, wait};
    let environment = Environment::builder().process("app", stub()).start().await.expect("it starts");
    let control = environment.service("app").unwrap().target().process.expect("it is a process of ours");
    let first = control.pid().expect("it runs");
    let process = nix::unistd::Pid::from_raw(i32::try_from(first).expect("a pid"));
    signal::kill(process, signal::Signal::SIGKILL).expect("it is ours");
    // A body may wait for all children there are, as an init does.
    wait::waitpid(process, None).expect("it is our child");
    assert_eq!(control.pid(), None, "whoever has that number now");
    control.respawn().expect("it can be started again");
    let second = control.pid().expect("it runs again");
    drop(environment);
    assert!(!std::path::Path::new(&format!("/proc/{second}")).exists(), "it ended with its environment");
}

#[tokio::test]
async fn a_service_that_cannot_start_says_why() {
    let missing = Environment::builder().process("app", Process::new("/no/such/program")).start().await;
    let text = message(missing);
    assert!(text.contains("starting app: /no/such/program") && text.contains("No such file"), "{text}");

    let unbuilt = Environment::builder().process("app", Process::cargo_bin("stubb")).start().await;
    let text = message(unbuilt);
    assert!(text.contains("no program named `stubb`") && text.contains("cargo build --bin stubb"), "{text}");

    let dies = Environment::builder().process("app", stub().args(["--nonsense", "1"])).start().await;
    let text = message(dies);
    assert!(
        text.contains("app ended before it was ready") && text.contains("--nonsense is not an option"),
        "{text}"
    );

    let never = stub().args(["--late", "60s"]).ready(Probe::http("/")).ready_within(300.ms());
    let text = message(Environment::builder().process("app", never).start().await);
    assert!(text.contains("app was not ready within 300 ms") && text.contains("stub starts with"), "{text}");

    let twice = Environment::builder().process("app", stub()).process("app", stub()).start().await;
    assert!(message(twice).contains("two services are named \"app\""));

    let text = message(Environment::builder().url("app", "https://127.0.0.1:1").start().await);
    assert!(text.contains("only http:// can be reached"), "{text}");

    let text =
        message(Environment::builder().process("app", stub()).probe("ap", Probe::http("/")).start().await);
    assert!(text.contains("no service named \"ap\" in this environment: it has app"), "{text}");
}

#[tokio::test]
async fn an_environment_that_fails_is_an_error_in_the_record() {
    let report = Experiment::scenario("Light Network Delay")
        .unwrap()
        .environment(|| Environment::builder().process("app", stub().args(["--nonsense", "1"])).start())
        .run()
        .await
        .expect("it has a record");
    assert_eq!(report.judgement.label(), "Error(setup)");
    println!("{}", report.text());
    let sentence = "Error(setup) under \"Light Network Delay\": app ended before it was ready";
    assert!(report.headline().starts_with(sentence), "{}", report.headline());
    assert!(!report.passed());
}

#[tokio::test]
async fn a_service_that_dies_by_itself_is_an_event() {
    let report = unless_void(async || {
        Experiment::scenario("Light Network Delay")
            .unwrap()
            .environment(|| {
                let app = stub().args(["--die-after", "3s"]).ready(Probe::http("/"));
                Environment::builder().process("app", app).start()
            })
            .duration(5.seconds())
            .baseline(1.seconds())
            .watch(5.seconds())
            // It is down for as long as the catalogue's conditions take to be met: which of the two ends it is no matter here.
            .abort_conditions(AbortConditions::default())
            .run()
            .await
            .expect("well formed")
    })
    .await;
    println!("{}", report.text());
    assert_eq!(report.verdict(), Verdict::Fail);
    assert!(
        report.trace.events.iter().any(|event| event.text.contains("app ended by itself")),
        "{:?}",
        report.trace.events
    );
}

#[tokio::test]
async fn a_crash_keeps_the_address_and_changes_the_process() {
    let report = unless_void(async || {
        Experiment::scenario("Application Container Restart")
            .unwrap()
            .environment(|| Environment::builder().process("app", stub().ready(Probe::http("/"))).start())
            .objective(Objective::ErrorRate(Percent::new(60.0).unwrap()))
            .objective(Objective::Availability(Percent::new(50.0).unwrap()))
            .duration(8.seconds())
            .baseline(1.seconds())
            .run()
            .await
            .expect("well formed")
    })
    .await;
    println!("{}", report.text());
    assert_eq!(report.verdict(), Verdict::Pass, "{}", report.text());
    let outages = &report.judgement.streams[0].outages;
    assert_eq!(outages.len(), 1);
    let down = outages[0].end.unwrap() - outages[0].start;
    assert!(down >= 1900.ms(), "it was down for the two seconds of the scenario: {down:?}");
}

#[tokio::test]
async fn a_profile_decides_what_may_run_under_it() {
    let experiment = Experiment::scenario("Heavy CPU Stress").unwrap().slo("production");
    let text = message(experiment.against("http://127.0.0.1:9").run().await);
    assert!(text.contains("may not run under the SLO profile \"production\""), "{text}");
    let text = message(
        Experiment::scenario("Light CPU Stress")
            .unwrap()
            .slo("stagging")
            .against("http://127.0.0.1:9")
            .run()
            .await,
    );
    assert!(text.contains("did you mean \"staging\""), "{text}");
}
