//! Tests with containers that are killed, at chosen moments and at any: nothing of them is left in the engine, by its own
//! client. `CHAOS_TEST_CRASH_ROUNDS` says how many kills, `CHAOS_TEST_CRASH_JOBS` how many victims live at a time.
//!
//! Without a container engine it says so and does nothing, unless `CHAOS_TEST_REQUIRE` names `docker`.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests use clocks and processes")]

#[path = "containers_killed/left.rs"]
mod left;
#[path = "containers_killed/neighbour.rs"]
mod neighbour;
#[path = "containers_killed/rounds.rs"]
mod rounds;
#[path = "containers_killed/start.rs"]
mod start;

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use suite::docker::{STUB, docker, has_docker, stub_image};

use left::left;
use neighbour::Neighbours;
use rounds::{Kill, Round, usual_life};
use start::{FAMILIES, Victim};

/// A variable with a number in it.
fn number(name: &str, otherwise: u64) -> u64 {
    let text = std::env::var(name).ok().filter(|text| !text.is_empty());
    text.map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text}: not a number")))
}

#[test]
fn a_killed_test_leaves_nothing_in_the_engine() {
    if !has_docker() {
        return;
    }
    stub_image(Path::new(env!("CARGO_BIN_EXE_stub")));
    let seed = number("CHAOS_TEST_CRASH_SEED", {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("it is after 1970");
        now.as_nanos() as u64
    });
    let wanted = number("CHAOS_TEST_CRASH_ROUNDS", 12) as usize;
    let jobs = number("CHAOS_TEST_CRASH_JOBS", 2);
    println!("{wanted} kills, {jobs} victims at a time; CHAOS_TEST_CRASH_SEED={seed}");
    let neighbours = Neighbours::start();
    // The first one makes the image for helpers, which is no part of a life.
    usual_life(FAMILIES[0]);
    let life = FAMILIES[1..].iter().map(|family| usual_life(family)).min().expect("several");
    println!("undisturbed, a victim lives for {:.1} s", life.as_secs_f64());
    let began = Instant::now();
    let (next, kills) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let done = || kills.lock().map_or(usize::MAX, |kills: std::sync::MutexGuard<'_, Vec<Kill>>| kills.len());
    std::thread::scope(|threads| {
        for _ in 0..jobs {
            threads.spawn(|| {
                while done() < wanted && next.load(Ordering::Relaxed) < wanted * 2 {
                    let round = Round::draw(seed, next.fetch_add(1, Ordering::Relaxed), life);
                    if let Some(kill) = round.run() {
                        kills.lock().expect("nobody panics while holding it").push(kill);
                    }
                }
            });
        }
    });
    let kills = kills.into_inner().expect("nobody panicked");
    println!("{} kills in {:.0} s, nothing left", kills.len(), began.elapsed().as_secs_f64());
    rounds::print(&kills);
    neighbours.are_untouched();
    assert!(kills.len() >= wanted, "only {} kills: victims ended too soon", kills.len());
}

#[test]
fn what_an_engine_still_makes_for_a_killed_test_goes_as_well() {
    if !has_docker() {
        return;
    }
    stub_image(Path::new(env!("CARGO_BIN_EXE_stub")));
    let mut victim = Victim::start("container_crash");
    assert!(victim.comes_to("baseline"), "{}", victim.output());
    let found = docker(&["ps", "--format", "{{.Label \"chaos-test.mark\"}}"]);
    let mark = found.lines().find(|mark| mark.contains(&victim.owner)).expect("its containers are there");
    victim.child.kill().and_then(|()| victim.child.wait()).expect("it is our child");
    let began = Instant::now();
    while !left(&victim.owner).is_empty() {
        assert!(began.elapsed() < Duration::from_secs(10), "{}", victim.output());
    }
    // As an engine does that was busy when it was asked, and goes on when nobody waits any more.
    std::thread::sleep(Duration::from_millis(500));
    let image = format!("{}:{}", STUB.0, STUB.1);
    let late = docker(&["create", "--label", &format!("chaos-test.mark={mark}"), &image]);
    while !left(&victim.owner).is_empty() {
        if began.elapsed() > Duration::from_secs(10) {
            docker(&["rm", "--force", "--volumes", &late]);
            panic!("it stays: {}", victim.output());
        }
    }
}

/// What is killed. Nobody has to be there to kill it: it ends well by itself.
#[tokio::test]
#[ignore = "it is started by other tests"]
async fn victim() {
    let family = std::env::var("VICTIM").expect("another test starts it");
    let family = FAMILIES.into_iter().find(|known| **known == family).expect("one of those");
    // A machine that is too busy for its baseline is no reason to complain: it is there to be killed.
    let report = start::experiment(family, Duration::from_millis(700)).run().await;
    println!("{}", report.expect("it can be carried out").headline());
}
