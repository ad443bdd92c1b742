//! When the safety net itself is torn: a reaper that was killed, one that cannot start, a disk that takes nothing, a
//! variable that somebody has set.

use std::process::Command;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use suite::VOID;
use suite::victim::NOTES;

use crate::built::without_runner;
use crate::ends::{in_the_chaos_phase, records, some_at_a_time};
use crate::residue::files;
use crate::rounds::{LIMIT, until_clean};
use crate::start::{Victim, Way};

/// Kills the reaper of a victim, then the victim, in its chaos phase.
fn without_reaper(family: &str) -> Victim {
    let mut victim = in_the_chaos_phase(Way::Program, &format!("{family} --hold 60s"));
    victim.family.observe();
    let reaper = victim.family.descendant("chaos-test-reap").expect("it has one");
    kill(Pid::from_raw(reaper.pid as i32), Signal::SIGKILL).expect("it is ours");
    victim.signal(Signal::SIGKILL);
    victim.wait();
    let left = victim.left().things;
    assert!(left.iter().any(|line| line.contains("the ledger owes")), "nobody could pay: {left:?}");
    victim
}

#[test]
fn when_the_reaper_died_first_the_next_start_cleans_up_and_says_so() {
    some_at_a_time(the_next_start_cleans_up);
}

fn the_next_start_cleans_up(family: &'static str) {
    let mut dead = without_reaper(family);
    let pid = dead.family.test.expect("it ran").pid;
    let mut relatives = std::mem::take(&mut dead.family);
    let mut next = Victim::start_in(dead.into_dir(), Way::Program, "network_delay", &[]);
    let status = next.wait();
    let output = next.output();
    println!("{output}");
    assert!(status.success(), "{output}");
    // A port that was theirs may be one of another victim's for as long as that one lives.
    let since = Instant::now();
    loop {
        let left = relatives.left(&next.results()).things;
        if left.is_empty() {
            break;
        }
        assert!(since.elapsed() < LIMIT, "{family}: left behind: {left:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
    until_clean(&mut next, Instant::now(), "the next start");
    let told = format!("cleaned up after a run that is gone: pid {pid}");
    assert!(output.contains(&told), "{told} is not in: {output}");
    let records = records(&next);
    let report =
        records.iter().find(|report| report.test.contains("network_delay") && report.trace.trouble.is_none());
    let report =
        report.unwrap_or_else(|| panic!("{family}: the next one has no record of its own: {output}"));
    assert!(report.housekeeping.iter().any(|line| line.contains(&told)), "{:?}", report.housekeeping);
    assert!(report.text().contains(&told), "{}", report.text());
    let killed = records.iter().find(|report| report.trace.trouble.is_some()).expect("so has the killed one");
    println!("{}", killed.headline());
    assert!(killed.headline().contains("a later sweep cleaned up"), "{}", killed.headline());
}

/// Runs the program of the victims below a limit that a shell sets, and says what it wrote and what it came to. A run that
/// a busy host has made void says nothing of the limit, and is made again.
fn limited(limit: &str, family: &str) -> (String, Victimless) {
    let is_void = |(text, _): &(String, Victimless)| VOID.iter().any(|label| text.contains(label));
    let found = (0..5).map(|_| limited_once(limit, family)).find(|ran| !is_void(ran));
    found.expect("this host is too busy for any baseline")
}

fn limited_once(limit: &str, family: &str) -> (String, Victimless) {
    let dir = tempfile::tempdir().expect("a folder");
    let mut shell = Command::new("sh");
    without_runner(&mut shell);
    shell
        .args(["-c", &format!("{limit} \"$@\""), "sh", env!("CARGO_BIN_EXE_victim"), family])
        .env("CHAOS_TEST_DIR", dir.path().join("results"))
        .env("CHAOS_TEST_LOCK_DIR", dir.path().join("locks"))
        .env(NOTES, dir.path().join("notes"));
    let output = shell.output().expect("there is a shell");
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let notes = std::fs::read_to_string(dir.path().join("notes")).unwrap_or_default();
    let logs = dir.path().join("results");
    let started = files(&logs, |name| name == "logs").iter().any(|logs| {
        std::fs::read_dir(logs)
            .into_iter()
            .flatten()
            .flatten()
            .any(|run| std::fs::metadata(run.path().join("app.log")).is_ok_and(|log| log.len() > 0))
    });
    let after = Victimless { started, injected: notes.lines().any(|line| line.starts_with("owed ")) };
    (text, after)
}

/// What a victim came to that was not killed.
#[derive(Debug, Clone, Copy)]
struct Victimless {
    /// Its service ran.
    started: bool,
    /// Its injector was asked to inject.
    injected: bool,
}

#[test]
fn nothing_is_done_that_the_ledger_cannot_take() {
    if Command::new("prlimit").arg("--version").output().is_err() {
        println!("SKIPPED: there is no `prlimit` (of util-linux) here, which sets how long a file may get");
        return;
    }
    // A file that may not grow is what a full disk is to whoever writes it. Every file comes to its turn.
    let (mut unstarted, mut injected) = (0, 0);
    for bytes in (0..=12_000).step_by(400) {
        let limit = format!("trap '' XFSZ; exec prlimit --fsize={bytes}:{bytes}");
        let (text, after) = limited(&limit, "network_delay");
        println!("{bytes} bytes: {after:?}\n{text}");
        if after.injected {
            injected += 1;
            break;
        }
        unstarted += 1;
        assert!(!after.started, "{text}");
        assert!(text.contains("Error(setup)") && text.contains("File too large"), "{text}");
        let says = ["nothing was started: cannot write", "not started, for its end", "run.json"];
        assert!(says.iter().any(|said| text.contains(said)), "{text}");
    }
    assert!(unstarted > 0 && injected > 0, "{unstarted} {injected}");

    // And a disk that is full by the time of the injection.
    let notes = format!("\"${NOTES}\"");
    let late = format!(
        "trap '' XFSZ; late() {{ \"$@\" & pid=$!; \
         until grep -q '^baseline ' {notes} 2>/dev/null; do sleep 0.02; done; \
         prlimit --pid $pid --fsize=1:1; wait $pid; }}; late"
    );
    let (text, after) = limited(&late, "network_delay");
    println!("full after the start: {after:?}\n{text}");
    assert!(after.started && !after.injected, "{text}");
    assert!(text.contains("nothing was injected: cannot write the ledger"), "{text}");
}

#[test]
fn nothing_is_started_without_a_reaper() {
    let mut refused = 0;
    // With few descriptors the reaper cannot be started; with fewer the program itself cannot.
    for most in 10..=24 {
        let (text, after) = limited(&format!("ulimit -n {most}; exec"), "network_delay");
        if text.contains("nothing was started: the reaper, which cleans up if this process is killed") {
            refused += 1;
            assert!(text.contains("Too many open files"), "{text}");
        }
        println!("{most} descriptors: {after:?}");
        assert!(!after.injected || refused > 0, "{text}");
        if after.started {
            break;
        }
        assert!(!after.injected, "{text}");
    }
    assert!(refused > 0, "no limit kept the reaper alone from starting");
}

#[test]
fn a_stray_variable_makes_no_helper_of_a_test() {
    std::thread::scope(|threads| {
        for value in ["", "burn", "burn x", "idle 1", "reap chaos1-00000000-1-2-3-4", "nonsense"] {
            threads.spawn(move || starts_as_ever(value));
        }
    });
}

fn starts_as_ever(value: &str) {
    let mut victim = Victim::start_with(Way::Libtest, "network_delay", &[("CHAOS_TEST_HELPER", value)]);
    let status = victim.wait();
    assert!(status.success() && victim.was_in("over"), "{value:?}: {status} {}", victim.output());
    assert!(victim.output().contains("1 passed"), "{value:?}: {}", victim.output());
    until_clean(&mut victim, Instant::now(), value);
}
