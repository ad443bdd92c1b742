//! A runner that only pretends: a folder as a job finds it, in which a script of a pipeline is run.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::Command;

use chaos_test::report::Report;
use tempfile::TempDir;

use crate::gitlab::GITLAB;
use crate::synthetic::{Story, delayed, ms};
use crate::{github, parsed, steps_of, texts};

/// A folder as a job finds it, after its downloads.
pub(crate) struct Runner {
    dir: TempDir,
}

/// What a step left.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) told: String,
}

impl Runner {
    pub(crate) fn new() -> Self {
        let runner = Self { dir: tempfile::tempdir().unwrap() };
        fs::create_dir_all(runner.path("bin")).unwrap();
        fs::create_dir_all(runner.path("ci/build")).unwrap();
        symlink(env!("CARGO_BIN_EXE_cargo-chaos"), runner.path("ci/build/cargo-chaos")).unwrap();
        runner
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// A program that writes what it was asked into `asked`, then does that.
    pub(crate) fn pretend(&self, name: &str, script: &str) {
        // It may be a link to the real one.
        let _ = fs::remove_file(self.path(name));
        self.write(name, &format!("#!/usr/bin/env bash\necho \"$*\" >>\"$ASKED\"\n{script}\n"));
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A workspace in which cargo finds the package `shop`, in a folder of that name.
    pub(crate) fn has_a_package(&self) {
        let manifest = self.path("shop/Cargo.toml");
        self.write("shop/Cargo.toml", "[package]\nname = \"shop\"\n");
        let packages = serde_json::json!({"packages": [
            {"name": "other", "manifest_path": "/nowhere/Cargo.toml"},
            {"name": "shop", "manifest_path": manifest.display().to_string()},
        ]});
        self.write("metadata.json", &packages.to_string());
        self.pretend("bin/cargo", "cat metadata.json");
    }

    /// Keeps a record where the first shard would.
    pub(crate) fn keep(&self, report: &Report) {
        let name = format!("ci/shards/shard-1/records/{}/{}.json", report.run_id, report.test);
        self.write(&name, &report.to_json().unwrap());
    }

    /// A step of the workflow, by its name.
    pub(crate) fn step(&self, job: &str, name: &str, inputs: &[(&str, &str)]) -> Ended {
        let workflow = github();
        let step = steps_of(&workflow, job).iter().find(|step| step["name"] == name);
        let script = step.and_then(|step| step["run"].as_str());
        self.run(script.unwrap_or_else(|| panic!("{job} has no script {name:?}")), inputs)
    }

    /// A script of a job of GitLab's, by its place.
    pub(crate) fn gitlab(&self, job: &str, place: usize, inputs: &[(&str, &str)]) -> Ended {
        let pipeline = parsed(GITLAB);
        let scripts = texts(&pipeline[job]["script"]);
        self.run(scripts.get(place).unwrap_or_else(|| panic!("{job} has no script {place}")), inputs)
    }

    fn run(&self, script: &str, inputs: &[(&str, &str)]) -> Ended {
        let path = format!("{}:{}", self.path("bin").display(), std::env::var("PATH").unwrap());
        let mut bash = Command::new("bash");
        bash.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script]).current_dir(self.dir.path());
        for name in ["CHAOS_TEST_CATALOGUE", "CHAOS_TEST_DIR", "CHAOS_TEST_DRY_RUN"] {
            bash.env_remove(name);
        }
        let output = bash
            .envs([("PATH", path.as_str()), ("CHAOS_CI", "ci"), ("SHARDS", "3")])
            .envs([("PACKAGE", "shop"), ("CHAOS_PACKAGE", "shop")])
            .envs([("GITHUB_REPOSITORY", "a-team/shop"), ("GITHUB_SERVER_URL", "https://github.example")])
            .env("GITHUB_RUN_ID", "7")
            .env("GITHUB_WORKFLOW_REF", "a-team/shop/.github/workflows/chaos.yml@refs/heads/main")
            .env("ASKED", self.path("asked"))
            .env("GITHUB_OUTPUT", self.path("outputs"))
            .env("GITHUB_STEP_SUMMARY", self.path("step_summary.md"))
            .envs(inputs.iter().copied())
            .output()
            .unwrap();
        let told = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        Ended { code: output.status.code(), told: told.concat() }
    }

    pub(crate) fn judged(&self, fail_on_violation: &str) -> Ended {
        self.step("resilience_validation", "Judge", &[("FAIL_ON_VIOLATION", fail_on_violation)])
    }
}

pub(crate) fn pass() -> Report {
    Story::new("checkout").chaos(delayed).report()
}

pub(crate) fn fail() -> Report {
    Story::new("checkout").chaos(|_, sample| sample.latency += ms(804)).report()
}
