use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};

use chaos_test::prelude::*;
use suite::docker::{docker, left};

use super::stub;

/// A test of this program in a process of its own, which has started its services.
pub(crate) struct Victim {
    pub(crate) child: Child,
    pub(crate) mark: String,
    _output: BufReader<ChildStdout>,
    _folder: tempfile::TempDir,
}

impl Victim {
    pub(crate) fn start(how: &str, variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut child = Command::new(std::env::current_exe().expect("this test"))
            .args(["victim", "--exact", "--ignored", "--nocapture"])
            .env("VICTIM", how)
            .env("CHAOS_TEST_DIR", folder.path())
            .env_remove("NEXTEST")
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut output = BufReader::new(child.stdout.take().expect("its output"));
        let told = output.by_ref().lines().map_while(Result::ok);
        let mark = told.into_iter().find_map(|line| line.strip_prefix("mark ").map(str::to_owned));
        Self { mark: mark.expect("it has started its services"), child, _output: output, _folder: folder }
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().and_then(|()| self.child.wait()).expect("killed");
    }
}

/// Whether what such a test kept is what a failed one is to keep. It is looked at after the next start, and removed.
pub(crate) async fn is_kept_by(how: &str) -> bool {
    let mut victim = Victim::start(how, &[("CHAOS_TEST_KEEP", "1")]);
    victim.child.wait().expect("it ends");
    let next = Environment::builder().container("app", stub()).start().await.expect("it starts");
    drop(next);
    let kept = left(&victim.mark);
    if kept.is_empty() {
        return false;
    }
    let filter = format!("label=chaos-test.mark={}", victim.mark);
    let ids = docker(&["ps", "--all", "--quiet", "--filter", &filter]);
    docker(&[&["rm", "--force", "--volumes"], &ids.lines().collect::<Vec<_>>()[..]].concat());
    docker(&["network", "rm", &format!("chaos-test-{}", victim.mark)]);
    let named = |thing: &&String| thing.starts_with("container chaos-test-kept-") && thing.contains(" Up ");
    assert_eq!(kept.iter().filter(named).count(), 2, "{kept:?}");
    assert_eq!(kept.len(), 3, "with their network: {kept:?}");
    true
}
