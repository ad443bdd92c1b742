//! What must hold of everything that is written, whatever the records say.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::sandbox::{Ended, Sandbox};

/// Reports everything in all forms, and holds what was written against what must never be in it.
#[track_caller]
pub(crate) fn report_all(sandbox: &Sandbox) -> Ended {
    let _ = fs::remove_dir_all(sandbox.path("out"));
    let ended = sandbox.run(&["report", "--out", "out"]);
    assert_sane(&ended);
    for file in fs::read_dir(sandbox.path("out")).into_iter().flatten() {
        assert_harmless(&file.unwrap().path());
    }
    // The same to the terminal.
    let shown = sandbox.run(&["report", "--validation", "out/again.json"]);
    assert_sane(&shown);
    assert_eq!(shown.code, ended.code, "{shown:?}");
    assert_sane(&sandbox.run(&["verify"]));
    ended
}

/// No panic, and nothing that a terminal obeys.
#[track_caller]
pub(crate) fn assert_sane(ended: &Ended) {
    assert!(!ended.stderr.contains("panicked"), "{ended:?}");
    assert!(ended.code.is_some(), "{ended:?}");
    for text in [&ended.stdout, &ended.stderr] {
        assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
    }
}

/// What holds of every file, by its kind.
#[track_caller]
pub(crate) fn assert_harmless(file: &Path) {
    let bytes = fs::read(file).unwrap();
    let text = String::from_utf8(bytes).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let control = text.chars().find(|c| c.is_control() && *c != '\n');
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("json") => {
            serde_json::from_str::<Value>(&text)
                .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        }
        Some("html") => {
            assert_eq!(control, None, "{}", file.display());
            assert!(!text.contains("<img src=x"), "{}", file.display());
            let scripts = (text.matches("<script").count(), text.matches("</script").count());
            assert_eq!(scripts, (1, 1), "{}: its own", file.display());
        }
        Some("xml") => {
            assert_eq!(control, None, "{}", file.display());
            assert!(!text.contains("<img"), "{}", file.display());
        }
        Some("prom") => {
            assert_eq!(control, None, "{}", file.display());
            let own = |line: &str| line.starts_with("# ") || line.starts_with("chaos_");
            assert!(text.lines().all(own), "{}: a line that is none of ours", file.display());
        }
        Some("md") => {
            assert_eq!(control, None, "{}", file.display());
            assert!(!text.lines().any(|line| line.starts_with("# a") || line.starts_with("| b |")), "{text}");
            // In code it is text, and elsewhere it is escaped.
            let outside_blocks = text.split("\n```").step_by(2);
            for line in outside_blocks.flat_map(str::lines) {
                let outside = line.split('`').step_by(2);
                assert!(outside.clone().all(|part| !part.replace("\\<", "").contains("<img")), "{line:?}");
            }
        }
        _ => {}
    }
}

/// Writes a file beside the records.
pub(crate) fn bytes(sandbox: &Sandbox, name: &str, bytes: &[u8]) {
    let path = sandbox.path("runs/run-1").join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}
