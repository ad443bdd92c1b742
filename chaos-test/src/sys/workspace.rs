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
    let metadata = metadata(&env::current_dir()).ok()?;
    serde_json::from_slice::<Metadata>(&metadata).ok().map(|metadata| metadata.target_directory)
}

/// What Cargo says of the workspace that a directory is in, as JSON, without its dependencies.
///
/// # Errors
/// What Cargo says instead: there is none, or its manifest is wrong.
pub(crate) fn metadata(dir: &Path) -> Result<Vec<u8>, String> {
    let cargo = env::var("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(&cargo)
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(dir)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{cargo} cannot be started: {error}"))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let told = String::from_utf8_lossy(&output.stderr);
    Err(told.trim().trim_start_matches("error: ").to_owned())
}
