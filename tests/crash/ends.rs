//! The other ways in which a test ends badly: signals that can be caught, panics, aborts, exits, a runner's patience.
//! Whatever it is, nothing is left, and there is a record that says what happened.

use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use chaos_test::model::BodyEnd;
use chaos_test::report::Report;
use nix::sys::signal::Signal;
use suite::is_void;
use suite::victim::FAMILIES;

use crate::aim::Aim;
use crate::residue::files;
use crate::rounds::until_clean;
use crate::start::{Victim, Way};

/// The records there are.
pub(crate) fn records(victim: &Victim) -> Vec<Report> {
    let records = files(&victim.results(), |name| {
        name.ends_with(".json") && !name.starts_with('.') && name != "run.json"
    });
    let read = |path: &PathBuf| std::fs::read(path).expect("it can be read");
    records.iter().map(|path| Report::from_json(&read(path)).expect("it is a record")).collect()
}

/// The one record of a victim.
pub(crate) fn record(victim: &Victim) -> Report {
    let mut records = records(victim);
    assert_eq!(records.len(), 1, "{}", victim.output());
    records.remove(0)
}

/// Starts a victim and waits until its fault is in.
pub(crate) fn in_the_chaos_phase(way: Way, test: &str) -> Victim {
    for _ in 0..5 {
        let mut victim = Victim::start(way, test);
        // On a busy host a baseline may be too late to be believed; then there is no fault.
        if victim.find_test() && Aim::Phase("chaos").wait(&mut victim) {
            // It counts once it was seen.
            std::thread::sleep(Duration::from_millis(300));
            return victim;
        }
    }
    panic!("{test} does not come to its chaos phase");
}

/// Does something with every family, a few at a time: each is a whole test, and on a busy host none of too many would come
/// to its chaos phase.
pub(crate) fn some_at_a_time<T: Send>(work: impl Fn(&'static str) -> T + Copy + Send) -> Vec<T> {
    let few = |families: &[&'static str]| -> Vec<T> {
        std::thread::scope(|threads| {
            let each: Vec<_> = families.iter().map(|family| threads.spawn(move || work(family))).collect();
            let named = families.iter().zip(each);
            named
                .map(|(family, each)| each.join().unwrap_or_else(|why| panic!("{family}: {}", said(&*why))))
                .collect()
        })
    };
    FAMILIES.chunks(3).flat_map(few).collect()
}

/// What a panic said.
fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default()
}

/// Sends a signal into the chaos phase of every family; returns the records.
fn signalled(signal: Signal) -> Vec<Report> {
    let end = |family: &'static str| {
        let mut victim = in_the_chaos_phase(Way::Program, &format!("{family} --hold 60s"));
        victim.signal(signal);
        let sent = Instant::now();
        let times = until_clean(&mut victim, sent, &format!("{family} {signal}"));
        println!("{family} {signal}: clean after {:.0?}, alone after {:.0?}", times.0, times.1);
        assert_eq!(victim.wait().signal(), Some(signal as i32), "it dies of that signal");
        record(&victim)
    };
    some_at_a_time(end)
}

#[test]
fn sigterm_leaves_nothing() {
    for report in signalled(Signal::SIGTERM) {
        assert_eq!(report.judgement.label(), "Aborted(SIGTERM)");
    }
}

#[test]
fn sigint_leaves_nothing() {
    for report in signalled(Signal::SIGINT) {
        assert_eq!(report.judgement.label(), "Aborted(SIGINT)");
    }
}

#[test]
fn a_test_killed_in_its_chaos_phase_has_a_record_that_says_so() {
    for report in signalled(Signal::SIGKILL) {
        let headline = report.headline();
        println!("{headline}");
        assert!(headline.starts_with("Error(killed by SIGKILL "), "{headline}");
        let reverts = headline.split_once("into the fault; ").expect("just seen").1;
        let mut words = reverts.split(' ');
        let (done, of) = (words.next().expect("n"), words.nth(1).expect("of n"));
        assert!(done == of && reverts.contains(" done"), "{headline}");
        // How much more than the baseline depends on how long it takes to prove the fault.
        let measured = report.trace.streams.iter().any(|stream| !stream.samples.is_empty());
        assert!(measured, "what it had measured until then is kept");
        assert!(!report.passed());
    }
}

/// Runs a test of the libtest binary that ends itself, and waits until nothing is left.
fn ended(way: Way, test: &str) -> Victim {
    let mut victim = Victim::start(way, test);
    victim.find_test();
    while !victim.has_ended() {
        victim.family.observe();
        std::thread::sleep(Duration::from_millis(5));
    }
    let times = until_clean(&mut victim, Instant::now(), test);
    println!("{test}: clean after {:.0?}, alone after {:.0?}", times.0, times.1);
    victim
}

#[test]
fn a_panic_leaves_nothing() {
    let ends = [("its_body_panics", true), ("it_panics_beside_its_experiment", false)];
    for (test, in_its_body) in ends {
        // A baseline that a busy host has spoiled is no place for a body.
        let report = (0..5).find_map(|_| {
            let mut victim = ended(Way::Libtest, test);
            assert_eq!(victim.wait().code(), Some(101), "{}", victim.output());
            let report = record(&victim);
            println!("{}", report.headline());
            (!is_void(&report)).then_some(report)
        });
        let report = report.expect("this host is too busy for any baseline");
        match report.trace.body.clone() {
            Some(BodyEnd::Panicked(text)) => assert!(in_its_body && text.contains("on purpose"), "{text}"),
            other => assert!(!in_its_body && other.is_none() && !report.passed(), "{other:?}"),
        }
    }
}

#[test]
fn an_abort_leaves_nothing() {
    let mut victim = ended(Way::Libtest, "its_body_aborts");
    assert_eq!(victim.wait().signal(), Some(Signal::SIGABRT as i32), "{}", victim.output());
    let headline = record(&victim).headline();
    println!("{headline}");
    assert!(headline.contains("SIGABRT"), "{headline}");
}

#[test]
fn an_exit_leaves_nothing() {
    let mut victim = ended(Way::Libtest, "its_body_exits");
    assert_eq!(victim.wait().code(), Some(0), "{}", victim.output());
    let report = record(&victim);
    println!("{}", report.headline());
    assert!(!report.passed() && report.headline().contains("exited with code 0"), "{}", report.headline());
}

#[test]
fn a_test_that_its_runner_ends_leaves_nothing() {
    let mut victim = ended(Way::Nextest, "it_takes_too_long");
    let status = victim.wait();
    let output = victim.output();
    println!("{output}");
    assert!(status.code() == Some(100) && output.contains("TIMEOUT"), "{output}");
    assert!(!output.contains("LEAK"), "{output}");
    let headline = record(&victim).headline();
    println!("{headline}");
    assert!(headline.contains("SIGTERM") || headline.contains("SIGKILL"), "{headline}");
}

#[test]
fn nextest_finds_no_leak_in_a_test_that_ends_well() {
    some_at_a_time(|family| {
        let mut victim = ended(Way::Nextest, family);
        let status = victim.wait();
        let output = victim.output();
        assert!(status.success() && !output.contains("LEAK"), "{output}");
    });
}

#[test]
fn everything_that_there_is_of_a_victim_is_found() {
    // What is found while it lives would be found if it stayed.
    let mut victim = in_the_chaos_phase(Way::Program, "cpu_exhaust --hold 60s");
    let left = victim.left();
    let (things, rest) = (left.things.join("\n"), left.rest.join("\n"));
    println!("{things}\n{rest}");
    for part in
        ["victim cpu_exhaust", "chaos-test-burn", "stub", "a listener on port", "owes \"cpu_exhaust\""]
    {
        assert!(things.contains(part), "{part}: {things}");
    }
    for part in ["chaos-test-reap", "no record of", ".pending.json"] {
        assert!(rest.contains(part), "{part}: {rest}");
    }
    victim.signal(Signal::SIGKILL);
    until_clean(&mut victim, Instant::now(), "a victim that was looked at");
}

#[test]
fn a_test_whose_runner_is_gone_before_it_has_begun_does_nothing() {
    for late in (0..30).step_by(6) {
        let mut victim = Victim::start(Way::Nextest, "it_takes_too_long");
        assert!(victim.find_test(), "{}", victim.output());
        // The runner starts a test by way of a process of its own, and whoever dies before that has become the test, and
        // has looked whose child it is, leaves an orphan that nobody notices (docs/safety.md). It has looked before `main`.
        assert!(victim.wait_for(|victim| victim.was_in("start")), "{}", victim.output());
        std::thread::sleep(Duration::from_millis(late));
        victim.signal_runner(Signal::SIGKILL);
        // Left to itself it would go on for a minute.
        let times = until_clean(&mut victim, Instant::now(), "its runner was killed");
        println!("{late} ms late: clean after {:.0?}", times.0);
        assert!(!victim.was_in("chaos"), "it went on without its runner");
    }
}
