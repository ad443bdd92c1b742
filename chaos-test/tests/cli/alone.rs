//! A pid namespace for one test.
//!
//! Every start of a chaos test on a host cleans up after dead runs, those that a test has planted among them, and
//! `cargo chaos reap` would clean up after the dead runs of others. In a pid namespace nobody sees anybody. It also ends
//! all that the test started, however the test ends.

use std::process::{Command, Stdio};

const INSIDE: &str = "CHAOS_TEST_CLI_INSIDE";

/// Where a test is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In a pid namespace that is over when it is.
    Namespace,
    /// Here, beside others: this host gives this user no namespaces.
    Host,
}

/// Carries out `test` in a pid namespace of its own if this host gives one, else here.
pub(crate) fn alone(name: &str, test: fn(Place)) {
    if std::env::var_os(INSIDE).is_some() {
        return test(Place::Namespace);
    }
    let Some(mut inside) = namespace() else { return test(Place::Host) };
    inside.arg(std::env::current_exe().unwrap()).args(["--exact", name, "--nocapture"]).env(INSIDE, "1");
    let output = inside.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    // A name that no test has would be green as well.
    assert!(output.status.success() && said.contains("1 passed"), "{said}\n{complained}");
}

/// A command that carries out its arguments as the first process of a pid namespace, where this host gives one.
pub(crate) fn namespace() -> Option<Command> {
    let works =
        |ways: &&[&str]| unshare(ways).arg("true").output().is_ok_and(|output| output.status.success());
    let found = [&[][..], &["--user", "--map-root-user"]].into_iter().find(works).map(unshare);
    if found.is_none() {
        let required = std::env::var("CHAOS_TEST_REQUIRE").unwrap_or_default();
        assert!(!required.split(',').any(|name| name.trim() == "pid-namespace"), "there is no pid namespace");
        println!("SKIPPED: this host gives no pid namespace (`unshare --pid`), or not all of it");
    }
    found
}

fn unshare(ways: &[&str]) -> Command {
    let mut command = Command::new("unshare");
    command.args(ways).args(["--pid", "--fork", "--mount-proc", "--kill-child"]).stdin(Stdio::null());
    command
}
