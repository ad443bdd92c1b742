//! A service in a network of its own: reached through its door, reaching others through theirs, and its packets.
#![allow(clippy::disallowed_methods, reason = "test code may look at processes")]

use std::sync::Arc;
use std::time::Duration;

use chaos_test::port::{PacketPath, PacketShape};
use chaos_test::prelude::*;

fn stub() -> Process {
    Process::cargo_bin("stub").args(["--port", "{port}"]).ready(Probe::http("/"))
}

async fn answer(at: std::net::SocketAddr) -> Result<String, reqwest::Error> {
    reqwest::get(format!("http://{at}/")).await?.text().await
}

fn network_of(pid: u32) -> std::path::PathBuf {
    std::fs::read_link(format!("/proc/{pid}/ns/net")).expect("it runs and is ours")
}

#[tokio::test]
async fn a_service_in_its_own_network_is_reached_and_reaches_the_others() {
    let environment = Environment::builder()
        .process("stock", stub())
        .process("app", stub().own_network())
        .env("app", "ASK", |env| env.url_for("stock", "{host}:{port}"))
        .start()
        .await
        .expect("this host gives networks");
    let (app, stock) = (environment.service("app").unwrap(), environment.service("stock").unwrap());
    assert_eq!(answer(app.address()).await.expect("it is reached"), "ok");
    let log = app.log_tail(9).join("\n");
    assert!(log.contains(&format!("stub asked {}: HTTP/1.1 200 OK", stock.address())), "{log}");
    let [own, shared] = [app, stock].map(|service| network_of(service.pid().expect("it runs")));
    assert_ne!(own, shared);
    assert_eq!(shared, network_of(std::process::id()));
    let outside = tokio::net::TcpStream::connect(app.direct_address()).await;
    assert!(outside.is_err(), "where it listens is no place out here");

    // Crashed and back, it is in the same network and behind the same door.
    let control = app.target().process.expect("it is a process of ours");
    control.kill().expect("it can be killed");
    assert!(answer(app.address()).await.is_err(), "nobody is behind the door");
    let packets = app.target().packets.expect("it has a network of its own");
    assert!(!packets.listens().await.expect("one can look"));
    control.respawn().expect("it can be started again");
    while !packets.listens().await.expect("one can look") {
        tokio::time::sleep(5.ms()).await;
    }
    assert_eq!(answer(app.address()).await.expect("it is reached again"), "ok");
    assert_eq!(network_of(app.pid().expect("it runs")), own);
}

#[tokio::test]
async fn a_service_in_its_own_network_reaches_nothing_else() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let elsewhere = listener.local_addr().expect("it listens").to_string();
    let app = stub().own_network().env("ASK", &elsewhere);
    let environment = Environment::builder().process("app", app).start().await.expect("it starts");
    let log = environment.service("app").unwrap().log_tail(9).join("\n");
    assert!(log.contains(&format!("stub asked {elsewhere}: Connection refused")), "{log}");
}

#[tokio::test]
async fn nothing_of_a_network_is_left_when_its_environment_has_ended() {
    let environment =
        Environment::builder().process("app", stub().own_network()).start().await.expect("it starts");
    let own = network_of(environment.service("app").unwrap().pid().expect("it runs"));
    let packets = environment.service("app").unwrap().target().packets.expect("it has its own");
    packets.round_trip().await.expect("it can be measured");
    drop(environment);
    for entry in std::fs::read_dir("/proc").expect("there is one").flatten() {
        let network = std::fs::read_link(entry.path().join("ns/net"));
        assert_ne!(network.ok(), Some(own.clone()), "{:?} is still in there", entry.path());
    }
    assert!(packets.lost(1).await.is_err(), "and nobody goes in again");
}

async fn own() -> Environment {
    let started = Environment::builder().process("app", stub().own_network()).start().await;
    started.expect("this host gives networks")
}

fn packets(environment: &Environment) -> Arc<dyn PacketPath> {
    environment.service("app").unwrap().target().packets.expect("it has a network of its own")
}

/// Whether this host has that mechanism; if not, it says so.
fn has(packets: &dyn PacketPath, mechanism: &str) -> bool {
    let Some(refusal) = packets.refusal(mechanism) else { return true };
    println!("SKIPPED: {mechanism}: {refusal}");
    let required = std::env::var("CHAOS_TEST_REQUIRE").unwrap_or_default();
    assert!(!required.split(',').any(|name| name == mechanism), "{mechanism} is required: {refusal}");
    false
}

#[tokio::test]
async fn packets_are_lost_by_chance_and_arrive_again() {
    let environment = own().await;
    let packets = packets(&environment);
    if !has(&*packets, "nft-drop") {
        return;
    }
    assert!(packets.lost(1_000).await.expect("it can be counted") < 0.001, "nothing is lost before");
    for share in [0.05, 0.15, 0.3, 1.0] {
        let mark = format!("{share}");
        let loss = PacketShape { loss: share, ..PacketShape::default() };
        packets.apply(&mark, "nft-drop", loss).expect("it can be done");
        let lost = packets.lost(20_000).await.expect("it can be counted");
        println!("asked {share}, lost {lost:.4}");
        // Ten standard deviations.
        assert!((lost - share).abs() <= 10.0 * (share * (1.0 - share) / 20_000.0).sqrt(), "{share}: {lost}");
        packets.remove(&mark).expect("it can be undone");
        packets.remove(&mark).expect("twice");
        assert!(packets.lost(1_000).await.expect("it can be counted") < 0.001, "nothing is lost after");
    }
}

#[tokio::test]
async fn packets_take_longer_and_none_is_lost() {
    let environment = own().await;
    let packets = packets(&environment);
    for mechanism in ["nfqueue", "netem"] {
        if !has(&*packets, mechanism) {
            continue;
        }
        for delay in [10, 50, 200] {
            let round = Duration::from_millis(delay);
            let mark = format!("{mechanism}-{delay}");
            let shape = PacketShape { delay: round / 2, ..PacketShape::default() };
            packets.apply(&mark, mechanism, shape).expect("it can be done");
            let mut took = Vec::new();
            for _ in 0..(2_000 / delay).min(100) {
                took.push(packets.round_trip().await.expect("it can be measured"));
            }
            took.sort_unstable();
            let mean = took.iter().sum::<Duration>() / took.len() as u32;
            println!(
                "{mechanism} {round:?}: mean {mean:?}, p50 {:?}, p99 {:?}, of {}",
                took[took.len() / 2],
                took[took.len() * 99 / 100],
                took.len()
            );
            assert!(took[0] >= round, "none is quicker: {:?}", took[0]);
            // What waits when the fault goes is neither lost nor late.
            let packets_there = Arc::clone(&packets);
            let waiting = tokio::spawn(async move { packets_there.round_trip().await });
            tokio::time::sleep(round / 4).await;
            packets.remove(&mark).expect("it can be undone");
            waiting.await.expect("no panic").expect("it arrives");
            let after = packets.round_trip().await.expect("it can be measured");
            assert!(after < Duration::from_millis(200), "{after:?} when all is gone");
            assert!(packets.lost(1_000).await.expect("it can be counted") < 0.001);
        }
    }
}

#[tokio::test]
async fn jitter_is_between_nothing_and_what_was_asked() {
    let environment = own().await;
    let packets = packets(&environment);
    for mechanism in ["nfqueue", "netem"] {
        if !has(&*packets, mechanism) {
            continue;
        }
        let shape = PacketShape { delay: 10.ms(), jitter: 40.ms(), loss: 0.0 };
        packets.apply("jitter", mechanism, shape).expect("it can be done");
        let mut took = Vec::new();
        for _ in 0..30 {
            took.push(packets.round_trip().await.expect("it can be measured"));
        }
        took.sort_unstable();
        println!("{mechanism}: {took:?}");
        assert!(took[0] >= 20.ms() && took[29] >= 60.ms() && took[0] + 10.ms() < took[29], "it varies");
        packets.remove("jitter").expect("it can be undone");
    }
}

/// Set for the inner half of the next test.
const INNER: &str = "CHAOS_TEST_WITHOUT_NETWORKS";

#[tokio::test]
async fn a_host_that_gives_no_network_says_so() {
    const NAME: &str = "a_host_that_gives_no_network_says_so";
    if std::env::var_os(INNER).is_some() {
        let refused = Environment::builder().process("app", stub().own_network()).start().await;
        let text = refused.expect_err("there is none to be had").to_string();
        println!("{text}");
        assert!(
            text.contains("a network of its own for app: ") && text.contains("max_user_namespaces"),
            "{text}"
        );
        return;
    }
    let exe = std::env::current_exe().expect("it runs");
    let mut command = std::process::Command::new("unshare");
    command
        .args(["--user", "--map-root-user", "sh", "-c"])
        .arg("echo 0 > /proc/sys/user/max_net_namespaces && exec \"$@\"")
        .arg("sh");
    if !command.arg("true").output().is_ok_and(|done| done.status.success()) {
        println!("SKIPPED: this host gives no user namespaces, in which networks could be forbidden");
        return;
    }
    let mut command = std::process::Command::new("unshare");
    let folder = tempfile::tempdir().expect("a folder");
    let done = command
        .args(["--user", "--map-root-user", "sh", "-c"])
        .arg("echo 0 > /proc/sys/user/max_net_namespaces && exec \"$@\"")
        .arg("sh")
        .arg(exe)
        .args(["--exact", NAME, "--nocapture"])
        .env(INNER, "1")
        .env("CHAOS_TEST_DIR", folder.path())
        .output()
        .expect("it was there a moment ago");
    let said = String::from_utf8_lossy(&done.stdout);
    println!("{said}{}", String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success() && said.contains("max_user_namespaces"), "{:?}", done.status);
}

/// Root could drop what it has; who has nothing must be able to do the same.
#[test]
fn all_of_it_works_without_privileges() {
    suite::once_more_as_nobody(&["--skip", "all_of_it_works_without_privileges", "--skip", "a_killed_test"]);
}

/// Who carries a mark of that process, and whether anybody is in that network.
fn left_of(pid: u32, network: &std::path::Path) -> Vec<String> {
    let mut left = Vec::new();
    for process in std::fs::read_dir("/proc").expect("there is one").flatten() {
        let environ = std::fs::read(process.path().join("environ")).unwrap_or_default();
        let marked = String::from_utf8_lossy(&environ).contains("CHAOS_TEST_MARK=chaos1-")
            && String::from_utf8_lossy(&environ).contains(&format!("-{pid}-"));
        let inside = std::fs::read_link(process.path().join("ns/net")).is_ok_and(|own| own == network);
        if marked || inside {
            left.push(process.file_name().to_string_lossy().into_owned());
        }
    }
    left
}

#[test]
fn a_killed_test_leaves_nothing_of_its_network() {
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_victim"));
    for family in ["packet_delay", "packet_loss", "packet_partition"] {
        let Some((mut command, folder)) = suite::as_nobody(program) else { return };
        let notes = folder.path().join("notes");
        command.args([family, "--hold", "60s"]).env(suite::victim::NOTES, &notes);
        // One that this host keeps from its baseline never comes to its fault.
        let mut victim =
            (0..5).find_map(|_| in_its_chaos_phase(&mut command, &notes)).expect("it comes to that");
        let all = left_of(victim.id(), std::path::Path::new("none"));
        let here = network_of(std::process::id());
        let others = all.iter().filter_map(|pid| std::fs::read_link(format!("/proc/{pid}/ns/net")).ok());
        let own = others.into_iter().find(|network| *network != here).expect("it has a network of its own");
        assert!(left_of(victim.id(), &own).len() >= 3, "helper, helper of the fault, service: {all:?}");
        victim.kill().and_then(|()| victim.wait()).expect("it is our child");
        let killed = std::time::Instant::now();
        while !left_of(victim.id(), &own).is_empty() {
            assert!(killed.elapsed() < Duration::from_secs(10), "{:?}", left_of(victim.id(), &own));
            std::thread::sleep(Duration::from_millis(2));
        }
        println!("{family}: nothing left after {:?}", killed.elapsed());
        // Its reaper writes the record and goes as well, before its folder does.
        while ledgers(folder.path()) > 0 {
            assert!(killed.elapsed() < Duration::from_secs(10), "its ledger stays");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

fn in_its_chaos_phase(
    command: &mut std::process::Command,
    notes: &std::path::Path,
) -> Option<std::process::Child> {
    let _ = std::fs::remove_file(notes);
    let mut victim = command.spawn().expect("setpriv is there");
    loop {
        if std::fs::read_to_string(notes).unwrap_or_default().contains("chaos ") {
            return Some(victim);
        }
        if victim.try_wait().expect("it is our child").is_some() {
            return None;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn ledgers(results: &std::path::Path) -> usize {
    let files = std::fs::read_dir(results).into_iter().flatten().flatten();
    let files = files.flat_map(|run| std::fs::read_dir(run.path()).into_iter().flatten().flatten());
    files.filter(|file| file.file_name().to_string_lossy().starts_with("ledger-")).count()
}

#[tokio::test]
async fn no_socket_keeps_a_network_whose_environment_has_ended() {
    let sockets = || {
        let open = std::fs::read_dir("/proc/self/fd").expect("every process has it").flatten();
        let links = open.filter_map(|fd| std::fs::read_link(fd.path()).ok());
        links.filter(|link| link.to_string_lossy().starts_with("socket:")).count()
    };
    let round = async || {
        let environment = own().await;
        packets(&environment).round_trip().await.expect("it can be measured");
    };
    round().await;
    let before = sockets();
    for _ in 0..6 {
        round().await;
    }
    let gone = async {
        while sockets() > before + 2 {
            tokio::time::sleep(10.ms()).await;
        }
    };
    tokio::time::timeout(5.seconds(), gone).await.expect("their sockets are given back");
}
