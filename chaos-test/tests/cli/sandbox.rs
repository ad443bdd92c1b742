use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use chaos_test::report::Report;
use tempfile::TempDir;

/// A directory of its own to run `cargo chaos` in; records are kept in `runs`.
pub(crate) struct Sandbox {
    dir: TempDir,
}

/// What a command left.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// A path in here as the command says it.
    pub(crate) fn short(&self, path: &Path) -> String {
        path.strip_prefix(self.dir.path()).unwrap().display().to_string()
    }

    /// Keeps a record where a run would: `runs/RUN/TEST.json`.
    pub(crate) fn keep(&self, report: &Report) -> PathBuf {
        self.keep_as(report, &report.test)
    }

    pub(crate) fn keep_as(&self, report: &Report, stem: &str) -> PathBuf {
        self.write(&format!("runs/{}/{stem}.json", report.run_id), &report.to_json().unwrap())
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = self.within(Command::new(env!("CARGO_BIN_EXE_cargo-chaos")));
        command.args(args).stdin(Stdio::null());
        command
    }

    /// A command that is run here, and told nothing of what is around.
    pub(crate) fn within(&self, mut command: Command) -> Command {
        command.current_dir(self.dir.path()).env("CHAOS_TEST_DIR", "runs");
        for name in ["CHAOS_TEST_CATALOGUE", "CARGO_TARGET_DIR", "CHAOS_TEST_RUN_ID", "CHAOS_TEST_DRY_RUN"] {
            command.env_remove(name);
        }
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ended {
        ended(&mut self.command(args))
    }

    /// At a terminal, which `script` makes, with somebody who types that. What is told on stderr is in stdout as well.
    pub(crate) fn at_a_terminal(&self, args: &str, variables: &[(&str, &str)], typed: &str) -> Ended {
        let line = format!("'{}' {args}", env!("CARGO_BIN_EXE_cargo-chaos"));
        let mut terminal = self.within(Command::new("script"));
        terminal.args(["--quiet", "--return", "--command", &line, "/dev/null"]).stdin(Stdio::piped());
        terminal.env_remove("NO_COLOR").envs(variables.iter().copied());
        let mut running = terminal.spawn().expect("`script` is there: util-linux has it, on Debian bsdutils");
        running.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
        running.wait_with_output().unwrap().into()
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

pub(crate) fn ended(command: &mut Command) -> Ended {
    command.output().unwrap().into()
}

/// Makes a file look as if it had been written that many seconds before the others.
pub(crate) fn age(path: &Path, seconds: u64) {
    let file = fs::File::options().write(true).open(path).unwrap();
    let then = std::time::SystemTime::now() - std::time::Duration::from_secs(seconds);
    file.set_modified(then).unwrap();
}
