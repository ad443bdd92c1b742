//! What dead runs have left is found and put away, by hand and by the next start; what is not ours is not touched.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use chaos_test::model::Stage;
use chaos_test::report::Report;
use chaos_test::slo::Verdict;
use serde_json::json;

use crate::alone::{Place, alone, namespace};
use crate::dead_runs::{Doomed, Owner, lines};
use crate::planted::{Named, Planted, session};
use crate::reports::pass;
use crate::residues::{RECORD, Residue, Residues};
use crate::runs::{VOID, service};
use crate::sandbox::{Ended, Sandbox, ended};
use crate::strangers::Strangers;

#[test]
fn twenty_residues_are_put_away_and_no_stranger_is_touched() {
    alone("reaped::twenty_residues_are_put_away_and_no_stranger_is_touched", |place| {
        let scene = Scene::new(place);

        let dry = scene.reap(&["--dry-run"]);
        assert_eq!(dry.code, Some(0), "{dry:?}");
        let found = scene.found(&dry);
        scene.all_is_there();

        let paid = scene.reap(&[]);
        assert_eq!(paid.code, Some(5), "{paid:?}");
        assert_eq!(scene.found(&paid), found, "a dry run finds the same");
        scene.all_is_put_away();
        scene.told(&paid.stdout, "FAILED   ");
        for (ledger, why) in &scene.strangers.elsewhere {
            let line = format!("left     the ledger {ledger}: {why}");
            assert!(paid.stdout.contains(&line), "{line}: {}", paid.stdout);
        }

        // What could not be paid is found and named every time, and nothing else.
        let again = scene.reap(&[]);
        assert_eq!(again.code, Some(5), "{again:?}");
        scene.told(&again.stdout, "FAILED   ");
        assert!(place == Place::Host || !again.stdout.contains("done     "), "{}", again.stdout);
        scene.all_is_put_away();

        // Somebody has looked at it.
        let stays = scene.residues.all.iter().filter(|residue| residue.stays.is_some());
        for ledger in stays.filter_map(|residue| residue.ledger.as_ref()).chain(&scene.strangers.for_people) {
            fs::remove_file(ledger).unwrap();
        }
        let last = scene.reap(&[]);
        assert_eq!(last.code, Some(0), "{last:?}");
        assert!(place == Place::Host || last.stdout.ends_with("nothing is owed\n"), "{last:?}");
    });
}

#[test]
fn the_next_start_puts_the_same_away() {
    alone("reaped::the_next_start_puts_the_same_away", |place| {
        let scene = Scene::new(place);
        let url = service("200 OK");
        let scenario = ["--scenario", "Light Network Delay", "--baseline-samples", "30"];
        let args = [&["run", "--target", &url, "--dry-run"][..], &scenario].concat();
        let started = ended(&mut scene.command(&args));
        // What it cleaned up only the first one tells; its own run may be void on a busy host, and then is made again.
        let void = |ended: &Ended| VOID.iter().any(|label| ended.stdout.contains(label));
        let again = |_| ended(&mut scene.command(&args));
        let code = if void(&started) {
            (0..3).map(again).find(|one| !void(one)).expect("this host is too busy for any run").code
        } else {
            started.code
        };
        assert_eq!(code, Some(0), "{started:?}");
        scene.all_is_put_away();
        scene.told(&started.stderr, "chaos-test: could not clean up after a run that is gone: ");
        assert!(started.stderr.contains("chaos-test: cleaned up after a run that is gone: "), "{started:?}");
    });
}

#[test]
fn a_session_that_began_outside_the_namespace_is_nobodys() {
    alone("reaped::a_session_that_began_outside_the_namespace_is_nobodys", |place| {
        // Elsewhere this session has a leader, and is somebody's.
        let Place::Namespace = place else { return };
        let (sandbox, run) = (Sandbox::new(), Doomed::new());
        let marked =
            Planted::here(Command::new("sleep").arg("1000").env("CHAOS_TEST_MARK", run.owner.mark()));
        let beside = Planted::here(Command::new("sleep").arg("1000"));
        run.die();
        let [marked, beside] = [marked.pid(), beside.pid()].map(|pid| {
            assert_eq!(session(pid), Some(0));
            Named::running(pid).unwrap()
        });
        let paid = sandbox.run(&["reap"]);
        assert_eq!(paid.code, Some(0), "{paid:?}");
        assert!(!marked.runs() && beside.runs(), "{paid:?}");
    });
}

#[test]
fn what_cannot_be_ended_is_named_and_stays_owed() {
    // The first process of a namespace is the only one that no signal from inside ends.
    let Some(mut first) = namespace() else { return };
    let sandbox = Sandbox::new();
    let owner = Owner { pid_ns: 1, pid: 7, start_ticks: 9, ..Owner::of(std::process::id()) };
    let began = json!({
        "entry": "began", "experiment": 1, "test": "t", "at": 1.0, "pending": "gone", "record": "runs/t.json",
    });
    let ledger = sandbox.write(&owner.ledger(), &lines(&[owner.opened(), began]));
    let reap = sandbox.command(&["reap"]);
    // The mark names the namespace, which is known inside only; outside, the process is nobody's to end.
    let script = r#"
        inode=$(readlink /proc/self/ns/pid | tr -dc 0-9)
        sed -i "s/\"pid_ns\":1,/\"pid_ns\":$inode,/" "$1"
        exec env "CHAOS_TEST_MARK=chaos1-$2-$inode-7-9-1" sh -c 'env -u CHAOS_TEST_MARK "$0" reap; exit $?' "$0"
    "#;
    first.args(["sh", "-c", script]).arg(reap.get_program()).arg(&ledger).arg(&owner.boot);
    first.envs(reap.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let paid = ended(first.current_dir(sandbox.path("")));
    assert_eq!(paid.code, Some(5), "{paid:?}");
    assert!(paid.stdout.contains("FAILED   pid 7 (t): process 1 still there after 5 s"), "{paid:?}");
    assert!(ledger.exists());
}

#[test]
fn a_record_that_the_disk_does_not_take_is_written_another_time() {
    let (sandbox, run) = (Sandbox::new(), Doomed::new());
    let owner = run.owner.clone();
    run.die();
    let folder = owner.ledger().rsplit_once('/').unwrap().0.to_owned();
    // A directory can no file take the place of: as little as on a full disk.
    let record = sandbox.path(&format!("{folder}/t.json"));
    fs::create_dir_all(record.join("in the way")).unwrap();
    let half_way = pass("t").never_injected().report().to_json().unwrap();
    let pending = sandbox.write(&format!("{folder}/.t.pending.json"), &half_way);
    let began = json!({
        "entry": "began", "experiment": 1, "test": "t", "at": 1.0, "pending": pending, "record": record,
    });
    let ledger = sandbox.write(&owner.ledger(), &lines(&[owner.opened(), began]));

    let refused = sandbox.run(&["reap"]);
    assert_eq!(refused.code, Some(5), "{refused:?}");
    let line = refused.stdout.lines().find(|line| line.starts_with("FAILED   ")).unwrap();
    assert!(line.contains("its record could not be written yet: "), "{line}");
    assert!(pending.exists() && ledger.exists());

    // Now there is room, but for what this says of it. That keeps nobody from cleaning up.
    fs::remove_dir_all(&record).unwrap();
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let paid = sandbox.command(&["reap"]).stdout(full).output().unwrap();
    let said = String::from_utf8(paid.stderr).unwrap();
    assert_eq!(paid.status.code(), Some(2), "{said}");
    assert!(said.contains("cannot write to stdout: ") && !said.contains("--report"), "{said}");
    let written = Report::from_json(&fs::read(&record).unwrap()).unwrap();
    assert_eq!(written.trace.trouble.map(|trouble| trouble.stage), Some(Stage::Killed));
    assert!(!pending.exists() && !ledger.exists());
}

/// Twenty residues among as many strangers.
struct Scene {
    place: Place,
    sandbox: Sandbox,
    residues: Residues,
    strangers: Strangers,
}

impl Scene {
    fn new(place: Place) -> Self {
        let sandbox = Sandbox::new();
        fs::create_dir(sandbox.path("tmp")).unwrap();
        let residues = Residues::plant(&sandbox);
        let strangers = Strangers::place(&sandbox, &residues.bystanders);
        let scene = Self { place, sandbox, residues, strangers };
        assert_eq!(scene.residues.all.len(), 20);
        // Three more where there can be something of another user's.
        assert!([20, 23].contains(&scene.strangers.all.len()), "{}", scene.strangers.all.len());
        scene.all_is_there();
        scene
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.sandbox.command(args);
        command.env("TMPDIR", self.sandbox.path("tmp"));
        command.env("CHAOS_TEST_LOCK_DIR", self.sandbox.path("locks"));
        command
    }

    fn reap(&self, args: &[&str]) -> Ended {
        ended(&mut self.command(&[&["reap"][..], args].concat()))
    }

    /// What was found: each residue and nothing else, but for what is named and left alone.
    fn found(&self, ended: &Ended) -> BTreeSet<String> {
        let lines: Vec<&str> =
            ended.stdout.lines().filter_map(|line| line.strip_prefix("found    ")).collect();
        for residue in &self.residues.all {
            let is_told = residue.told_by.iter().any(|name| lines.iter().any(|line| line.contains(name)));
            assert!(is_told || self.may_be_gone(residue), "{} was not found: {ended:?}", residue.kind);
        }
        let residues = self.residues.all.iter().flat_map(|residue| &residue.told_by);
        let for_people: Vec<String> =
            self.strangers.for_people.iter().map(|path| self.sandbox.short(path)).collect();
        let known: Vec<&String> = residues.chain(&for_people).collect();
        for line in &lines {
            let is_known = known.iter().any(|name| line.contains(name.as_str()));
            // Where others can be seen, they may have left something as well.
            let is_others = self.place == Place::Host && line.starts_with("process ");
            assert!(is_known || is_others, "found what is none of ours: {line}");
        }
        let told =
            lines.into_iter().filter(|line| self.place == Place::Namespace || !line.starts_with("process "));
        // By mark: one of them starts processes all the time.
        told.map(|line| line.split_once(" marked ").map_or(line, |(_, mark)| mark).to_owned()).collect()
    }

    /// Where others can be seen, the start of another chaos test may have been first.
    fn may_be_gone(&self, residue: &Residue) -> bool {
        self.place == Place::Host && residue.is_stray_process()
    }

    fn all_is_there(&self) {
        for residue in &self.residues.all {
            let ledger = residue.ledger.as_ref().is_some_and(|ledger| ledger.exists());
            let is_there = (residue.is_there)() || ledger || self.may_be_gone(residue);
            assert!(is_there, "{} is not there", residue.kind);
        }
        self.strangers_are_untouched();
    }

    /// Each residue is gone. Where something is left to be looked at, so is the ledger that says so.
    fn all_is_put_away(&self) {
        for residue in &self.residues.all {
            assert!(!(residue.is_there)(), "{} is still there", residue.kind);
            if let Some(ledger) = &residue.ledger {
                assert_eq!(ledger.exists(), residue.stays.is_some(), "the ledger of {}", residue.kind);
            }
        }
        self.strangers_are_untouched();
        self.newest_first();
        self.the_record();
    }

    fn strangers_are_untouched(&self) {
        for stranger in &self.strangers.all {
            assert!(stranger.is_untouched(), "{} was touched", stranger.kind);
        }
    }

    fn newest_first(&self) {
        let (log, ids) = &self.residues.several;
        let log = self.sandbox.read(log);
        let ends: Vec<usize> = ids.iter().map(|id| log.find(&format!("({id}): ")).expect(&log)).collect();
        assert!(ends.is_sorted_by(|older, newer| older > newer), "{log}");
    }

    fn the_record(&self) {
        let record = Report::from_json(self.sandbox.read(RECORD).as_bytes()).unwrap();
        let trouble = record.trace.trouble.as_ref().expect("it was killed");
        assert_eq!(trouble.stage, Stage::Killed);
        assert!(trouble.message.contains("its reaper was gone as well"), "{}", trouble.message);
        assert_eq!(record.verdict(), Verdict::Error);
        // The sweep may come days later: when the test died, nobody knows.
        assert!(
            trouble.message.contains(") after its start, before any fault; 0 of 0 reverts"),
            "{}",
            trouble.message
        );
        assert_eq!(record.took.as_secs(), 44);
    }

    /// What could not be put away: all of it is named with the reason, and nothing else.
    fn told(&self, output: &str, prefix: &str) {
        let lines: Vec<&str> = output.lines().filter_map(|line| line.strip_prefix(prefix)).collect();
        let residues = self.residues.all.iter().filter_map(|residue| residue.stays);
        let strangers = self.strangers.named.iter().map(|(_, why)| *why);
        for why in residues.chain(strangers) {
            assert_eq!(lines.iter().filter(|line| line.contains(why)).count(), 1, "{why}: {output}");
        }
        for (name, why) in &self.strangers.named {
            assert!(lines.iter().any(|line| line.contains(name) && line.contains(why)), "{name}: {output}");
        }
        assert_eq!(lines.len(), 6, "{output}");
    }
}
