//! A Postgres of a test's own: found, set up, and described as a process of an environment.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::ensure;
use chaos_test::prelude::*;

use super::postgres_answers::postgres_answers;

/// Debian's place for each version.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let mut found: Vec<PathBuf> = versions.map(|dir| dir.path().join("bin")).collect();
    found.retain(|bin| bin.join("initdb").is_file() && bin.join("postgres").is_file());
    found.sort();
    found.pop()
}

/// Where Postgres is; without it, says so.
pub(crate) fn postgres_or_skip() -> Option<PathBuf> {
    let found = programs();
    if found.is_none() {
        let required = std::env::var("CHAOS_TEST_REQUIRE").unwrap_or_default();
        let missing = "no initdb and postgres in /usr/lib/postgresql/*/bin";
        assert!(
            !required.split(',').any(|name| name.trim() == "postgres"),
            "postgres is required: {missing}"
        );
        eprintln!("SKIPPED: this host has no postgres: {missing}");
    }
    found
}

/// Nobody: Postgres refuses to run as root.
const NOBODY: u32 = 65534;

/// How a program is started that must not run as root: the program, and what comes before its own arguments.
fn unprivileged(program: &Path) -> (PathBuf, Vec<String>) {
    if !nix::unistd::geteuid().is_root() {
        return (program.to_owned(), Vec::new());
    }
    let (user, group) = (format!("--reuid={NOBODY}"), format!("--regid={NOBODY}"));
    ("setpriv".into(), vec![user, group, "--clear-groups".into(), program.display().to_string()])
}

/// A folder for its data that goes when this is dropped, and the server that keeps it there.
pub(crate) fn postgres(bin: &Path) -> anyhow::Result<(tempfile::TempDir, Process)> {
    let data = tempfile::Builder::new().prefix("chaos-test-postgres-").tempdir()?;
    if nix::unistd::geteuid().is_root() {
        std::os::unix::fs::chown(data.path(), Some(NOBODY), Some(NOBODY))?;
    }
    let dir = data.path().join("data").display().to_string();
    let (program, first) = unprivileged(&bin.join("initdb"));
    let made = Command::new(program)
        .args(first)
        .args(["-D", &dir, "-U", "shop", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"])
        .current_dir(data.path())
        .output()?;
    ensure!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
    let (program, first) = unprivileged(&bin.join("postgres"));
    let postgres = Process::new(program)
        .args(first)
        .args(["-D", &dir, "-p", "{port}", "-c", "listen_addresses={host}", "-c", "unix_socket_directories="])
        .args(["-c", "max_connections=40", "-c", "shared_buffers=16MB"])
        .dir(data.path())
        .ready(postgres_answers("shop"));
    Ok((data, postgres))
}
