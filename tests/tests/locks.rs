//! Experiments of different processes keep out of each other's way.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "starts programs")]

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chaos_test::prelude::*;
use suite::{Noted, Stub};

/// An experiment in a process of its own.
struct Running {
    child: Child,
    lines: BufReader<ChildStdout>,
    said: String,
}

impl Running {
    fn start(locks: Option<&Path>, stub: &Stub, args: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_experiment"));
        command.args(["--url", &stub.url()]).args(args).envs(variables.iter().copied());
        if let Some(locks) = locks {
            command.env("CHAOS_TEST_LOCK_DIR", locks).env("CHAOS_TEST_DIR", locks.join("results"));
        }
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let lines = BufReader::new(child.stdout.take().expect("it is piped"));
        Self { child, lines, said: String::new() }
    }

    /// Reads until a line begins with that word.
    fn until(&mut self, word: &str) -> String {
        loop {
            let mut line = String::new();
            let read = self.lines.read_line(&mut line).expect("it can be read");
            assert!(read > 0, "it never said `{word}`: {}", self.said);
            self.said += &line;
            if line.starts_with(word) {
                return line;
            }
        }
    }

    /// All it said, once it has ended.
    fn end(mut self) -> String {
        self.lines.read_to_string(&mut self.said).expect("it can be read");
        let mut errors = self.child.stderr.take().expect("it is piped");
        errors.read_to_string(&mut self.said).expect("it can be read");
        self.child.wait().expect("it ends");
        println!("{}", self.said);
        std::mem::take(&mut self.said)
    }

    fn kill(mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it has ended");
    }
}

impl Drop for Running {
    /// A test that fails leaves nobody behind who has a lock for minutes.
    fn drop(&mut self) {
        let _ = self.child.kill().and_then(|()| self.child.wait());
    }
}

/// From when to when a fault was in.
fn span(said: &str) -> (f64, f64) {
    let at = |word: &str| {
        let line = said.lines().find_map(|line| line.strip_prefix(word));
        line.unwrap_or_else(|| panic!("no `{word}` in {said}")).trim().parse::<f64>().expect("a number")
    };
    (at("in "), at("out "))
}

fn apart(one: (f64, f64), other: (f64, f64)) -> bool {
    one.1 <= other.0 || other.1 <= one.0
}

/// Stubs with threads of their own: the tests here wait for processes.
fn stubs<const N: usize>() -> (tokio::runtime::Runtime, [Stub; N]) {
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    let stubs = std::array::from_fn(|_| runtime.block_on(Stub::start(0)).expect("a free port"));
    (runtime, stubs)
}

#[test]
fn a_fault_that_the_whole_host_feels_runs_alone() {
    let (_runtime, stubs) = stubs::<4>();
    let dir = tempfile::tempdir().expect("a folder");
    let kinds = ["cpu", "delay", "cpu", "delay"];
    let start =
        |(kind, stub)| Running::start(Some(dir.path()), stub, &["--kind", kind, "--hold", "600ms"], &[]);
    let running: Vec<Running> = kinds.into_iter().zip(&stubs).map(start).collect();
    let spans: Vec<_> = running.into_iter().map(|running| span(&running.end())).collect();
    for (one, other) in [(0, 1), (0, 2), (0, 3), (2, 1), (2, 3)] {
        assert!(apart(spans[one], spans[other]), "{one} and {other} of {spans:?}");
    }
}

#[test]
fn others_run_side_by_side() {
    let (_runtime, [one, other]) = stubs();
    let dir = tempfile::tempdir().expect("a folder");
    let mut long = Running::start(Some(dir.path()), &one, &["--hold", "300s"], &[]);
    long.until("in ");
    span(&Running::start(Some(dir.path()), &other, &[], &[]).end());
    assert!(long.child.try_wait().expect("it can be asked").is_none(), "it is still under way");
    long.kill();
}

#[test]
fn a_stream_of_others_cannot_keep_out_who_wants_the_host_alone() {
    let (_runtime, [wanted, others @ ..]) = stubs::<4>();
    let dir = tempfile::tempdir().expect("a folder");
    let (over, stopped) = (AtomicBool::new(false), AtomicBool::new(false));
    let shared = Mutex::new(Vec::new());
    let catalogue = dir.path().join("no_cooldown.yml");
    std::fs::write(&catalogue, "safety: {cooldown_seconds: 0}").expect("it can be written");
    let path = catalogue.display().to_string();
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for (n, stub) in others.iter().enumerate() {
            let (over, stopped, shared, path, dir) = (&over, &stopped, &shared, path.as_str(), dir.path());
            scope.spawn(move || {
                std::thread::sleep(Duration::from_millis(400) * n as u32);
                // Each leaves its lock long after the next one of another thread has taken it.
                let variables = [("CHAOS_TEST_LOCK_WAIT", "90s"), ("CHAOS_TEST_CATALOGUE", path)];
                while !over.load(Ordering::SeqCst) && begun.elapsed() < Duration::from_secs(180) {
                    let said = Running::start(Some(dir), stub, &["--hold", "200ms"], &variables).end();
                    // A baseline that was not well is no fault, and the lock was had all the same.
                    if said.lines().any(|line| line.starts_with("in ")) {
                        shared.lock().expect("nobody panics with it").push(span(&said));
                    }
                }
                stopped.store(true, Ordering::SeqCst);
            });
        }
        std::thread::sleep(Duration::from_secs(2));
        let said =
            Running::start(Some(dir.path()), &wanted, &["--kind", "cpu", "--hold", "200ms"], &[]).end();
        let in_time = !stopped.load(Ordering::SeqCst);
        over.store(true, Ordering::SeqCst);
        let alone = span(&said);
        assert!(in_time, "not only when the others had stopped");
        let before = |other: &(f64, f64)| other.1 <= alone.0;
        let shared = shared.lock().expect("nobody panics with it");
        assert!(shared.iter().any(before), "there is a stream: {shared:?}, and {alone:?}");
        assert!(shared.iter().all(|other| apart(*other, alone)), "{shared:?} and {alone:?}");
    });
}

#[test]
fn a_killed_process_gives_up_its_locks() {
    let (_runtime, [one, other]) = stubs();
    let dir = tempfile::tempdir().expect("a folder");
    let mut killed = Running::start(Some(dir.path()), &one, &["--hold", "300s"], &[]);
    killed.until("in ");
    killed.kill();
    span(&Running::start(Some(dir.path()), &other, &["--kind", "cpu"], &[]).end());
}

#[test]
fn waiting_is_told_and_has_an_end() {
    let (_runtime, [one, other]) = stubs();
    let dir = tempfile::tempdir().expect("a folder");
    let mut long = Running::start(Some(dir.path()), &one, &["--hold", "300s", "--name", "the_long_one"], &[]);
    long.until("in ");
    let variables = [("CHAOS_TEST_LOCK_WAIT", "4s")];
    let args = ["--kind", "cpu", "--name", "the_next_one"];
    let said = Running::start(Some(dir.path()), &other, &args, &variables).end();
    let holder = format!("it is with the_long_one (process {}, for ", long.child.id());
    let line = said
        .lines()
        .find(|line| line.starts_with("chaos-test: the_next_one waits to have this host to itself"))
        .expect("a line");
    assert!(line.contains(&holder) && line.contains(" s so far)"), "{line}");
    let error = said.lines().find(|line| line.contains("gave up after 4 s")).expect("an error");
    assert!(error.contains(&holder) && error.contains("CHAOS_TEST_LOCK_WAIT"), "{error}");
    assert!(!said.contains("\nin ") && !said.starts_with("in ") && other.served().is_empty(), "{said}");

    let said = Running::start(Some(dir.path()), &one, &["--name", "at_the_same_one"], &variables).end();
    let address = one.url().replace("http://", "");
    assert!(
        said.contains(&format!("at_the_same_one waits for {address}, at which one experiment at a time")),
        "{said}"
    );
    assert!(said.contains("gave up after 4 s") && said.contains(&holder), "{said}");

    let nonsense = [("CHAOS_TEST_LOCK_WAIT", "soon")];
    let said = Running::start(Some(dir.path()), &other, &[], &nonsense).end();
    assert!(said.contains("error: CHAOS_TEST_LOCK_WAIT: expected a time span"), "{said}");
    long.kill();
}

#[test]
fn a_running_target_is_left_alone_for_the_cooldown() {
    let (_runtime, [stub]) = stubs();
    let dir = tempfile::tempdir().expect("a folder");
    let start = || Running::start(Some(dir.path()), &stub, &[], &[]);
    let (one, other) = (start(), start());
    let (one, other) = (one.end(), other.end());
    let told = "`safety.cooldown_seconds` is 5 s";
    assert!(one.contains(told) != other.contains(told), "one of them waits, and says so");
    let (one, other) = (span(&one), span(&other));
    let pause = (other.0 - one.1).max(one.0 - other.1);
    // The cooldown, and after it the whole baseline of the next one.
    assert!(pause >= 6.4, "{one:?} {other:?}");
}

#[test]
fn what_injects_nothing_leaves_no_cooldown_behind() {
    let (_runtime, [stub]) = stubs();
    let dir = tempfile::tempdir().expect("a folder");
    let dry = Running::start(Some(dir.path()), &stub, &[], &[("CHAOS_TEST_DRY_RUN", "1")]).end();
    assert!(dry.contains("Skipped") && !dry.lines().any(|line| line.starts_with("in ")), "{dry}");
    let next = Running::start(Some(dir.path()), &stub, &[], &[]).end();
    span(&next);
    assert!(!next.contains("cooldown_seconds"), "there is nothing to wait for: {next}");
}

/// An experiment of this process at a stub, with a cooldown.
fn at(url: String, cooldown: &str) -> (Experiment, Noted) {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("chaos.yml");
    std::fs::write(&file, format!("safety: {{cooldown_seconds: {cooldown}}}")).expect("it can be written");
    let noted = Noted::default();
    let environment = move || async move {
        Environment::builder().url("app", url).probe("app", Probe::http("/").every(50.ms())).start().await
    };
    let experiment = Experiment::scenario_of(&file, "Light Network Delay")
        .expect("a known scenario")
        .environment(environment)
        .injector(noted.clone())
        .duration(300.ms())
        .baseline(1500.ms())
        .watch(200.ms());
    (experiment, noted)
}

#[tokio::test]
async fn two_experiments_of_one_test_keep_the_cooldown_too() {
    let stub = Stub::start(0).await.expect("a free port");
    let mut lines = Vec::new();
    for _ in 0..2 {
        let (experiment, noted) = at(stub.url(), "2s");
        experiment.run().await.expect("it is carried out");
        lines.push(noted.lines().join("\n"));
    }
    let (first, second) = (span(&lines[0]), span(&lines[1]));
    // The cooldown, and after it the whole baseline of the second.
    assert!(second.0 - first.1 >= 3.4, "{lines:?}");
}

#[tokio::test]
async fn what_a_test_starts_itself_needs_no_pause() {
    let begun = Instant::now();
    for _ in 0..2 {
        let start = || {
            let stub = Process::cargo_bin("stub").args(["--port", "{port}"]);
            Environment::builder().process("app", stub.ready(Probe::http("/").every(50.ms()))).start()
        };
        let (experiment, noted) = at(String::new(), "1h");
        experiment.environment(start).run().await.expect("it is carried out");
        assert_eq!(noted.lines().len(), 2);
    }
    assert!(begun.elapsed() < Duration::from_secs(600));
}

/// The runtime of this test has one thread: if waiting blocked it, no time limit of its own could end the wait.
#[tokio::test]
async fn who_stops_waiting_is_out_of_the_way() {
    let stub = Stub::start(0).await.expect("a free port");
    let holder = stub.clone();
    let other = tokio::task::spawn_blocking(move || {
        let mut other = Running::start(None, &holder, &["--hold", "300s"], &[]);
        other.until("in ");
        other
    });
    let other = other.await.expect("it is under way");
    let (experiment, noted) = at(stub.url(), "0s");
    // One that does not wait takes 2 s and some.
    let waited = tokio::time::timeout(Duration::from_secs(4), experiment.run()).await;
    assert!(waited.is_err() && noted.lines().is_empty(), "it waits for the other one");
    other.kill();
    let (experiment, noted) = at(stub.url(), "0s");
    experiment.run().await.expect("it is carried out");
    assert_eq!(noted.lines().len(), 2);
}
