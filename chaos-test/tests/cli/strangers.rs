//! What looks like something a dead run has left, and is none of ours.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use crate::dead_runs::{Doomed, Owner, lines, owed, owed_end, remove_file};
use crate::planted::{Named, Planted};
use crate::sandbox::Sandbox;

/// Somebody else's processes and files.
pub(crate) struct Stranger {
    pub(crate) kind: &'static str,
    processes: Vec<Named>,
    /// With what they were.
    files: Vec<(PathBuf, Look)>,
}

/// What a file is: its inode, kind, owner, times and content.
#[derive(Debug, PartialEq)]
struct Look {
    inode: u64,
    mode: u32,
    user: u32,
    changed: (i64, i64),
    content: Vec<u8>,
}

impl Look {
    fn at(path: &Path) -> Option<Self> {
        let meta = fs::symlink_metadata(path).ok()?;
        let content = if meta.is_file() { fs::read(path).ok()? } else { Vec::new() };
        Some(Self {
            inode: meta.ino(),
            mode: meta.mode(),
            user: meta.uid(),
            changed: (meta.ctime(), meta.ctime_nsec()),
            content,
        })
    }
}

impl Stranger {
    pub(crate) fn is_untouched(&self) -> bool {
        self.processes.iter().all(|process| process.runs())
            && self.files.iter().all(|(path, look)| Look::at(path).as_ref() == Some(look))
    }
}

/// All of them. The processes are ended when this is dropped.
#[derive(Default)]
pub(crate) struct Strangers {
    pub(crate) all: Vec<Stranger>,
    processes: Vec<Planted>,
    runs: Vec<Doomed>,
    /// Parts of the lines that name what is there and is not touched: a ledger each, and why.
    pub(crate) named: Vec<(String, &'static str)>,
    /// Ledgers that only somebody else can pay, and why.
    pub(crate) elsewhere: Vec<(String, &'static str)>,
    /// Ledgers to put away by hand once they were looked at.
    pub(crate) for_people: Vec<PathBuf>,
}

impl Strangers {
    /// Puts everything there, and then kills the runs whose names it bears.
    pub(crate) fn place(sandbox: &Sandbox, bystanders: &[Named]) -> Self {
        let mut strangers = Self::default();
        let (run, living) = (Doomed::new(), Owner::of(std::process::id()));
        strangers.with_marks(&run.owner, &living);
        strangers.without_marks(&run.owner);
        strangers.add("the session that a marked process is in", bystanders.to_vec());
        strangers.files(&run.owner, &living, sandbox);
        strangers.ledgers(&living, sandbox);
        strangers.of_another_user(&run.owner, sandbox);
        strangers.runs.push(run);
        strangers.runs.drain(..).for_each(Doomed::die);
        strangers
    }

    fn with_marks(&mut self, dead: &Owner, living: &Owner) {
        let (boot, ns) = (&dead.boot, dead.pid_ns);
        let elsewhere = Owner { pid_ns: ns + 1, ..dead.clone() }.mark();
        let malformed = format!("chaos1-{boot}-{ns}-0{}-{}-1", dead.pid, dead.start_ticks);
        for (kind, variable, mark) in [
            ("a malformed mark", "CHAOS_TEST_MARK", malformed),
            ("a mark in another variable", "NOT_CHAOS_TEST_MARK", dead.mark()),
            ("a mark of a test that lives", "CHAOS_TEST_MARK", living.mark()),
            ("a mark of another pid namespace", "CHAOS_TEST_MARK", elsewhere),
            ("a mark of a later format", "CHAOS_TEST_MARK", dead.mark().replacen("chaos1", "chaos2", 1)),
        ] {
            let process = Planted::start(Command::new("sleep").arg("1000").env(variable, mark));
            self.keep(kind, process);
        }
    }

    fn without_marks(&mut self, dead: &Owner) {
        let argument = format!("CHAOS_TEST_MARK={}", dead.mark());
        for (kind, first) in [
            ("a mark on a command line", argument.as_str()),
            ("a program called as ours is", "chaos-test-burn"),
        ] {
            self.keep(kind, Planted::here(Command::new("sleep").arg0(first).arg("1000")));
        }
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        self.keep("a listener", Planted::listening(Command::new("sleep").arg("1000"), listener));
    }

    fn files(&mut self, dead: &Owner, living: &Owner, sandbox: &Sandbox) {
        let path = sandbox.write("tmp/chaos-test-notes.txt", "mine");
        self.keep_file("a file that is called as ours are", path);
        let path = sandbox.path(&format!("tmp/chaos-test-{}", dead.mark()));
        fs::create_dir(&path).unwrap();
        self.keep_file("a directory with a mark in its name", path);
        let target = sandbox.write("data/precious", "mine");
        let path = sandbox.path(&format!("tmp/chaos-test-{}", dead.mark()));
        symlink(&target, &path).unwrap();
        self.keep_files("a link with a mark in its name", &[path, target]);
        let path = sandbox.write("tmp/chaos-test-marks.log", &format!("chaos-test-{}\n", dead.mark()));
        self.keep_file("a file that holds a mark", path);
        let path = sandbox.write(&format!("tmp/chaos-test-{}", living.mark()), "mine");
        self.keep_file("a file of a test that lives", path);
        let path = sandbox.write("runs/another-tool/ledger-2026.jsonl", "");
        self.keep_file("a file of another tool", path);
    }

    fn ledgers(&mut self, living: &Owner, sandbox: &Sandbox) {
        let mark = living.mark();
        let service = Planted::start(Command::new("sleep").arg("1000").env("CHAOS_TEST_MARK", &mark));
        let members = service.members();
        self.processes.push(service);
        let path = sandbox.write(&living.ledger(), &lines(&[living.opened(), owed_end(&mark)]));
        self.keep_file("a ledger of a test that lives", path);

        let run = Doomed::new();
        let elsewhere = Owner { pid_ns: run.owner.pid_ns + 1, ..run.owner.clone() };
        let name = elsewhere.ledger();
        let path = sandbox.write(&name, &lines(&[elsewhere.opened(), owed_end(&elsewhere.mark())]));
        self.elsewhere.push((name, "its owner is in another pid namespace"));
        self.keep_file("a ledger of another pid namespace", path);
        self.runs.push(run);

        let name = "runs/another-tool/ledger-x.jsonl";
        let path = sandbox.write(name, "{\"account\":\"sales\",\"sum\":12}\n");
        self.name(name, "its first line does not say whose it is", path.clone());
        self.keep_file("a ledger of another kind", path);

        let run = Doomed::new();
        let mut opened = run.owner.opened();
        opened["format"] = json!(2);
        let name = run.owner.ledger();
        let path = sandbox.write(&name, &lines(&[opened, owed_end(&run.owner.mark())]));
        self.name(&name, "it is of format 2", path.clone());
        self.keep_file("a ledger of a later format", path);
        self.runs.push(run);

        // A ledger of ours that was tampered with: it names what is not its owner's.
        let run = Doomed::new();
        let victim = sandbox.write("data/thesis.tex", "mine");
        let entries = [
            run.owner.opened(),
            owed(&run.owner.mark(), &[remove_file(&victim, &run.owner.mark())]),
            owed_end(&mark),
        ];
        let name = run.owner.ledger();
        let path = sandbox.write(&name, &lines(&entries));
        let owner = format!("pid {}: ", run.owner.pid);
        self.for_people.push(path);
        self.named.push((owner.clone(), "does not carry our mark in its name"));
        self.named.push((owner, "is not of the run whose ledger this is"));
        self.runs.push(run);
        self.keep_files("what a ledger names and no mark proves", &[victim]);
        self.all.last_mut().unwrap().processes = members;
    }

    /// Only root can make these.
    fn of_another_user(&mut self, dead: &Owner, sandbox: &Sandbox) {
        const NOBODY: u32 = 65534;
        let path = sandbox.write(&format!("tmp/chaos-test-{}", dead.mark()), "another's");
        if chown(&path, Some(NOBODY), Some(NOBODY)).is_err() {
            return fs::remove_file(path).unwrap();
        }
        self.keep_file("a file of another user", path);
        let run = Doomed::new();
        let name = run.owner.ledger();
        let path = sandbox.write(&name, &lines(&[run.owner.opened(), owed_end(&run.owner.mark())]));
        chown(&path, Some(NOBODY), Some(NOBODY)).unwrap();
        self.elsewhere.push((name, "it is another user's"));
        self.keep_file("a ledger of another user", path);
        self.runs.push(run);
        let mut command = Command::new("sleep");
        command.arg("1000").env("CHAOS_TEST_MARK", dead.mark()).uid(NOBODY).gid(NOBODY);
        self.keep("a process of another user", Planted::here(&mut command));
    }

    fn keep(&mut self, kind: &'static str, process: Planted) {
        let named = Named::running(process.pid()).unwrap();
        self.processes.push(process);
        self.add(kind, vec![named]);
    }

    fn add(&mut self, kind: &'static str, processes: Vec<Named>) {
        assert!(!processes.is_empty());
        self.all.push(Stranger { kind, processes, files: Vec::new() });
    }

    fn keep_file(&mut self, kind: &'static str, path: PathBuf) {
        self.keep_files(kind, &[path]);
    }

    fn keep_files(&mut self, kind: &'static str, paths: &[PathBuf]) {
        let files = paths.iter().map(|path| (path.clone(), Look::at(path).unwrap())).collect();
        self.all.push(Stranger { kind, processes: Vec::new(), files });
    }

    fn name(&mut self, ledger: &str, why: &'static str, path: PathBuf) {
        self.named.push((ledger.to_owned(), why));
        self.for_people.push(path);
    }
}
