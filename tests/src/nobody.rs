use std::os::unix::fs::chown;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

const NOBODY: u32 = 65_534;

/// A program to be started as a user without any privileges, with a folder of its own for what it leaves. `None` where
/// that cannot be done: this is not root and has none anyway, or that user may not run the program.
///
/// # Panics
/// It cannot be done, and `CHAOS_TEST_REQUIRE` names `unprivileged`.
pub fn as_nobody(program: &Path) -> Option<(Command, TempDir)> {
    let setpriv = || {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps=-all"]);
        command
    };
    let look = setpriv().args(["test", "-x"]).arg(program).output();
    if !look.is_ok_and(|output| output.status.success()) {
        println!("SKIPPED: this is not root, or another user may not run {}", program.display());
        let required = std::env::var("CHAOS_TEST_REQUIRE").unwrap_or_default();
        assert!(!required.split(',').any(|name| name == "unprivileged"), "another user is required");
        return None;
    }
    let folder = tempfile::tempdir().expect("a folder");
    chown(folder.path(), Some(NOBODY), Some(NOBODY)).expect("this is root");
    let mut command = setpriv();
    command
        .arg(program)
        .env("CHAOS_TEST_DIR", folder.path())
        .env("CHAOS_TEST_LOCK_DIR", folder.path().join("locks"));
    Some((command, folder))
}

/// Runs this very test binary as such a user, with those arguments.
///
/// # Panics
/// A test of it fails.
pub fn once_more_as_nobody(args: &[&str]) {
    let exe = std::env::current_exe().expect("it runs");
    let Some((mut command, _folder)) = as_nobody(&exe) else { return };
    let done =
        command.args(["--nocapture", "--test-threads", "1"]).args(args).output().expect("setpriv is there");
    let said = String::from_utf8_lossy(&done.stdout);
    println!("{said}{}", String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{:?}", done.status);
    assert!(!said.contains("running 0 tests"), "no test is called so: {args:?}");
}
