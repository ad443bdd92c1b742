//! What twenty dead runs have left: each of a kind of its own, each with an owner that has lived.

use std::fs::{self, File, Permissions};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use serde_json::json;

use crate::dead_runs::{Doomed, Owner, lines, owed, owed_end, remove_file};
use crate::planted::{Named, Planted, has_zombie, members, state, until};
use crate::reports::pass;
use crate::sandbox::Sandbox;

/// One thing that a dead run has left.
pub(crate) struct Residue {
    pub(crate) kind: &'static str,
    /// A line about it holds one of these: its mark, its path.
    pub(crate) told_by: Vec<String>,
    /// Whether it is there.
    pub(crate) is_there: Box<dyn Fn() -> bool>,
    /// The ledger that owes it.
    pub(crate) ledger: Option<PathBuf>,
    /// Why that cannot be put away, where it cannot: a part of the line that says so.
    pub(crate) stays: Option<&'static str>,
}

impl Residue {
    /// Whether it is a process that no ledger tells of. Such a one anybody on the same host may put away.
    pub(crate) fn is_stray_process(&self) -> bool {
        self.told_by.iter().all(|name| name.starts_with("chaos1-"))
    }
}

/// All of them. Processes that are still there when this is dropped are ended.
#[derive(Default)]
pub(crate) struct Residues {
    pub(crate) all: Vec<Residue>,
    processes: Vec<Planted>,
    runs: Vec<Doomed>,
    /// Unmarked processes of the session that one of the residues is in.
    pub(crate) bystanders: Vec<Named>,
    /// The log about the ledger with several entries, and their ids, oldest first.
    pub(crate) several: (String, Vec<String>),
}

/// Where the record of the test that was killed is to be.
pub(crate) const RECORD: &str = "runs/killed/killed_half_way.json";

impl Residues {
    /// Leaves everything, and then kills the runs it belongs to.
    pub(crate) fn plant(sandbox: &Sandbox) -> Self {
        let mut planted = Self::default();
        let run = Doomed::new();
        planted.sleeper_among_others(&run.owner);
        planted.sessions(&run.owner);
        planted.parent_of_a_zombie(&run.owner);
        planted.listeners(&run.owner);
        planted.files(&run.owner, sandbox);
        planted.runs.push(run);
        planted.ledgers_of_services(sandbox);
        planted.other_ledgers(sandbox);
        // The last, because it goes on starting others only for some seconds.
        planted.forker();
        planted.runs.drain(..).for_each(Doomed::die);
        planted
    }

    fn sleeper_among_others(&mut self, owner: &Owner) {
        let mark = owner.mark();
        let script = format!("env CHAOS_TEST_MARK={mark} sleep 1000 & sleep 1000 & exec sleep 1000");
        let session = Planted::start(Command::new("sh").args(["-c", &script]));
        let all = session.until_it_has(&["sleep"; 3]);
        until("its environment", || all.iter().any(|member| member.has_mark(&mark)));
        let (sleeper, bystanders): (Vec<Named>, Vec<Named>) =
            all.into_iter().partition(|member| member.has_mark(&mark));
        assert_eq!((sleeper.len(), bystanders.len()), (1, 2));
        self.bystanders = bystanders;
        self.processes.push(session);
        self.add("a sleeper in somebody else's session", mark, sleeper);
    }

    fn sessions(&mut self, owner: &Owner) {
        let cases: [(&str, &str, &[&str]); 5] = [
            ("one that is busy", "while :; do :; done", &["sh"]),
            ("one that is deaf", "trap '' TERM INT HUP QUIT; exec sleep 1000", &["sleep"]),
            ("one that is stopped", "kill -STOP $$; exec sleep 1000", &["sh"]),
            (
                "a session with a member whose environment is empty",
                "env -i sleep 1000 & exec sleep 1000",
                &["sleep", "sleep"],
            ),
            (
                "a session whose leader is gone, with such a member",
                "(sleep 1000 & env -i sleep 1000 &)",
                &["sleep", "sleep"],
            ),
        ];
        for (kind, script, programs) in cases {
            let mark = owner.mark();
            let leader =
                Planted::start(Command::new("sh").args(["-c", script]).env("CHAOS_TEST_MARK", &mark));
            let session = leader.until_it_has(programs);
            if script.contains("STOP") {
                until("the stop", || state(leader.pid()).as_deref() == Some("T"));
            }
            self.processes.push(leader);
            self.add(kind, mark, session);
        }
    }

    fn parent_of_a_zombie(&mut self, owner: &Owner) {
        let (mark, place) = (owner.mark(), tempfile::tempdir().unwrap());
        let mut command = Command::new("sh");
        command.args(["-c", "true & exec sleep 1000"]).env("CHAOS_TEST_MARK", &mark).current_dir(&place);
        let parent = Planted::start(&mut command);
        let session = parent.until_it_has(&["sleep"]);
        until("the zombie", || has_zombie(parent.pid()));
        drop(place);
        self.processes.push(parent);
        self.add("the parent of a zombie, in a directory that is gone", mark, session);
    }

    fn listeners(&mut self, owner: &Owner) {
        let v4 = TcpListener::bind("127.0.0.1:0").unwrap();
        // Where there is no IPv6, another IPv4 address.
        let v6 = TcpListener::bind("[::1]:0").or_else(|_| TcpListener::bind("127.0.0.2:0")).unwrap();
        for (kind, listener) in [("a listener on IPv4", v4), ("a listener on IPv6", v6)] {
            let (mark, address) = (owner.mark(), listener.local_addr().unwrap());
            let mut command = Command::new("sleep");
            let process = Planted::listening(command.arg("1000").env("CHAOS_TEST_MARK", &mark), listener);
            assert!(listens(address));
            self.processes.push(process);
            let is_there = Box::new(move || listens(address));
            self.all.push(Residue { kind, told_by: vec![mark], is_there, ledger: None, stays: None });
        }
    }

    fn files(&mut self, owner: &Owner, sandbox: &Sandbox) {
        let mut add = |kind, extension: &str| {
            let path = sandbox.write(&format!("tmp/chaos-test-{}{extension}", owner.mark()), "left");
            let (told_by, at) = (vec![path.display().to_string()], path.clone());
            let is_there = Box::new(move || at.exists());
            self.all.push(Residue { kind, told_by, is_there, ledger: None, stays: None });
            path
        };
        add("a file", "");
        let read_only = add("a file that is read-only", ".dat");
        fs::set_permissions(read_only, Permissions::from_mode(0o400)).unwrap();
        let large = add("a large sparse file", ".img.part");
        File::options().write(true).open(large).unwrap().set_len(8 << 30).unwrap();
    }

    fn ledgers_of_services(&mut self, sandbox: &Sandbox) {
        for (kind, services) in [
            ("a ledger with several entries", 3),
            ("a ledger with a torn end", 1),
            ("a ledger with a damaged line", 1),
        ] {
            let run = Doomed::new();
            let ids: Vec<String> = (0..services).map(|_| run.owner.mark()).collect();
            let started: Vec<Planted> = ids
                .iter()
                .map(|id| Planted::start(Command::new("sleep").arg("1000").env("CHAOS_TEST_MARK", id)))
                .collect();
            let named: Vec<Named> = started.iter().flat_map(Planted::members).collect();
            assert_eq!(named.len(), services);
            self.processes.extend(started);
            let owed: Vec<_> = ids.iter().map(|id| owed_end(id)).collect();
            let (opened, owed) = (lines(&[run.owner.opened()]), lines(&owed));
            let text = match kind {
                "a ledger with a torn end" => {
                    format!("{opened}{owed}{{\"entry\":\"owed\",\"record\":{{\"id\":\"ch")
                }
                "a ledger with a damaged line" => format!("{opened}{{\"entry\":\"ow\u{0}\u{0}\u{0}\n{owed}"),
                _ => {
                    self.several = (run.owner.log(), ids.clone());
                    format!("{opened}{owed}")
                }
            };
            let is_there = move || named.iter().any(|service| service.runs());
            self.ledger(sandbox, kind, run, &text, is_there).told_by.extend(ids);
        }
        self.all.last_mut().unwrap().stays = Some("line 2 of the ledger");
    }

    fn other_ledgers(&mut self, sandbox: &Sandbox) {
        let run = Doomed::new();
        let mark = run.owner.mark();
        let settled = json!({"entry": "settled", "id": mark, "by": "test", "at": 3.0});
        let text = lines(&[run.owner.opened(), owed_end(&mark), settled]);
        self.ledger(sandbox, "a ledger in which all is settled", run, &text, || false);

        let run = Doomed::new();
        let half_way = pass("killed_half_way").never_injected().report().to_json().unwrap();
        let pending = sandbox.write("runs/killed/.killed_half_way.pending", &half_way);
        let began = json!({
            "entry": "began", "experiment": 1, "test": "killed_half_way", "at": 1.0,
            "pending": pending, "record": sandbox.path(RECORD),
        });
        let text = lines(&[run.owner.opened(), began]);
        // Its record is in the folder of its ledger: elsewhere a ledger has no business.
        let name = format!("runs/killed/{}", run.owner.ledger().rsplit_once('/').unwrap().1);
        self.ledger_at(sandbox, name, "a test without a record", run, &text, move || pending.exists());

        // As after a power cut: no process is left, and a file is.
        let run = Doomed::new();
        let earlier = Owner { boot: "0badcafe".into(), ..run.owner.clone() };
        let mark = earlier.mark();
        let path = sandbox.write(&format!("data/fill-{mark}.bin"), "left");
        let text = lines(&[earlier.opened(), owed(&mark, &[remove_file(&path, &mark)])]);
        self.ledger(sandbox, "a file elsewhere, of an earlier boot", run, &text, move || path.exists());

        let run = Doomed::new();
        let step = json!({"step": "delete_qdisc", "device": "eth0"});
        let text = lines(&[run.owner.opened(), owed(&run.owner.mark(), &[step])]);
        let residue = self.ledger(sandbox, "a step of a newer version", run, &text, || false);
        residue.stays = Some("this version does not know it");
    }

    fn forker(&mut self) {
        let run = Doomed::new();
        let mark = run.owner.mark();
        let busy = "n=0; while [ $n -lt 500 ]; do sleep 1000 & sleep 0.02; n=$((n+1)); done; wait";
        let leader = Planted::start(Command::new("sh").args(["-c", busy]).env("CHAOS_TEST_MARK", &mark));
        let session = leader.pid();
        until("the first of many", || members(session).len() > 3);
        self.processes.push(leader);
        self.runs.push(run);
        let is_there = Box::new(move || !members(session).is_empty());
        let kind = "one that starts others all the time";
        self.all.push(Residue { kind, told_by: vec![mark], is_there, ledger: None, stays: None });
    }

    fn add(&mut self, kind: &'static str, mark: String, processes: Vec<Named>) {
        let is_there = Box::new(move || processes.iter().any(|process| process.runs()));
        self.all.push(Residue { kind, told_by: vec![mark], is_there, ledger: None, stays: None });
    }

    fn ledger(
        &mut self,
        sandbox: &Sandbox,
        kind: &'static str,
        run: Doomed,
        text: &str,
        is_there: impl Fn() -> bool + 'static,
    ) -> &mut Residue {
        let name = run.owner.ledger();
        self.ledger_at(sandbox, name, kind, run, text, is_there)
    }

    fn ledger_at(
        &mut self,
        sandbox: &Sandbox,
        name: String,
        kind: &'static str,
        run: Doomed,
        text: &str,
        is_there: impl Fn() -> bool + 'static,
    ) -> &mut Residue {
        let ledger = Some(sandbox.write(&name, text));
        self.runs.push(run);
        let residue =
            Residue { kind, told_by: vec![name], is_there: Box::new(is_there), ledger, stays: None };
        self.all.push(residue);
        self.all.last_mut().unwrap_or_else(|| unreachable!("just pushed"))
    }
}

fn listens(address: SocketAddr) -> bool {
    TcpStream::connect(address).is_ok()
}
