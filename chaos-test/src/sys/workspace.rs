//! The workspace a command was called in.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "sys is where processes are started")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use super::{env, files};

/// The nearest directory from `start` up that holds a Cargo.toml; `start` itself if there is none.
pub(crate) fn package_dir(start: &Path) -> PathBuf {
    let package = start.ancestors().find(|dir| files::is_file(&dir.join("Cargo.toml")));
    package.unwrap_or(start).to_path_buf()
}

/// The target directory that Cargo uses in the current directory. Only Cargo knows it: variables, several
/// configuration files and the workspace have a say.
pub(crate) fn target_dir() -> Option<PathBuf> {
    #[derive(Deserialize)]
    struct Metadata {
        target_directory: PathBuf,
    }
    let output = Command::new(env::var("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    serde_json::from_slice::<Metadata>(&output.stdout).ok().map(|metadata| metadata.target_directory)
}
