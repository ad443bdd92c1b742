//! The start of three containers that share a network, until each of them answers.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use chaos_test::prelude::*;
use chaos_test::testcontainers::core::{IntoContainerPort, WaitFor};
use chaos_test::testcontainers::runners::AsyncRunner;
use chaos_test::testcontainers::{ContainerAsync, GenericImage, Image, ImageExt};
use suite::figures::median;

use crate::{CHILD, PORT, image, ms, until_it_answers};

/// How often each is started, in a process that has started nothing, and again in the same process.
const ROUNDS: usize = 16;
/// How long one process may take; it needs some seconds.
const LIMIT: Duration = Duration::from_secs(60);
/// How often a process that did not end is tried again.
const TRIES: u32 = 3;
/// An environment; bare testcontainers, side by side; the same one after the other.
const KINDS: [&str; 3] = ["environment", "bare", "serial"];

/// The three containers: the stub thrice, or a database, a cache and then a shop that needs both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trio {
    Stubs,
    Tea,
}

/// One of them.
struct Service {
    name: &'static str,
    port: u16,
    image: GenericImage,
    env: Vec<(&'static str, &'static str)>,
    /// What answers well once it is ready, if not what its image waits for.
    path: Option<&'static str>,
}

impl Trio {
    fn services(self) -> [Service; 3] {
        let stub = |name| Service { name, port: PORT, image: image(), env: Vec::new(), path: Some("/") };
        match self {
            Self::Stubs => ["db", "cache", "app"].map(stub),
            Self::Tea => [
                Service {
                    port: 5432,
                    image: tea("postgres", 5432)
                        .with_wait_for(WaitFor::message_on_stderr("ready to accept connections")),
                    path: None,
                    ..stub("db")
                },
                Service {
                    port: 6379,
                    image: tea("redis", 6379)
                        .with_wait_for(WaitFor::message_on_stdout("Ready to accept connections")),
                    path: None,
                    ..stub("cache")
                },
                Service {
                    image: tea("shop", PORT),
                    env: vec![
                        ("DATABASE_URL", "postgres://postgres@db:5432/postgres"),
                        ("CACHE_URL", "redis://cache:6379"),
                    ],
                    path: Some("/api/ready"),
                    ..stub("app")
                },
            ],
        }
    }

    fn is_here(self) -> bool {
        let there = |service: &Service| {
            let image = format!("{}:{}", service.image.name(), service.image.tag());
            let asked = Command::new("docker").args(["image", "inspect", &image]).output();
            asked.is_ok_and(|answer| answer.status.success())
        };
        self.services().iter().all(there)
    }
}

fn tea(name: &str, port: u16) -> GenericImage {
    GenericImage::new(format!("chaos-test/{name}"), "local".into()).with_exposed_port(port.tcp())
}

/// What came of one process.
struct Figures {
    /// Its first start and its second, in milliseconds.
    starts: [f64; 2],
    /// What it had resident more while the first was up, in MiB; and how much of that no file is behind.
    resident: [f64; 2],
}

/// In a process of its own: starts them, ends them and does so again, and tells how long each took and what it needed.
pub(crate) async fn child(order: &str) {
    let (kind, trio) = order.split_once(' ').expect("two words");
    let trio = if trio == "Tea" { Trio::Tea } else { Trio::Stubs };
    let mut told = Vec::new();
    for round in 0..2 {
        let before = resident();
        let begun = Instant::now();
        let (environment, bare) = match kind {
            "environment" => (Some(environment(trio).await), Vec::new()),
            _ => (None, bare(trio, kind == "bare", round).await),
        };
        told.push(ms(begun.elapsed()));
        if round == 0 {
            let now = resident();
            told.extend([now[0] - before[0], now[1] - before[1]]);
        }
        drop(environment);
        for container in bare {
            container.rm().await.expect("it is ours");
        }
    }
    println!("{}", told.iter().map(f64::to_string).collect::<Vec<_>>().join(" "));
}

async fn environment(trio: Trio) -> Environment {
    let mut builder = Environment::builder();
    for service in trio.services() {
        let mut container = Container::of(service.image);
        for (name, value) in service.env {
            container = container.env(name, value).after("db").after("cache");
        }
        if let Some(path) = service.path {
            container = container.ready(Probe::http(path));
        }
        builder = builder.container(service.name, container);
    }
    builder.start().await.expect("an environment")
}

/// The same by testcontainers alone, seen to be ready in the same way.
async fn bare(trio: Trio, at_once: bool, round: usize) -> Vec<ContainerAsync<GenericImage>> {
    let network = network(std::process::id(), round);
    let start = |service: Service| {
        let mut request = service.image.with_network(&network).with_hostname(service.name);
        for (name, value) in service.env {
            request = request.with_env_var(name, value);
        }
        async move {
            let container = request.start().await.expect("a container");
            let port = container.get_host_port_ipv4(service.port).await.expect("it is published");
            if let Some(path) = service.path {
                until_it_answers(&format!("http://127.0.0.1:{port}{path}")).await;
            }
            container
        }
    };
    let [db, cache, app] = trio.services().map(start);
    let (db, cache, app) = match (at_once, trio) {
        (true, Trio::Stubs) => tokio::join!(db, cache, app),
        (true, Trio::Tea) => {
            let (db, cache) = tokio::join!(db, cache);
            (db, cache, app.await)
        }
        (false, _) => (db.await, cache.await, app.await),
    };
    vec![db, cache, app]
}

/// What this process has in memory, in MiB: all of it, and what no file is behind.
fn resident() -> [f64; 2] {
    let status = std::fs::read_to_string("/proc/self/status").expect("it runs");
    ["VmRSS:", "RssAnon:"].map(|name| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("every process has it");
        line.split_ascii_whitespace().next().and_then(|kib| kib.parse::<f64>().ok()).expect("a number")
            / 1024.0
    })
}

/// Starts each kind in turns, and shows them side by side.
pub(crate) fn compare() {
    let dir = std::env::temp_dir().join(format!("containers-bench-{}", std::process::id()));
    for trio in [Trio::Stubs, Trio::Tea] {
        if trio.is_here() {
            compare_of(trio, &dir);
        } else {
            println!("there are no images of the tea shop (tests/images/build makes them)\n");
        }
    }
    let _ = std::fs::remove_dir_all(&dir);
}

fn compare_of(trio: Trio, dir: &Path) {
    let mut of: [Vec<Figures>; 3] = Default::default();
    // The first of all fills the caches of the engine and of this host.
    figures(KINDS[1], trio, dir);
    for round in 0..ROUNDS {
        for turn in 0..KINDS.len() {
            let kind = (round + turn) % KINDS.len();
            of[kind].push(figures(KINDS[kind], trio, dir));
        }
    }
    let what = match trio {
        Trio::Stubs => "three stubs until each answers",
        Trio::Tea => "a database and a cache, and then a shop until it can serve",
    };
    println!("{what}, {ROUNDS} rounds in turns; ms, and ratios of the same round");
    println!("{:<30} {:>9} {:>9} {:>9} {:>11} {:>9}", "", "median", "min", "max", "of bare", "of serial");
    for (at, name) in ["first of a process", "second of a process"].into_iter().enumerate() {
        for (figures, kind) in of.iter().zip(KINDS) {
            let times: Vec<f64> = figures.iter().map(|figures| figures.starts[at]).collect();
            let of_the = |other: usize| {
                let ratios = figures.iter().zip(&of[other]).map(|(one, two)| one.starts[at] / two.starts[at]);
                median(ratios.collect())
            };
            println!(
                "{:<30} {:>9.0} {:>9.0} {:>9.0} {:>11.2} {:>9.2}",
                format!("{kind}, {name}"),
                median(times.clone()),
                times.iter().copied().fold(f64::INFINITY, f64::min),
                times.iter().copied().fold(0.0, f64::max),
                of_the(1),
                of_the(2)
            );
        }
    }
    println!("goal: at most 1.10 of bare\n");
    println!("{:<30} {:>9} {:>9}", "memory with them up, MiB more", "resident", "anonymous");
    for (figures, kind) in of.iter().zip(KINDS) {
        let at = |at: usize| median(figures.iter().map(|figures| figures.resident[at]).collect());
        println!("{kind:<30} {:>9.1} {:>9.1}", at(0), at(1));
    }
    println!();
}

/// One process's figures. One that does not end is ended, told, and tried again: bare testcontainers has been seen to wait
/// for a container for ever, without a timer.
fn figures(kind: &str, trio: Trio, dir: &Path) -> Figures {
    for _ in 0..TRIES {
        if let Some(figures) = try_once(kind, trio, dir) {
            return figures;
        }
    }
    panic!("{kind}: {TRIES} processes in a row did not end within {LIMIT:?}");
}

fn try_once(kind: &str, trio: Trio, dir: &Path) -> Option<Figures> {
    let mut child = Command::new(std::env::current_exe().expect("it runs"))
        .env(CHILD, format!("{kind} {trio:?}"))
        .env("CHAOS_TEST_DIR", dir)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this program again");
    let begun = Instant::now();
    // What it says fits into a pipe, so it may be read when all is over.
    let status = loop {
        if let Some(status) = child.try_wait().expect("it is ours") {
            break status;
        }
        if begun.elapsed() > LIMIT {
            println!("{kind}: a process did not end within {LIMIT:?}; it is ended, and tried again");
            child.kill().expect("it is ours");
            child.wait().expect("it is ours");
            remove_networks_of(child.id());
            return None;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    assert!(status.success(), "{kind}: {status}");
    let told = std::io::read_to_string(child.stdout.take().expect("a pipe")).expect("text");
    let told: Vec<f64> = told.split_whitespace().map(|word| word.parse().expect("a number")).collect();
    let [first, resident, anonymous, second] = told[..] else { panic!("{kind}: {told:?}") };
    Some(Figures { starts: [first, second], resident: [resident, anonymous] })
}

/// What bare testcontainers leaves of a process that was ended: an environment's is the reaper's.
fn remove_networks_of(pid: u32) {
    let docker = |args: &[&str]| {
        let answer = Command::new("docker").args(args).output().expect("docker");
        String::from_utf8_lossy(&answer.stdout).split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    for round in 0..2 {
        let network = network(pid, round);
        for id in docker(&["ps", "-aq", "--filter", &format!("network={network}")]) {
            docker(&["rm", "-f", "-v", &id]);
        }
        docker(&["network", "rm", &network]);
    }
}

/// The network of the containers that bare testcontainers starts.
fn network(pid: u32, round: usize) -> String {
    format!("containers-bench-{pid}-{round}")
}
