//! Child processes: started in a session of their own, logged to a file, ended as a group.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "sys is where processes are started")]

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::net::TcpStream;

use super::exit::{Exit, exit};
use super::hook::MARK;
use super::ledger::FileLedger;
use super::net::Namespace;
use super::owner::Owner;
use super::supervisor::{Policy, Restarted, Restarts, Standing};
use super::syncs::Gate;
use super::undo::{Claim, Leader};
use super::{descent, descriptors, files, ledger, owner, procfs, syncs, timer, undo};
use crate::port::{BoxFuture, Ledger, ProcessControl, RevertRecord, SyncControl, UndoStep};

/// How a process is started, every time.
#[derive(Debug, Clone)]
pub(crate) struct ProcessSpec {
    /// What it is called in its environment.
    pub(crate) service: String,
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<OsString>,
    pub(crate) env: Vec<(OsString, OsString)>,
    pub(crate) dir: Option<PathBuf>,
    pub(crate) log: PathBuf,
    /// Whether its syncs are supervised, and where it writes.
    pub(crate) syncs: Option<Arc<Gate>>,
    /// What brings it back when it has ended, if anything does.
    pub(crate) restart: Option<Policy>,
    /// The network it runs in, if not that of this process.
    pub(crate) network: Option<Arc<Namespace>>,
}

/// A process of ours and everything it starts. Ended when it is [closed](Self::close) or dropped.
#[derive(Debug)]
pub(crate) struct ManagedProcess {
    spec: ProcessSpec,
    /// What it and all it starts carry in their environment, by which even those that leave its group are known.
    mark: String,
    slot: Mutex<Slot>,
    /// When its restart policy brought it back.
    restarts: Restarts,
}

/// A child is waited for only after all of its session was ended: while it is a zombie, its number cannot be given to a
/// stranger, whose group or session we would otherwise end.
#[derive(Debug, Default)]
struct Slot {
    child: Option<Child>,
    closed: bool,
    /// A fault keeps it down: no restart policy brings it back.
    held: bool,
    /// Its end is noted in the ledger.
    settled: bool,
}

/// How long all of it may take to end.
const END: Duration = Duration::from_secs(5);

impl ManagedProcess {
    pub(crate) fn start(spec: ProcessSpec) -> io::Result<Self> {
        let mark = owner::new_mark();
        // Written down before it exists: if this process is killed, its reaper ends the service.
        let end = RevertRecord {
            id: mark.clone(),
            injector: "service".into(),
            service: spec.service.clone(),
            payload: serde_json::Value::Null,
            undo: vec![UndoStep::EndProcesses { mark: mark.clone() }],
        };
        FileLedger::of(None).owe(&end).map_err(|error| {
            let text = format!("not started, for its end cannot be written down: {error}");
            io::Error::new(error.source.kind(), text)
        })?;
        let process = Self { spec, mark, slot: Mutex::default(), restarts: Restarts::default() };
        process.respawn()?;
        Ok(process)
    }

    /// What it and all it starts carry in their environment.
    pub(crate) fn mark(&self) -> &str {
        &self.mark
    }

    /// Control of its syncs, if they are supervised.
    pub(crate) fn syncs(&self) -> Option<Arc<dyn SyncControl>> {
        self.spec.syncs.clone().map(|gate| gate as Arc<dyn SyncControl>)
    }

    /// How its restart policy finds it.
    pub(crate) fn standing(&self) -> Standing {
        let slot = self.slot();
        match &slot.child {
            _ if slot.closed => Standing::Closed,
            _ if slot.held => Standing::Held,
            None => Standing::Down { well: false },
            Some(child) => match exit(child) {
                None => Standing::Up,
                Some(exit) => Standing::Down { well: exit.is_well() },
            },
        }
    }

    /// Starts it again, if it is still down and nothing holds it there.
    pub(crate) fn restart(&self, down: Duration) -> io::Result<()> {
        let mut slot = self.slot();
        if slot.held || !self.start_again(&mut slot)? {
            return Ok(());
        }
        self.restarts.note(down);
        Ok(())
    }

    /// What its restart policy has done so far.
    pub(crate) fn restarts(&self) -> Vec<Restarted> {
        self.restarts.so_far()
    }

    /// Starts it if it is down; true if that was so.
    fn start_again(&self, slot: &mut Slot) -> io::Result<bool> {
        if slot.closed || slot.child.as_ref().is_some_and(|child| exit(child).is_none()) {
            return Ok(false);
        }
        // What a child that ended by itself has left of its group goes with it.
        slot.end(&self.mark)?;
        slot.child = Some(self.spawn()?);
        Ok(true)
    }

    pub(crate) fn log(&self) -> &Path {
        &self.spec.log
    }

    /// How it ended, if it did without our doing.
    pub(crate) fn ended(&self) -> Option<String> {
        exit(self.slot().child.as_ref()?).map(|exit| exit.to_string())
    }

    /// Ends it for good: it is not started again by anybody who still holds it.
    pub(crate) fn close(&self) {
        let mut slot = self.slot();
        slot.closed = true;
        // There is nobody to tell; what withstands stays in the ledger, and the audit names it.
        if slot.end(&self.mark).is_ok() && !slot.settled {
            slot.settled = true;
            // If the note is lost, the reaper looks for it once more and finds nothing.
            let _ = ledger::settle(&self.mark);
        }
    }

    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spawn(&self) -> io::Result<Child> {
        let log = files::create(&self.spec.log)?;
        let mut command = Command::new(&self.spec.program);
        command
            .args(&self.spec.args)
            .envs(self.spec.env.iter().map(|(name, value)| (name, value)))
            .env(MARK, &self.mark)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        if let Some(dir) = &self.spec.dir {
            command.current_dir(dir);
        }
        let (door, enter) = match &self.spec.syncs {
            Some(_) => syncs::door().map(|(ours, theirs)| (Some(ours), Some(theirs)))?,
            None => (None, None),
        };
        let (mut asked, ask) = io::pipe()?;
        let (answered, mut answer) = io::pipe()?;
        let parent = std::process::id();
        let network = self.spec.network.clone();
        // SAFETY: setsid, setrlimit, getppid, setns, write, poll, read and entering the gate of syncs are system calls, and
        // touch no memory but the stack.
        unsafe {
            command.pre_exec(move || {
                nix::unistd::setsid()?;
                descriptors::restore()?;
                // Until it is noted, nobody can find it: it waits for that, and does not outlive whoever notes it.
                nix::unistd::write(&ask, &std::process::id().to_ne_bytes())?;
                loop {
                    let mut noted = [PollFd::new(answered.as_fd(), PollFlags::POLLIN)];
                    match poll(&mut noted, PollTimeout::from(20_u8)) {
                        Ok(0) | Err(nix::errno::Errno::EINTR) => {}
                        Ok(_) => break,
                        Err(errno) => return Err(errno.into()),
                    }
                    if std::os::unix::process::parent_id() != parent {
                        return Err(io::ErrorKind::Interrupted.into());
                    }
                }
                match nix::unistd::read(&answered, &mut [0]) {
                    Ok(1) => network.as_ref().map_or(Ok(()), |network| network.join()),
                    _ => Err(io::ErrorKind::Interrupted.into()),
                }?;
                // Last, for a filter may forbid what was done before.
                enter.as_ref().map_or(Ok(()), |door| syncs::enter(door.as_fd()))
            });
        }
        let mark = self.mark.clone();
        // On another thread: this one is told of the child only when it runs its program, which may write over its
        // environment at once.
        let noting = std::thread::Builder::new().spawn(move || {
            let mut pid = [0; 4];
            if asked.read_exact(&mut pid).is_ok() {
                // If the note cannot be written its mark must do, and there is nobody to tell.
                let _ = ledger::started(&mark, u32::from_ne_bytes(pid));
                let _ = answer.write_all(b"!");
            }
        })?;
        let child = command.spawn();
        // With its ends of the pipes: if there is no child, nobody asks.
        drop(command);
        let _ = noting.join();
        match (child, &self.spec.syncs, door) {
            (Ok(child), Some(gate), Some(door)) => answered_for(child, gate, door),
            (child, ..) => child,
        }
    }
}

/// A child whose syncs somebody answers. Without that it would wait for ever at its first one.
fn answered_for(mut child: Child, gate: &Gate, door: OwnedFd) -> io::Result<Child> {
    match gate.admit(door) {
        Ok(()) => Ok(child),
        Err(error) => {
            let _ = child.kill().and_then(|()| child.wait());
            Err(error)
        }
    }
}

impl Slot {
    /// Ends the child, its group, its session, and all that carries its mark.
    fn end(&mut self, mark: &str) -> io::Result<()> {
        let Some(child) = &mut self.child else { return Ok(()) };
        if exit(child) == Some(Exit::Taken) {
            // Neither its number nor its session says anything any more.
            undo::end_processes(&Claim { wanted: &|found| found == mark, leaders: &[] }, END)?;
            self.child = None;
            return Ok(());
        }
        // Before anybody is ended: who has left both the session and the environment is ours by its parents, while they
        // live.
        let deadline = timer::now() + END;
        let below = loop {
            let below = descent::of(&[child.id()], &|found| found == mark);
            if procfs::can_look() {
                break below;
            }
            if timer::now() >= deadline {
                return Err(io::Error::other("processes cannot be looked at"));
            }
            std::thread::sleep(Duration::from_millis(1));
        };
        // The child leads its session, so its group has its number. ESRCH: nobody is left in it. What is not permitted
        // here (a setuid program) is found, tried once more and named below.
        let _ = killpg(Pid::from_raw(child.id() as i32), Signal::SIGKILL);
        let leader = Leader { mark: mark.to_owned(), process: Owner::of(child.id()) };
        let claim = Claim { wanted: &|found| found == mark, leaders: std::slice::from_ref(&leader) };
        // What withstands is no reason to spare these: with their parents gone nobody would find them again.
        let ended = undo::end_processes(&claim, END);
        descent::end(&below, END)?;
        ended?;
        // It has ended, so this takes no time.
        child.wait()?;
        self.child = None;
        Ok(())
    }
}

impl ProcessControl for ManagedProcess {
    fn pid(&self) -> Option<u32> {
        let slot = self.slot();
        let child = slot.child.as_ref()?;
        exit(child).is_none().then(|| child.id())
    }

    fn is_closed(&self) -> bool {
        self.slot().closed
    }

    fn mark(&self) -> String {
        self.mark.clone()
    }

    fn answers(&self, at: SocketAddr) -> BoxFuture<'static, io::Result<()>> {
        match self.spec.network.clone() {
            Some(network) => Box::pin(async move { network.connect(at).await.map(drop) }),
            None => Box::pin(async move { TcpStream::connect(at).await.map(drop) }),
        }
    }

    fn kill(&self) -> io::Result<()> {
        let mut slot = self.slot();
        slot.held = true;
        slot.end(&self.mark)
    }

    fn crash(&self) -> io::Result<()> {
        self.slot().end(&self.mark)
    }

    fn restart_policy(&self) -> Option<String> {
        self.spec.restart.map(|policy| policy.to_string())
    }

    fn respawn(&self) -> io::Result<()> {
        let mut slot = self.slot();
        slot.held = false;
        self.start_again(&mut slot).map(drop)
    }
}

impl Drop for ManagedProcess {
    fn drop(&mut self) {
        self.close();
    }
}
