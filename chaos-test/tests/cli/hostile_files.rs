//! Files that stand where records should, and are too large, of another kind, not to be read, or named to hurt.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

use serde_json::{Value, json};

use crate::harmless::{assert_sane, bytes, report_all};
use crate::reports::pass;
use crate::sandbox::Sandbox;

/// A file of a size without a content.
fn sparse(sandbox: &Sandbox, name: &str, size: u64) {
    bytes(sandbox, name, b"{");
    let file = File::options().write(true).open(sandbox.path("runs/run-1").join(name)).unwrap();
    file.set_len(size).unwrap();
}

#[test]
fn a_file_larger_than_any_record_is_refused_unread() {
    let sandbox = Sandbox::new();
    sandbox.keep(&pass("survives").report());
    sparse(&sandbox, "huge.json", 1 << 40);
    // With less memory than it has bytes, and less than reading what is allowed would take.
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg("ulimit -v 400000; exec \"$0\" report --out out")
        .arg(env!("CARGO_BIN_EXE_cargo-chaos"));
    command.current_dir(sandbox.path("")).env("CHAOS_TEST_DIR", "runs");
    let output = command.output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{told}");
    assert!(
        told.starts_with(
            "error: runs/run-1/huge.json is not reported: larger than 512 MiB, which no record is\n"
        ),
        "{told}"
    );
}

#[test]
fn megabytes_of_digits_are_told() {
    let sandbox = Sandbox::new();
    sandbox.keep(&pass("survives").report());
    for (name, begin, end) in
        [("number.json", "", ""), ("share.json", "{\"format_version\":2,\"started_at\":0.", "}")]
    {
        bytes(&sandbox, name, b"");
        let mut file = File::create(sandbox.path("runs/run-1").join(name)).unwrap();
        file.write_all(begin.as_bytes()).unwrap();
        for _ in 0..30 {
            file.write_all(&[b'7'; 1_000_000]).unwrap();
        }
        file.write_all(end.as_bytes()).unwrap();
    }
    let ended = sandbox.run(&["report"]);
    assert_sane(&ended);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert_eq!(ended.stderr.matches(" is not reported: ").count(), 2, "{ended:?}");
    assert!(ended.stderr.lines().all(|line| line.len() < 700), "{ended:?}");
}

/// Whatever stands where a record should.
#[test]
fn only_regular_files_are_read() {
    let sandbox = Sandbox::new();
    sandbox.keep(&pass("survives").report());
    let run = sandbox.path("runs/run-1");
    fs::create_dir(run.join("directory.json")).unwrap();
    assert!(Command::new("mkfifo").arg(run.join("pipe.json")).status().unwrap().success());
    symlink(run.join("loop.json"), run.join("loop.json")).unwrap();
    symlink(run.join("nowhere"), run.join("dangling.json")).unwrap();
    symlink("/dev/zero", run.join("device.json")).unwrap();
    // A regular file that cannot be read, whoever asks.
    symlink("/proc/self/mem", run.join("memory.json")).unwrap();
    symlink(&run, run.join("around")).unwrap();
    for args in [&["report", "--out", "out"][..], &["report", "--all", "--out", "out"], &["verify"]] {
        let ended = sandbox.run(args);
        assert_sane(&ended);
        // The one that is well is verified, and is not where it says.
        assert_eq!(ended.code, Some(if args[0] == "verify" { 6 } else { 3 }), "{ended:?}");
        for (name, reason) in [
            ("dangling.json", "cannot be read: No such file or directory"),
            ("device.json", "cannot be read: it is no regular file"),
            ("loop.json", "cannot be read: Too many levels of symbolic links"),
            ("memory.json", "cannot be read: "),
            ("pipe.json", "cannot be read: it is no regular file"),
        ] {
            let line = ended.stderr.lines().find(|line| line.contains(name)).unwrap_or_default();
            assert!(line.contains(reason), "{name}: {ended:?}");
        }
        assert!(!ended.stderr.contains("directory.json"), "{ended:?}");
    }
    let named = sandbox.run(&["report", "--results", "runs/run-1/pipe.json"]);
    assert_eq!(named.code, Some(3), "{named:?}");
}

#[test]
fn a_file_that_may_not_be_read_is_told() {
    let sandbox = Sandbox::new();
    sandbox.keep(&pass("survives").report());
    let secret = sandbox.keep(&pass("secret").report());
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o000)).unwrap();
    let ended = sandbox.run(&["report"]);
    if File::open(&secret).is_ok() {
        // Root may read everything.
        assert_eq!(ended.code, Some(0), "{ended:?}");
    } else {
        assert_eq!(ended.code, Some(3), "{ended:?}");
        assert!(
            ended.stderr.contains("secret.json is not reported: cannot be read: Permission denied"),
            "{ended:?}"
        );
    }
}

#[test]
fn names_of_files_are_shown_on_one_line() {
    let sandbox = Sandbox::new();
    for name in [
        &b"new\nline \x1b[2J.json"[..],
        b"not \xff utf-8.json",
        b"<img src=x>|`.json",
        b"-rf.json",
        b"'\"$(id).json",
    ] {
        let path = sandbox.path("runs/run-1").join(OsStr::from_bytes(name));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "{}").unwrap();
    }
    let ended = report_all(&sandbox);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert_eq!(ended.stderr.matches(" is not reported: ").count(), 5, "{ended:?}");
    assert_eq!(ended.stderr.lines().count(), 6, "{ended:?}");
    assert!(ended.stderr.contains("new\\nline \\u{1b}[2J.json"), "{ended:?}");
}

#[test]
fn the_same_record_many_times_is_one_test() {
    let sandbox = Sandbox::new();
    let record = pass("survives").report();
    for n in 0..50 {
        sandbox.keep_as(&record, &format!("copy-{n}"));
    }
    let ended = report_all(&sandbox);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{ended:?}");
    assert!(ended.stdout.contains("1 of 1 test passed"), "{ended:?}");
    let results: Value = serde_json::from_str(&sandbox.read("out/chaos_results.json")).unwrap();
    assert_eq!((&results["reports"][1], &results["retried"]), (&Value::Null, &json!([])));
}
