use std::ffi::{OsStr, OsString};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::probe::Probe;
use crate::sys::env;

/// A child process as a service: what to start, and how to see that it is ready.
///
/// `{port}` and `{host}` in arguments and variables become the address the service is to listen on; the variable
/// `PORT` is set to the port as well.
#[derive(Debug, Clone)]
pub struct Process {
    pub(super) program: Result<PathBuf, String>,
    pub(super) args: Vec<OsString>,
    pub(super) env: Vec<(OsString, OsString)>,
    pub(super) dir: Option<PathBuf>,
    pub(super) ready: Option<Probe>,
    pub(super) ready_within: Duration,
}

impl Process {
    fn of(program: Result<PathBuf, String>) -> Self {
        Self {
            program,
            args: Vec::new(),
            env: Vec::new(),
            dir: None,
            ready: None,
            ready_within: Duration::from_secs(30),
        }
    }

    /// A program by its path, or by its name in `PATH`.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self::of(Ok(program.into()))
    }

    /// A program that Cargo built: the name of a `[[bin]]` of the tested package.
    pub fn cargo_bin(name: &str) -> Self {
        Self::of(env::cargo_bin(name))
    }

    /// The program that is running now, for a service that is a mode of the same program.
    pub fn current_exe() -> Self {
        Self::of(env::current_exe().ok_or_else(|| "this process has no path of its own".into()))
    }

    /// One more argument.
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// More arguments.
    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// A variable of its environment, beside those it inherits.
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// The directory it is started in; that of the test unless said otherwise.
    pub fn dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.dir = Some(dir.into());
        self
    }

    /// How to see that it is ready: a connection that opens, unless said otherwise.
    ///
    /// Without a probe of its own, the environment is also measured with this one, unless the body is repeated.
    pub fn ready(mut self, probe: impl Into<Probe>) -> Self {
        self.ready = Some(probe.into());
        self
    }

    /// How long it may take to get ready: 30 s unless said otherwise.
    pub fn ready_within(mut self, time: Duration) -> Self {
        self.ready_within = time;
        self
    }
}

/// A template with the address a service is to listen on filled in. Anything that is not UTF-8 is left alone.
pub(super) fn fill(template: &OsStr, at: SocketAddr) -> OsString {
    match template.to_str() {
        Some(text) => {
            text.replace("{port}", &at.port().to_string()).replace("{host}", &at.ip().to_string()).into()
        }
        None => template.to_owned(),
    }
}
