//! Test processes that are told to end, that drop their run, that block their own thread.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use chaos_test::report::Report;
use tempfile::TempDir;

/// A test process, its fault, and its records.
struct Doomed {
    child: Child,
    out: BufReader<std::process::ChildStdout>,
    dir: TempDir,
    flag: PathBuf,
    service: String,
}

/// What is left of it.
struct Left {
    status: ExitStatus,
    error: String,
    report: Report,
}

impl Doomed {
    /// Starts it and waits until its fault is in and its body runs.
    fn start(how: &str, flag: &str, mode: Option<&str>) -> Self {
        let dir = tempfile::tempdir().expect("there is room");
        let flag = dir.path().join(flag);
        let mut command = Command::new(env!("CARGO_BIN_EXE_doomed"));
        command.arg(&flag).arg(how).stdout(Stdio::piped()).stderr(Stdio::piped());
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("NEXTEST")) {
            command.env_remove(name);
        }
        command.env("CHAOS_TEST_DIR", dir.path()).env("CHAOS_TEST_RUN_ID", "run");
        // Nobody else on this host is waited for.
        command.env("CHAOS_TEST_LOCK_DIR", dir.path().join("locks"));
        if let Some(mode) = mode {
            command.env("NEXTEST_EXECUTION_MODE", mode);
        }
        let mut child = command.spawn().expect("it was built with this test");
        let mut out = BufReader::new(child.stdout.take().expect("it is piped"));
        let service = line(&mut out).strip_prefix("service ").expect("it starts").to_owned();
        assert_eq!(line(&mut out), "in");
        Self { child, out, dir, flag, service }
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().expect("kill is there").success());
    }

    fn records(&self) -> (Vec<PathBuf>, Vec<PathBuf>) {
        let files = std::fs::read_dir(self.dir.path().join("run")).expect("the run has a folder");
        let files = files
            .map(|file| file.unwrap().path())
            .filter(|file| file.extension().is_some_and(|e| e == "json") && !file.ends_with("run.json"));
        files.partition(|file| !file.file_name().unwrap().to_string_lossy().starts_with('.'))
    }

    /// Waits for its end: the fault and the service are gone, one record is there, and no pending one.
    fn end(mut self) -> Left {
        let status = self.child.wait().expect("it is ours");
        let (mut printed, mut error) = (String::new(), String::new());
        self.child.stderr.take().unwrap().read_to_string(&mut error).unwrap();
        self.out.read_to_string(&mut printed).unwrap();
        println!("{status}\n{printed}\n{error}");
        assert!(!self.flag.exists(), "the fault is still there");
        assert!(!runs(&self.service), "its service still runs");
        let (records, pending) = self.records();
        assert_eq!((records.len(), pending.len()), (1, 0), "{records:?} {pending:?}");
        let report = read(&records[0]);
        Left { status, error, report }
    }
}

impl Drop for Doomed {
    fn drop(&mut self) {
        let _ = self.child.kill().and_then(|()| self.child.wait());
    }
}

fn line(out: &mut impl BufRead) -> String {
    let mut line = String::new();
    out.read_line(&mut line).expect("it is text");
    line.trim().to_owned()
}

fn read(path: &Path) -> Report {
    Report::from_json(&std::fs::read(path).unwrap()).expect("it is a record")
}

/// Whether that process still does anything.
fn runs(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z ")
}

fn ends_by(name: &str, number: i32) {
    let doomed = Doomed::start("wait", name, None);
    assert!(doomed.flag.exists(), "the fault is in");
    // Should it be killed now, there is a record of how far it came.
    let begun = Instant::now();
    let pending = loop {
        let (records, pending) = doomed.records();
        assert!(records.is_empty(), "{records:?}");
        let report = pending.first().map(|path| read(path));
        if let Some(report) = report.filter(|report| report.trace.marks.injected.is_some()) {
            break report;
        }
        assert!(begun.elapsed() < Duration::from_secs(50), "nothing was kept");
        std::thread::sleep(Duration::from_millis(10));
    };
    assert!(!pending.trace.streams[0].samples.is_empty() && pending.trace.delivery.is_some());
    doomed.signal(name);
    let left = doomed.end();
    assert_eq!(left.status.signal(), Some(number), "it ends by the signal itself");
    let label = format!("Aborted(SIG{name})");
    assert_eq!(left.report.judgement.label(), label, "{}", left.report.text());
    let headline = format!("Error: {}", left.report.headline());
    assert!(left.error.lines().any(|line| line == headline), "{}", left.error);
    assert!(left.report.trace.marks.removed.is_some() && left.report.trace.residue.is_empty());
}

#[test]
fn sigterm_is_died_of_once_the_fault_is_gone_and_the_record_written() {
    ends_by("TERM", 15);
}

#[test]
fn sigint_is_died_of_once_the_fault_is_gone_and_the_record_written() {
    ends_by("INT", 2);
}

#[test]
fn sighup_is_died_of_once_the_fault_is_gone_and_the_record_written() {
    ends_by("HUP", 1);
}

#[test]
fn a_probe_that_blocks_its_thread_makes_nobody_deaf() {
    let doomed = Doomed::start("blind", "flag", None);
    // Several looks have a thread each by then, more than the harness has.
    std::thread::sleep(Duration::from_secs(1));
    doomed.signal("TERM");
    let left = doomed.end();
    assert_eq!(left.status.signal(), Some(15));
    assert_eq!(left.report.judgement.label(), "Aborted(SIGTERM)", "{}", left.report.text());
    assert!(left.report.trace.marks.removed.is_some());
}

/// The watch is over, and the body has half a minute more.
#[test]
fn a_body_that_is_waited_for_at_the_end_is_not_waited_for_after_a_signal() {
    let mut doomed = Doomed::start("linger", "flag", None);
    assert_eq!(line(&mut doomed.out), "watched");
    doomed.signal("TERM");
    let left = doomed.end();
    assert_eq!(left.status.signal(), Some(15));
    assert_eq!(left.report.judgement.label(), "Aborted(SIGTERM)", "{}", left.report.text());
    let trace = &left.report.trace;
    assert!(trace.abort.as_ref().map(|abort| abort.at) >= trace.marks.ended, "{:?}", trace.abort);
    assert_eq!(trace.body, None, "its time was not up");
}

#[test]
fn a_run_that_its_test_drops_is_undone_and_recorded_all_the_same() {
    let left = Doomed::start("wait", "dropped", None).end();
    assert_eq!(left.status.code(), Some(0));
    assert_eq!(left.report.judgement.label(), "Aborted(test dropped)", "{}", left.report.text());
}

#[test]
fn a_test_that_blocks_its_thread_is_ended_where_it_has_a_process_to_itself() {
    let left = Doomed::start("block", "flag", Some("process-per-test")).end();
    assert_eq!(left.status.code(), Some(101));
    assert!(
        left.error.lines().any(|line| line == format!("Error: {}", left.report.headline())),
        "{}",
        left.error
    );
    assert!(left.error.contains("the test's own thread is blocked"), "{}", left.error);
    assert!(left.report.headline().contains("still running"), "{}", left.report.headline());
}

#[test]
fn a_test_that_blocks_its_thread_among_others_is_only_told_of() {
    let mut doomed = Doomed::start("block", "flag", None);
    let mut error = BufReader::new(doomed.child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("the test's own thread is blocked") {
        line.clear();
        assert!(error.read_line(&mut line).unwrap() > 0, "it ended without a word");
    }
    assert!(line.starts_with("note: ") && line.contains("block.json"), "{line}");
    assert!(!doomed.flag.exists() && doomed.child.try_wait().unwrap().is_none());
    // Its record is there long before it ends; told to end, it dies of that.
    assert_eq!(doomed.records().0.len(), 1);
    doomed.signal("TERM");
    assert_eq!(doomed.child.wait().unwrap().signal(), Some(15));
    assert!(!runs(&doomed.service), "its service still runs");
}

#[test]
fn a_test_whose_runner_is_gone_says_so() {
    let dir = tempfile::tempdir().expect("there is room");
    let flag = dir.path().join("flag");
    // The shell stands for the runner.
    let mut runner = Command::new("sh")
        .args(["-c", "\"$0\" \"$@\" & echo $!; wait"])
        .args([Path::new(env!("CARGO_BIN_EXE_doomed")), &flag, Path::new("wait")])
        .env("CHAOS_TEST_DIR", dir.path())
        .env("CHAOS_TEST_RUN_ID", "run")
        .env("CHAOS_TEST_LOCK_DIR", dir.path().join("locks"))
        .stdout(Stdio::piped())
        .spawn()
        .expect("there is a shell");
    let mut out = BufReader::new(runner.stdout.take().unwrap());
    let mut lines = Vec::new();
    while lines.last().is_none_or(|line| line != "in") {
        let mut line = String::new();
        assert!(out.read_line(&mut line).unwrap() > 0, "it ended early: {lines:?}");
        lines.push(line.trim().to_owned());
    }
    let pid = lines.iter().find(|line| line.bytes().all(|b| b.is_ascii_digit())).expect("the shell tells it");
    runner.kill().and_then(|()| runner.wait()).unwrap();
    assert!(Command::new("kill").args(["-s", "TERM", pid]).status().unwrap().success());
    let begun = Instant::now();
    while runs(pid) && begun.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(!runs(pid) && !flag.exists());
    let records = std::fs::read_dir(dir.path().join("run")).unwrap().map(|file| file.unwrap().path());
    let is_record =
        |file: &PathBuf| file.extension().is_some_and(|e| e == "json") && !file.ends_with("run.json");
    let record = records.filter(is_record).collect::<Vec<_>>();
    assert_eq!(record.len(), 1, "{record:?}");
    assert_eq!(read(&record[0]).judgement.label(), "Aborted(runner gone)");
}
