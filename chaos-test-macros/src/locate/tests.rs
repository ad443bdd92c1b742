use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{Located, MOST_BYTES, Site};

fn write(root: &TempDir, file: &str, text: &str) -> PathBuf {
    let path = root.path().canonicalize().expect("a directory").join(file);
    fs::create_dir_all(path.parent().expect("a parent")).expect("made");
    fs::write(&path, text).expect("written");
    path
}

fn tree(files: &[(&str, &str)]) -> TempDir {
    let root = TempDir::new().expect("a temporary directory");
    for (file, text) in files {
        write(&root, file, text);
    }
    root
}

fn site(root: &TempDir, dir: &str) -> Site {
    Site { manifest_dir: Some(root.path().canonicalize().expect("a directory").join(dir)), ..Site::default() }
}

fn found(root: &TempDir, located: &Located) -> Option<String> {
    let root = root.path().canonicalize().expect("a directory");
    let file = located.file.as_ref()?;
    Some(Path::new(file).strip_prefix(root).expect("inside").to_str().expect("UTF-8").replace('\\', "/"))
}

const OWN: &str = "scenarios: [{name: Own}]\n";

#[test]
fn the_search_goes_from_the_package_to_the_workspace() {
    let root = tree(&[
        ("Cargo.toml", "[workspace] # all of it\nmembers = []\n"),
        ("a/Cargo.toml", "[package]\n"),
        ("chaos_scenarios.yml", OWN),
        ("scenarios/chaos_scenarios.yml", OWN),
        ("a/chaos_scenarios.yml", OWN),
        ("a/scenarios/chaos_scenarios.yml", OWN),
    ]);
    let site = site(&root, "a");
    for expected in [
        "a/chaos_scenarios.yml",
        "a/scenarios/chaos_scenarios.yml",
        "chaos_scenarios.yml",
        "scenarios/chaos_scenarios.yml",
    ] {
        let located = site.catalogue(None).expect("usable");
        assert_eq!(found(&root, &located).as_deref(), Some(expected));
        assert_eq!(located.names.scenario("Own"), Ok(()));
        assert_eq!(located.names.scenario("Service Recovery"), Ok(()), "the built-in ones stay");
        fs::remove_file(root.path().join(expected)).expect("removed");
    }
    let located = site.catalogue(None).expect("usable");
    assert_eq!(located.file, None);
    assert!(located.names.scenario("Own").is_err());
}

#[test]
fn the_nearest_workspace_ends_the_search() {
    let root = tree(&[
        ("Cargo.toml", "[workspace]\n"),
        ("chaos_scenarios.yml", OWN),
        ("inner/Cargo.toml", "[package]\nname = \"inner\"\n\n[workspace]\n"),
    ]);
    assert_eq!(site(&root, "inner").catalogue(None).expect("usable").file, None);
}

#[test]
fn the_key_goes_before_the_variable_and_the_variable_before_the_search() {
    let root = tree(&[
        ("Cargo.toml", "[workspace]\n"),
        ("a/Cargo.toml", "[package]\n"),
        ("a/chaos_scenarios.yml", OWN),
        ("a/by_key.yml", OWN),
        ("a/by_variable.yml", OWN),
        ("from_root.yml", OWN),
    ]);
    let mut site = site(&root, "a");
    site.variable = Some("by_variable.yml".into());
    assert_eq!(
        found(&root, &site.catalogue(Some("by_key.yml")).expect("usable")).as_deref(),
        Some("a/by_key.yml")
    );
    assert_eq!(found(&root, &site.catalogue(None).expect("usable")).as_deref(), Some("a/by_variable.yml"));
    site.variable = Some("from_root.yml".into());
    assert_eq!(found(&root, &site.catalogue(None).expect("usable")).as_deref(), Some("from_root.yml"));
}

#[test]
fn a_named_file_must_be_there() {
    let root = tree(&[("a/chaos_scenarios.yml", OWN)]);
    let mut site = site(&root, "a");
    let message = site.catalogue(Some("none.yml")).expect_err("missing").0;
    assert!(message.starts_with("no catalogue at ") && message.ends_with("none.yml"), "{message}");
    site.variable = Some("none.yml".into());
    let message = site.catalogue(None).expect_err("missing").0;
    assert_eq!(message, "CHAOS_TEST_CATALOGUE: no catalogue at none.yml");
}

#[test]
fn under_trybuild_the_source_file_leads_to_the_catalogue() {
    let root = tree(&[
        ("Cargo.toml", "[workspace]\n"),
        ("scenarios/chaos_scenarios.yml", OWN),
        ("a/Cargo.toml", "[package]\n"),
        ("a/tests/ui/bad.rs", ""),
        ("target/tests/trybuild/a/Cargo.toml", "[package]\n[workspace]\n"),
    ]);
    let mut site = site(&root, "target/tests/trybuild/a");
    site.source = Some(root.path().join("target/../a/tests/ui/bad.rs"));
    let located = site.catalogue(None).expect("usable");
    assert_eq!(found(&root, &located).as_deref(), Some("scenarios/chaos_scenarios.yml"));
}

#[test]
fn a_file_that_is_no_catalogue_is_told_with_what_to_run() {
    let root = tree(&[("bad.yml", "scenarios:\n  - {nam: x}\n"), ("big.yml", "")]);
    let big = root.path().join("big.yml");
    fs::write(big, vec![b'#'; usize::try_from(MOST_BYTES).expect("small") + 1]).expect("written");
    for (file, why) in [("bad.yml", "name"), ("big.yml", "it is larger than 1 MiB")] {
        let message = site(&root, "").catalogue(Some(file)).expect_err("unusable").0;
        let path = root.path().canonicalize().expect("a directory").join(file);
        let path = path.display();
        assert!(message.starts_with(&format!("the catalogue {path} cannot be used: ")), "{message}");
        assert!(message.contains(why), "{message}");
        assert!(message.ends_with(&format!("\n  help: run `cargo chaos check {path}`")), "{message}");
        assert_eq!(message.lines().count(), 2, "{message}");
    }
}

#[test]
fn a_changed_file_is_read_again() {
    let root = tree(&[("own.yml", OWN)]);
    let site = site(&root, "");
    assert_eq!(site.catalogue(Some("own.yml")).expect("usable").names.scenario("Own"), Ok(()));
    write(&root, "own.yml", "scenarios: [{name: Another}]\n");
    let names = site.catalogue(Some("own.yml")).expect("usable").names;
    assert_eq!(names.scenario("Another"), Ok(()));
    assert!(names.scenario("Own").is_err());
}
