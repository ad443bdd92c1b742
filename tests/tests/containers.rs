//! Containers as services: their addresses, their network, their end. Without a container engine these tests say so and do
//! nothing, unless `CHAOS_TEST_REQUIRE` names `docker`.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests use clocks and processes")]

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use chaos_test::port::{ContainerStatus, TargetKind};
use chaos_test::prelude::*;
use chaos_test::testcontainers::core::IntoContainerPort;
use chaos_test::testcontainers::{ContainerRequest, GenericImage, ImageExt};
use suite::docker::{STUB, docker, has_docker, left, left_after, stub_image};

#[path = "containers/experiments.rs"]
mod experiments;
#[path = "containers/victim.rs"]
mod killed;

use killed::{Victim, is_kept_by};

/// Whether there is an engine; then there is the image as well.
fn ready() -> bool {
    let there = has_docker();
    if there {
        stub_image(Path::new(env!("CARGO_BIN_EXE_stub")));
    }
    there
}

fn image() -> GenericImage {
    GenericImage::new(STUB.0, STUB.1).with_exposed_port(8000.tcp())
}

fn stub() -> Container {
    Container::of(image()).ready(Probe::http("/").every(50.ms()))
}

async fn get(url: &str) -> Result<u16, reqwest::Error> {
    Ok(reqwest::get(url).await?.status().as_u16())
}

fn mark(environment: &Environment) -> String {
    environment.services().iter().find_map(|service| service.container()).expect("a container").mark()
}

#[tokio::test]
async fn containers_reach_each_other_by_name_and_are_reached_through_their_doors() {
    if !ready() {
        return;
    }
    let environment = Environment::builder()
        .container("db", image())
        .container("app", stub().env("GREETING", "hello"))
        .env("app", "ASK", |env| env.url_for("db", "{host}:{port}"))
        .start()
        .await
        .expect("both start");
    for service in environment.services() {
        assert_eq!(get(&service.url()).await.expect("an answer"), 200, "{}", service.name());
        let target = service.target();
        assert_eq!((target.kind, target.shares_host), (TargetKind::Container, false));
        assert_ne!(service.direct_address(), service.address());
    }
    let app = environment.service("app").expect("it was added");
    let said = app.log_tail(20).join("\n");
    assert!(said.contains("GREETING=hello"), "{said}");
    assert!(said.contains("stub asked db:8000: HTTP/1.1 200 OK"), "{said}");
    let mark = mark(&environment);
    assert_eq!(left(&mark).len(), 3, "two containers and a network: {:?}", left(&mark));
    let labels =
        docker(&["inspect", "--format", "{{json .Config.Labels}}", &app.container().expect("one").id()]);
    assert!(
        labels.contains("\"chaos-test.service\":\"app\"") && labels.contains("chaos-test.run"),
        "{labels}"
    );
    drop(environment);
    assert_eq!(left(&mark), [""; 0], "nothing is left when it is dropped");
}

#[tokio::test]
async fn a_door_keeps_its_address_while_the_container_gets_another() {
    if !ready() {
        return;
    }
    let environment = Environment::builder().container("app", stub()).start().await.expect("it starts");
    let app = environment.service("app").expect("it was added");
    let (door, before) = (app.address(), app.direct_address());
    let control = app.container().expect("a container");
    control.kill().await.expect("killed");
    assert_eq!(control.look().await.expect("a state").status, ContainerStatus::Exited);
    let began = Instant::now();
    get(&app.url()).await.expect_err("nobody is there");
    assert!(began.elapsed() < Duration::from_secs(2), "a client is told at once: {:?}", began.elapsed());
    // An engine that was just started may give the same number again, unless somebody has it.
    let taken = std::net::TcpListener::bind(before).expect("nobody is there any more");
    control.start().await.expect("started");
    let began = Instant::now();
    while get(&app.url()).await.ok() != Some(200) {
        assert!(began.elapsed() < Duration::from_secs(10), "it does not come back behind its door");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    eprintln!("{door}: {before}, then {}", app.direct_address());
    assert_eq!(app.address(), door);
    assert_ne!(app.direct_address(), before, "somebody else has that one");
    drop(taken);
    let began = Instant::now();
    while app.log_tail(20).iter().filter(|line| line.contains("stub listens")).count() < 2 {
        assert!(
            began.elapsed() < Duration::from_secs(5),
            "its log is followed no more: {:?}",
            app.log_tail(20)
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Past us, by the engine's own client.
    docker(&["restart", "--time", "0", &control.id()]);
    let began = Instant::now();
    while get(&app.url()).await.ok() != Some(200) {
        assert!(
            began.elapsed() < Duration::from_secs(10),
            "it does not come back after a restart from outside"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    control.pause().await.expect("paused");
    let hanging = tokio::time::timeout(Duration::from_millis(300), get(&app.url())).await;
    assert!(hanging.is_err(), "a paused service hangs: {hanging:?}");
    control.unpause().await.expect("unpaused");
    assert_eq!(get(&app.url()).await.expect("an answer"), 200);
}

#[tokio::test]
async fn environments_side_by_side_do_not_see_each_other() {
    if !ready() {
        return;
    }
    let shop = |greeting: &'static str| async move {
        Environment::builder()
            .container("db", stub().env("GREETING", greeting))
            .container("app", stub())
            .env("app", "ASK", |env| env.url_for("db", "{host}:{port}"))
            .start()
            .await
            .expect("it starts")
    };
    let (one, other) = tokio::join!(shop("one"), shop("other"));
    for (environment, greeting) in [(&one, "GREETING=one"), (&other, "GREETING=other")] {
        for (service, text) in [("db", greeting), ("app", "HTTP/1.1 200")] {
            // The engine hands on what a container says a little later.
            let said = || environment.service(service).expect("added").log_tail(20).join("\n");
            for _ in 0..100 {
                if said().contains(text) {
                    break;
                }
                tokio::time::sleep(100.ms()).await;
            }
            assert!(said().contains(text), "{}", said());
        }
    }
    one.service("db").and_then(|db| db.container()).expect("one").kill().await.expect("killed");
    assert_eq!(get(&other.service("db").expect("added").url()).await.expect("an answer"), 200);
    let marks = [mark(&one), mark(&other)];
    drop(one);
    assert_eq!(left(&marks[0]), [""; 0]);
    assert_eq!(get(&other.service("app").expect("added").url()).await.expect("the other goes on"), 200);
    drop(other);
    assert_eq!(left(&marks[1]), [""; 0]);
}

#[tokio::test]
async fn what_cannot_start_says_why_and_leaves_nothing() {
    if !ready() {
        return;
    }
    let start = |container: Container| async move {
        let started = Environment::builder().container("app", container).start().await;
        started.expect_err("it cannot start").to_string()
    };
    let why = start(Container::of(GenericImage::new(STUB.0, STUB.1))).await;
    assert!(why.contains("names no port") && why.contains(".port(5432)"), "{why}");
    let networked: ContainerRequest<GenericImage> = image().with_network("mine");
    let why = start(Container::of(networked)).await;
    assert!(why.contains("asks for the network `mine`"), "{why}");
    let why =
        start(Container::of(GenericImage::new("chaos-test/nobody-has-this", "x").with_exposed_port(1.tcp())))
            .await;
    assert!(why.contains("chaos-test/nobody-has-this:x"), "{why}");
    let dies = Container::of(image().with_cmd(["--die-after", "200ms"]))
        .ready(Probe::http("/").expect_status(418..=418));
    let why = start(dies.ready_within(20.seconds())).await;
    assert!(why.contains("app ended before it was ready (exit status: 0)"), "{why}");
    assert!(why.contains("stub ends by itself"), "its last lines are told: {why}");
    // What ends at once has said why, too.
    let why = start(Container::of(image().with_cmd(["--nonsense", "x"])).ready(Probe::http("/"))).await;
    assert!(why.contains("(exit status: 1)") && why.contains("--nonsense is not an option"), "{why}");
    let late = stub().ready(Probe::http("/").expect_status(418..=418)).ready_within(1.seconds());
    let why = start(late).await;
    assert!(why.contains("was not ready within 1 s") && why.contains("port 8000"), "{why}");
    let this = format!("label=chaos-test.test={}", std::env::var("NEXTEST_TEST_NAME").unwrap_or_default());
    if std::env::var("NEXTEST_TEST_NAME").is_ok() {
        assert_eq!(docker(&["ps", "--all", "--quiet", "--filter", &this]), "");
        assert_eq!(docker(&["network", "ls", "--quiet", "--filter", &this]), "");
    }
}

fn delay() -> Fault {
    Fault::NetworkDelay { delay: 20.ms(), jitter: Duration::ZERO, bandwidth: None, interface: None }
}

/// A test that is killed, or fails, by the one that starts it.
#[tokio::test]
#[ignore = "it is started by other tests"]
async fn victim() {
    let how = std::env::var("VICTIM").expect("another test starts it");
    if how.starts_with("runs") {
        let status = if how == "runs" { 200 } else { 418 };
        let probe = move || Probe::http("/").expect_status(status..=status).every(100.ms());
        let report = Experiment::fault(delay(), 1.seconds())
            .expect("the built-in catalogue")
            .baseline(3.seconds())
            .inconclusive(if how == "runs" { Inconclusive::Passes } else { Inconclusive::Fails })
            .environment(move || async move {
                let started = Environment::builder().container("app", stub()).container("db", image());
                let environment = started.probe("app", probe()).start().await?;
                println!("\nmark {}", mark(&environment));
                Ok::<_, Error>(environment)
            })
            .run()
            .await
            .expect("it can be carried out");
        assert_eq!(report.passed(), how == "runs", "{}", report.text());
        return;
    }
    let environment = Environment::builder()
        .container("db", image())
        .container("app", stub())
        .start()
        .await
        .expect("both start");
    println!("\nmark {}", mark(&environment));
    match how.as_str() {
        "waits" => tokio::time::sleep(Duration::from_secs(60)).await,
        _ => panic!("it fails, as it was asked to"),
    }
}

#[test]
fn a_killed_test_leaves_no_container() {
    if !ready() {
        return;
    }
    let mut victim = Victim::start("waits", &[]);
    assert_eq!(left(&victim.mark).len(), 3);
    victim.kill();
    let began = Instant::now();
    assert_eq!(left_after(&victim.mark, Duration::from_secs(10)), [""; 0]);
    eprintln!("gone {:?} after the kill", began.elapsed());
}

#[tokio::test]
async fn what_a_test_left_whose_reaper_was_killed_goes_at_the_next_start() {
    if !ready() {
        return;
    }
    let mut victim = Victim::start("waits", &[]);
    let pid = victim.child.id();
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).expect("it runs").flatten();
    let all: String = threads
        .map(|thread| std::fs::read_to_string(thread.path().join("children")).unwrap_or_default())
        .collect();
    let reaper = format!("{children} {all}")
        .split_whitespace()
        .find(|child| {
            std::fs::read_to_string(format!("/proc/{child}/comm"))
                .is_ok_and(|name| name.trim() == "chaos-reaper")
        })
        .map(str::to_owned)
        .expect("it has a reaper");
    assert!(Command::new("kill").args(["-KILL", &reaper]).status().expect("kill").success());
    victim.kill();
    // The start of another test may have been before this.
    let next = Environment::builder().container("app", stub()).start().await.expect("it starts");
    assert_eq!(left(&victim.mark), [""; 0]);
    drop(next);
}

#[tokio::test]
async fn what_a_failed_test_keeps_no_start_removes() {
    if ready() {
        assert!(is_kept_by("fails").await, "a panic is a failure");
    }
}

#[tokio::test]
async fn what_is_kept_goes_by_the_verdict() {
    if ready() {
        assert!(is_kept_by("runs badly").await, "no pass is a failure");
        assert!(!is_kept_by("runs").await, "a pass is none");
    }
}
