//! Child processes: started in a session of their own, logged to a file, ended as a group.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "sys is where processes are started")]

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::files;
use crate::port::ProcessControl;

/// How a process is started, every time.
#[derive(Debug, Clone)]
pub(crate) struct ProcessSpec {
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<OsString>,
    pub(crate) env: Vec<(OsString, OsString)>,
    pub(crate) dir: Option<PathBuf>,
    pub(crate) log: PathBuf,
}

/// A process of ours and everything it starts. Ended when this is dropped.
#[derive(Debug)]
pub(crate) struct ManagedProcess {
    spec: ProcessSpec,
    child: Mutex<Option<Child>>,
}

impl ManagedProcess {
    pub(crate) fn start(spec: ProcessSpec) -> io::Result<Self> {
        let process = Self { spec, child: Mutex::new(None) };
        process.respawn()?;
        Ok(process)
    }

    pub(crate) fn log(&self) -> &Path {
        &self.spec.log
    }

    /// How it ended, if it did without our doing.
    pub(crate) fn ended(&self) -> Option<String> {
        let mut child = self.child();
        let status = child.as_mut()?.try_wait().ok()??;
        Some(status.to_string())
    }

    fn child(&self) -> MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spawn(&self) -> io::Result<Child> {
        let log = files::create(&self.spec.log)?;
        let mut command = Command::new(&self.spec.program);
        command
            .args(&self.spec.args)
            .envs(self.spec.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        if let Some(dir) = &self.spec.dir {
            command.current_dir(dir);
        }
        // SAFETY: setsid is async-signal-safe and touches no memory.
        unsafe {
            command.pre_exec(|| nix::unistd::setsid().map(drop).map_err(io::Error::from));
        }
        command.spawn()
    }
}

impl ProcessControl for ManagedProcess {
    fn pid(&self) -> Option<u32> {
        let mut child = self.child();
        let child = child.as_mut()?;
        matches!(child.try_wait(), Ok(None)).then(|| child.id())
    }

    fn kill(&self) -> io::Result<()> {
        let mut slot = self.child();
        let Some(mut child) = slot.take() else { return Ok(()) };
        // The child leads its session, so its group has its number. ESRCH: nobody is left in it.
        let group = Pid::from_raw(child.id() as i32);
        let killed = match killpg(group, Signal::SIGKILL) {
            Ok(()) | Err(nix::errno::Errno::ESRCH) => Ok(()),
            Err(errno) => Err(io::Error::from(errno)),
        };
        child.wait()?;
        killed
    }

    fn respawn(&self) -> io::Result<()> {
        let mut slot = self.child();
        if let Some(child) = slot.as_mut()
            && matches!(child.try_wait(), Ok(None))
        {
            return Ok(());
        }
        *slot = Some(self.spawn()?);
        Ok(())
    }
}

impl Drop for ManagedProcess {
    fn drop(&mut self) {
        // There is nobody to tell; what could go wrong is that it is gone already.
        let _ = self.kill();
    }
}
