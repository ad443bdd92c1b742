//! What others say of the workflows: actionlint, zizmor, and the pins that all of them share.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use crate::{GITHUB, filled, missing};

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// Where a variable says that a program is. If it does not, it says so; and if `CHAOS_TEST_REQUIRE` names the program, it fails
/// instead.
fn named(program: &str, variable: &str) -> Option<OsString> {
    let place = std::env::var_os(variable);
    if place.is_none() {
        missing(program, &format!("{variable} names none"));
    }
    place
}

/// Its exit code, and all that it has told.
fn told(command: &mut Command) -> (Option<i32>, String) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let told = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    (output.status.code(), told.concat())
}

/// `CHAOS_TEST_ACTIONLINT` says where actionlint is; without it this says so and does nothing, unless
/// `CHAOS_TEST_REQUIRE` names `actionlint`.
#[test]
fn actionlint_finds_nothing() {
    let Some(actionlint) = named("actionlint", "CHAOS_TEST_ACTIONLINT") else { return };
    let dir = tempfile::tempdir().unwrap();
    let lint = |text: &str| {
        let file = dir.path().join("chaos.yml");
        std::fs::write(&file, text).unwrap();
        // What the scripts do is tested by itself. The repository's own actions are found from its root.
        let mut command = Command::new(&actionlint);
        command
            .args(["-no-color", "-shellcheck=", "-pyflakes="])
            .args([file, repository().join(".github/workflows/ci.yml")])
            .current_dir(repository());
        told(&mut command)
    };
    let (code, told) = lint(&filled(GITHUB));
    assert_eq!(code, Some(0), "{told}");
    // It does look: an output that no job has.
    let (code, told) =
        lint(&filled(GITHUB).replace("needs.setup.outputs.shards", "needs.setup.outputs.shard"));
    assert!(code == Some(1) && told.contains("\"shard\""), "{told}");
}

/// `CHAOS_TEST_ZIZMOR` says where zizmor is, which holds a workflow against GitHub's schema and looks for permissions nobody
/// needs, what a stranger could have run, and actions that are not pinned; without it this says so and does nothing, unless
/// `CHAOS_TEST_REQUIRE` names `zizmor`.
#[test]
fn zizmor_finds_nothing() {
    let Some(zizmor) = named("zizmor", "CHAOS_TEST_ZIZMOR") else { return };
    let dir = tempfile::tempdir().unwrap();
    let workflows = dir.path().join(".github/workflows");
    std::fs::create_dir_all(&workflows).unwrap();
    let audit = |text: &str| {
        std::fs::write(workflows.join("chaos.yml"), text).unwrap();
        let mut command = Command::new(&zizmor);
        command
            .args(["--offline", "--no-progress", "--no-config", "--color=never", "--strict-collection"])
            .arg(dir.path());
        told(&mut command)
    };
    let whole = filled(GITHUB);
    let (code, told) = audit(&whole);
    assert_eq!(code, Some(0), "{told}");

    // It does look: a tag in place of a commit, a pull request's title in a script, and a job that is none.
    let (commit, _) = whole.split_once("actions/checkout@").unwrap().1.split_once(' ').unwrap();
    let (code, told) = audit(&whole.replacen(commit, "v6", 1));
    assert!(code == Some(14) && told.contains("unpinned-uses"), "{code:?}: {told}");
    let title = "      - run: echo ${{ github.event.pull_request.title }}\n      - uses: actions/checkout@";
    let (code, told) = audit(&whole.replacen("      - uses: actions/checkout@", title, 1));
    assert!(code == Some(14) && told.contains("template-injection"), "{code:?}: {told}");
    let (code, told) = audit(&format!("{whole}  no_job: 3\n"));
    assert!(code == Some(1) && told.contains("jobs.no_job"), "{code:?}: {told}");
}

/// The pins of each action, `commit # version`.
fn pins(texts: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in texts.iter().flat_map(|text| text.lines()) {
        let used = line.trim_start().trim_start_matches("- ").strip_prefix("uses: ");
        if let Some((action, pin)) = used.and_then(|used| used.split_once('@')) {
            found.entry(action.to_owned()).or_default().insert(pin.to_owned());
        }
    }
    found
}

#[test]
fn an_action_has_one_pin_wherever_it_is_used() {
    let read = |path: &str| std::fs::read_to_string(repository().join(path)).unwrap();
    let ours = [read(".github/workflows/ci.yml"), read(".github/actions/rust/action.yml")];
    let all = pins(&[GITHUB, &ours[0], &ours[1]]);
    for (action, pins) in &all {
        assert_eq!(pins.len(), 1, "{action}: {pins:?}");
    }
    for action in ["actions/checkout", "actions/upload-artifact", "taiki-e/install-action"] {
        assert!(all.contains_key(action), "{action} is not found");
    }
}
