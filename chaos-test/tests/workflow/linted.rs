//! What others say of the workflows: actionlint, and the pins that all of them share.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;

use crate::{GITHUB, filled, missing};

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// `CHAOS_TEST_ACTIONLINT` says where actionlint is; without it this says so and does nothing, unless
/// `CHAOS_TEST_REQUIRE` names `actionlint`.
#[test]
fn actionlint_finds_nothing() {
    let Some(actionlint) = std::env::var_os("CHAOS_TEST_ACTIONLINT") else {
        missing("actionlint", "CHAOS_TEST_ACTIONLINT names none");
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let lint = |text: &str| {
        let file = dir.path().join("chaos.yml");
        std::fs::write(&file, text).unwrap();
        // What the scripts do is tested by itself. The repository's own actions are found from its root.
        let output = Command::new(&actionlint)
            .args(["-no-color", "-shellcheck=", "-pyflakes="])
            .args([file, repository().join(".github/workflows/ci.yml")])
            .current_dir(repository())
            .output()
            .unwrap_or_else(|error| panic!("{}: {error}", actionlint.display()));
        let told = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        (output.status.code(), told.concat())
    };
    let (code, told) = lint(&filled(GITHUB));
    assert_eq!(code, Some(0), "{told}");
    // It does look: an output that no job has.
    let (code, told) =
        lint(&filled(GITHUB).replace("needs.setup.outputs.shards", "needs.setup.outputs.shard"));
    assert!(code == Some(1) && told.contains("\"shard\""), "{told}");
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
