use std::ffi::{OsStr, OsString};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::probe::Probe;
use crate::sys::env;
use crate::sys::supervisor::Policy;

/// A child process as a service: what to start, and how to see that it is ready.
///
/// `{port}` and `{host}` in arguments and variables become the address the service is to listen on; the variable
/// `PORT` is set to the port as well.
///
/// ```
/// use chaos_test::prelude::*;
///
/// fn redis() -> Process {
///     Process::new("redis-server")
///         .args(["--bind", "{host}", "--port", "{port}", "--save", ""])
///         .ready(Probe::tcp())
///         .ready_within(10.seconds())
/// }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a process is started by the environment that it is given to"]
pub struct Process {
    pub(super) program: Result<PathBuf, String>,
    pub(super) args: Vec<OsString>,
    pub(super) env: Vec<(OsString, OsString)>,
    pub(super) dir: Option<PathBuf>,
    pub(super) data_dir: Option<PathBuf>,
    pub(super) ready: Option<Probe>,
    pub(super) ready_within: Duration,
    pub(super) supervised_syncs: bool,
    pub(super) restart: Option<Policy>,
    pub(super) own_network: bool,
}

/// Whether a process is started again when it has ended, as a platform would.
///
/// ```
/// use chaos_test::prelude::*;
///
/// let args = ["--port", "{port}"];
/// let app = Process::new("shop").args(args).restart(Restart::OnFailure);
/// // As a platform that brings back whatever ends, and takes a second to see it.
/// let stock = Process::new("stock").args(args).restart_after(Restart::Always, 1.seconds());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Restart {
    /// However it ended.
    Always,
    /// Unless it ended by itself with exit code 0.
    OnFailure,
}

/// How long a restart policy waits at first, unless said otherwise.
const BACKOFF: Duration = Duration::from_millis(100);

impl Process {
    fn of(program: Result<PathBuf, String>) -> Self {
        Self {
            program,
            args: Vec::new(),
            env: Vec::new(),
            dir: None,
            data_dir: None,
            ready: None,
            ready_within: Duration::from_secs(30),
            supervised_syncs: false,
            restart: None,
            own_network: false,
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

    /// The directory its data is in, on the file system that a disk stress is to load; the one it is started in unless
    /// said otherwise.
    pub fn data_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.data_dir = Some(dir.into());
        self
    }

    /// How to see that it is ready: a connection that opens, unless said otherwise.
    ///
    /// Without a probe of its own, the environment is also measured with this one, unless the body is repeated.
    pub fn ready(mut self, probe: impl Into<Probe>) -> Self {
        self.ready = Some(probe.into());
        self
    }

    /// Starts it so that a fault may be put on its own syncs (`disk_stress` with `sync_delay_ms` or `sync_error`).
    ///
    /// The kernel then asks the test process about every `fsync`, `fdatasync`, `syncfs`, `sync_file_range` and `msync`,
    /// which costs each some hundredths of a millisecond also without a fault. That has to be so from its start on, and
    /// cannot be undone. Without the rights of root, programs it starts cannot gain rights (`sudo`, `ping`).
    pub fn supervised_syncs(mut self) -> Self {
        self.supervised_syncs = true;
        self
    }

    /// How long it may take to get ready: 30 s unless said otherwise.
    pub fn ready_within(mut self, time: Duration) -> Self {
        self.ready_within = time;
        self
    }

    /// Starts it again when it has ended, 100 ms later, then twice as long each time, up to 5 s; after ten seconds of
    /// running 100 ms again. Without a policy a service that has ended stays down.
    ///
    /// A policy brings nothing back that a fault holds down, nor anything once the environment has ended.
    pub fn restart(self, restart: Restart) -> Self {
        self.restart_after(restart, BACKOFF)
    }

    /// The same, waiting this long at first.
    pub fn restart_after(mut self, restart: Restart, wait: Duration) -> Self {
        self.restart = Some(Policy { after_success: restart == Restart::Always, wait });
        self
    }

    /// Gives it a network of its own, so that network faults may be done to its packets: `netem`, `nft-drop`, `nfqueue`.
    /// No root is needed; a host that does not allow it makes the start of the environment an error.
    /// The network is a loopback and nothing else. The service listens there on 127.0.0.1 as ever and is reached through
    /// its front door; the front doors of all services of the environment are there as well, at the same addresses.
    /// **It reaches nothing else**: no other port of this host, no other host, no DNS. What it is to reach must be a
    /// service of the environment ([`url`](crate::environment::EnvironmentBuilder::url) makes one of something already
    /// running). Its [`direct_address`](crate::Service::direct_address) is an address in that network, so nobody
    /// outside can connect to it.
    /// It has to be asked for before the service starts: a process that runs cannot be moved, the sockets it has open
    /// stay where they were made.
    pub fn own_network(mut self) -> Self {
        self.own_network = true;
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
