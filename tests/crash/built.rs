//! Where the victims are, built on first use.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use serde_json::Value;

/// What nextest needs to run the victims without asking cargo again.
pub(crate) struct Built {
    /// The test binary of the victims.
    pub(crate) binary: PathBuf,
    pub(crate) binaries_metadata: PathBuf,
    pub(crate) cargo_metadata: PathBuf,
    _dir: tempfile::TempDir,
}

/// The victims, built.
pub(crate) fn victims() -> &'static Built {
    static BUILT: LazyLock<Built> = LazyLock::new(build);
    &BUILT
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace is above")
}

/// Cargo, with nothing of the run this suite is part of.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(root());
    without_runner(&mut cargo);
    cargo
}

/// Takes the variables of the runner out of the environment of a command.
pub(crate) fn without_runner(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("NEXTEST") || text.starts_with("CHAOS_TEST") {
            command.env_remove(&name);
        }
    }
}

fn build() -> Built {
    let dir = tempfile::tempdir().expect("a folder");
    let answer = |args: &[&str], file: &str| {
        let output = cargo().args(args).output().expect("cargo is here: it built this test");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "cargo {args:?}: {told}");
        let path = dir.path().join(file);
        std::fs::write(&path, &output.stdout).expect("the folder can be written");
        path
    };
    // The whole workspace, so that nothing is built again with other features.
    let list = ["nextest", "list", "--workspace", "--test", "crash_victims", "--list-type", "binaries-only"];
    let binaries_metadata = answer(&[&list[..], &["--message-format", "json"]].concat(), "binaries.json");
    let cargo_metadata = answer(&["metadata", "--format-version", "1"], "cargo.json");
    let text = std::fs::read(&binaries_metadata).expect("just written");
    let known: Value = serde_json::from_slice(&text).expect("nextest writes JSON");
    let binary = &known["rust-binaries"]["chaos-test-suite::crash_victims"]["binary-path"];
    let binary = PathBuf::from(binary.as_str().expect("it is one of them"));
    Built { binary, binaries_metadata, cargo_metadata, _dir: dir }
}
