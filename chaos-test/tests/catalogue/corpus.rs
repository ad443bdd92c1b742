//! `scenarios/invalid`: each bad file beside the exact message it must give.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use chaos_test::model::Catalogue;

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/invalid")
}

fn names(extension: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(directory()).unwrap().map(|entry| entry.unwrap().path());
    let wanted = entries.filter(|path| path.extension().is_some_and(|found| found == extension));
    wanted.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

/// `UPDATE_EXPECTED=1` writes the messages instead of comparing them; read what it wrote.
#[test]
fn every_bad_file_gives_exactly_its_message() {
    let update = std::env::var_os("UPDATE_EXPECTED").is_some();
    let files = names("yml");
    assert!(files.len() >= 30, "only {} cases in {}", files.len(), directory().display());
    let mut different = Vec::new();
    for name in &files {
        let file = format!("{name}.yml");
        let bytes = fs::read(directory().join(&file)).unwrap();
        let Err(mistakes) = Catalogue::read(&file, &bytes) else { panic!("{file} was accepted") };
        let found = format!("{mistakes}\n");
        let expected = directory().join(format!("{name}.expected"));
        if update {
            fs::write(&expected, &found).unwrap();
        } else if fs::read_to_string(&expected).ok().as_deref() != Some(&found) {
            different.push(format!("{file} now says:\n{found}"));
        }
    }
    assert!(different.is_empty(), "{}\nUPDATE_EXPECTED=1 accepts these", different.join("\n"));
    assert_eq!(files, names("expected"), "every .yml has an .expected, and the other way round");
}

#[test]
fn every_mistake_has_a_place_and_a_way_out() {
    for name in names("yml") {
        let bytes = fs::read(directory().join(format!("{name}.yml"))).unwrap();
        for mistake in &Catalogue::read(&name, &bytes).unwrap_err() {
            let lines = bytes.iter().filter(|byte| **byte == b'\n').count() as u32 + 1;
            assert!((1..=lines).contains(&mistake.line), "{mistake}");
            assert!(mistake.help.is_some(), "{mistake}");
            assert!(!mistake.to_string().contains('\u{1b}'), "{mistake}");
        }
    }
}
