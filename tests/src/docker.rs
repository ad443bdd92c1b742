//! The container engine as its own client sees it, and an image of the stub to start.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::stress::has;

/// The image of the stub: it listens on port 8000.
pub const STUB: (&str, &str) = ("chaos-test/stub", "local");
/// The label that says which stub an image was made of.
const OF: &str = "chaos-test.stub-of";

/// Whether there is a container engine. If not, it says so; and if `CHAOS_TEST_REQUIRE` names `docker`, it fails instead.
pub fn has_docker() -> bool {
    let asked = Command::new("docker").args(["version", "--format", "{{.Server.Version}}"]).output();
    let missing = match asked {
        Ok(answer) if answer.status.success() => None,
        Ok(answer) => Some(String::from_utf8_lossy(&answer.stderr).trim().to_owned()),
        Err(error) => Some(format!("its client cannot be started: {error}")),
    };
    has("docker", missing)
}

/// What the client says to that; it must succeed.
pub fn docker(args: &[&str]) -> String {
    let answer = Command::new("docker").args(args).output().expect("its client is there");
    let text = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
    assert!(answer.status.success(), "docker {args:?}: {}", String::from_utf8_lossy(&answer.stderr));
    text
}

/// Everything the engine has with that mark in its labels: containers in any state, networks, volumes.
pub fn left(mark: &str) -> Vec<String> {
    let filter = format!("label=chaos-test.mark={mark}");
    let lists: [&[&str]; 3] = [
        &["ps", "--all", "--format", "container {{.Names}} {{.Status}}"],
        &["network", "ls", "--format", "network {{.Name}}"],
        &["volume", "ls", "--format", "volume {{.Name}}"],
    ];
    let told = lists.map(|list| docker(&[list, &["--filter", &filter]].concat()));
    told.iter().flat_map(|text| text.lines()).map(str::to_owned).collect()
}

/// The same, once it is nothing or the time is over.
pub fn left_after(mark: &str, limit: Duration) -> Vec<String> {
    let began = Instant::now();
    loop {
        let left = left(mark);
        if left.is_empty() || began.elapsed() > limit {
            return left;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Makes the image of the stub, of the program that Cargo built and the libraries it loads, unless it is there. It asks no
/// registry.
pub fn stub_image(program: &Path) {
    // Every test is a process, and one of them makes it.
    let lock = fs::File::create(program.with_extension("image-lock")).expect("a lock beside the program");
    lock.lock().expect("somebody makes it, or nobody does");
    let meta = fs::metadata(program).expect("the program");
    let changed = meta.modified().expect("a time").duration_since(std::time::UNIX_EPOCH).expect("a time");
    let of = format!("{}-{}", meta.len(), changed.as_nanos());
    let tag = format!("{}:{}", STUB.0, STUB.1);
    let format = format!("{{{{index .Config.Labels \"{OF}\"}}}}");
    let known = Command::new("docker").args(["image", "inspect", "--format", &format, &tag]).output();
    if known.is_ok_and(|known| String::from_utf8_lossy(&known.stdout).trim() == of) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let stub = folder.path().join("stub");
    fs::copy(program, &stub).expect("a copy");
    // Most of it is debug information; without the tool it is only larger.
    let _ = Command::new("strip").arg(&stub).status();
    for library in libraries(program) {
        let inside = folder.path().join(library.strip_prefix("/").expect("a whole path"));
        fs::create_dir_all(inside.parent().expect("a folder")).expect("a folder");
        fs::copy(&library, inside).expect("a library");
    }
    let mut tar = Command::new("tar")
        .args(["--create", "--directory"])
        .args([folder.path(), Path::new(".")])
        .stdout(Stdio::piped())
        .spawn()
        .expect("tar");
    let archive = tar.stdout.take().expect("its output");
    let entry = "ENTRYPOINT [\"/stub\", \"--host\", \"0.0.0.0\", \"--port\", \"8000\"]";
    let made = Command::new("docker")
        .args(["import", "--change", entry, "--change", "EXPOSE 8000"])
        .args(["--change", &format!("LABEL {OF}={of}"), "-", &tag])
        .stdin(archive)
        .stdout(Stdio::null())
        .status();
    assert!(made.expect("its client is there").success() && tar.wait().expect("tar").success());
}

/// The libraries a program loads, its loader among them.
fn libraries(program: &Path) -> Vec<PathBuf> {
    let listed = Command::new("ldd").arg(program).output().expect("ldd");
    let text = String::from_utf8_lossy(&listed.stdout).into_owned();
    let path = |line: &str| line.split_whitespace().find(|word| word.starts_with('/')).map(PathBuf::from);
    text.lines().filter_map(path).collect()
}
