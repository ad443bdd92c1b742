//! Child processes: started in a session of their own, logged to a file, ended as a group.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "sys is where processes are started")]

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;

use super::hook::MARK;
use super::ledger::FileLedger;
use super::owner::Owner;
use super::undo::{Claim, Leader};
use super::{files, ledger, owner, undo};
use crate::port::{Ledger, ProcessControl, RevertRecord, UndoStep};

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
}

/// A process of ours and everything it starts. Ended when it is [closed](Self::close) or dropped.
#[derive(Debug)]
pub(crate) struct ManagedProcess {
    spec: ProcessSpec,
    /// What it and all it starts carry in their environment, by which even those that leave its group are known.
    mark: String,
    slot: Mutex<Slot>,
}

/// A child is waited for only after all of its session was ended: while it is a zombie, its number cannot be given to a
/// stranger, whose group or session we would otherwise end.
#[derive(Debug, Default)]
struct Slot {
    child: Option<Child>,
    closed: bool,
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
        FileLedger::of(None, Vec::new()).owe(&end).map_err(|error| {
            let text = format!("not started, for its end cannot be written down: {error}");
            io::Error::new(error.source.kind(), text)
        })?;
        let process = Self { spec, mark, slot: Mutex::default() };
        process.respawn()?;
        Ok(process)
    }

    /// What it and all it starts carry in their environment.
    pub(crate) fn mark(&self) -> &str {
        &self.mark
    }

    pub(crate) fn log(&self) -> &Path {
        &self.spec.log
    }

    /// How it ended, if it did without our doing.
    pub(crate) fn ended(&self) -> Option<String> {
        match exit(self.slot().child.as_ref()?)? {
            WaitStatus::Exited(_, code) => Some(format!("exit status: {code}")),
            WaitStatus::Signaled(_, signal, _) => Some(format!("signal: {signal}")),
            other => Some(format!("{other:?}")),
        }
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
        let (mut asked, ask) = io::pipe()?;
        let (answered, mut answer) = io::pipe()?;
        let parent = std::process::id();
        // SAFETY: setsid, getppid, write, poll and read are async-signal-safe and touch no memory but the stack.
        unsafe {
            command.pre_exec(move || {
                nix::unistd::setsid()?;
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
                    Ok(1) => Ok(()),
                    _ => Err(io::ErrorKind::Interrupted.into()),
                }
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
        child
    }
}

impl Slot {
    /// Ends the child, its group, its session, and all that carries its mark.
    fn end(&mut self, mark: &str) -> io::Result<()> {
        let Some(child) = &mut self.child else { return Ok(()) };
        // The child leads its session, so its group has its number. ESRCH: nobody is left in it. What is not permitted
        // here (a setuid program) is found, tried once more and named below.
        let _ = killpg(Pid::from_raw(child.id() as i32), Signal::SIGKILL);
        let leader = Leader { mark: mark.to_owned(), process: Owner::of(child.id()) };
        let claim = Claim { wanted: &|found| found == mark, leaders: std::slice::from_ref(&leader) };
        undo::end_processes(&claim, END)?;
        // It has ended, so this takes no time.
        child.wait()?;
        self.child = None;
        Ok(())
    }
}

/// How a child ended, without waiting for it in the sense that frees its number; `None` while it runs.
fn exit(child: &Child) -> Option<WaitStatus> {
    let looked = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    match waitid(Id::Pid(Pid::from_raw(child.id() as i32)), looked) {
        Ok(WaitStatus::StillAlive) => None,
        Ok(status) => Some(status),
        // It is our child and not waited for, so this cannot be; to say that it runs does no harm.
        Err(_) => None,
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

    fn kill(&self) -> io::Result<()> {
        self.slot().end(&self.mark)
    }

    fn respawn(&self) -> io::Result<()> {
        let mut slot = self.slot();
        if slot.closed || slot.child.as_ref().is_some_and(|child| exit(child).is_none()) {
            return Ok(());
        }
        // What a child that ended by itself has left of its group goes with it.
        slot.end(&self.mark)?;
        slot.child = Some(self.spawn()?);
        Ok(())
    }
}

impl Drop for ManagedProcess {
    fn drop(&mut self) {
        self.close();
    }
}
