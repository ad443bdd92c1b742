//! The environment of this process and where things are on its disk.
#![allow(clippy::disallowed_methods, reason = "sys is where the environment is read")]

use std::path::{Path, PathBuf};

/// A variable that is set and is not empty.
pub(crate) fn var(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The directory this process was started in.
pub(crate) fn current_dir() -> PathBuf {
    std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."))
}

/// The program this process runs.
pub(crate) fn current_exe() -> Option<PathBuf> {
    std::env::current_exe().ok()
}

/// Cargo's target directory: where this program was built, or where it would be.
pub(crate) fn target_dir() -> PathBuf {
    if let Some(dir) = var("CARGO_TARGET_DIR") {
        return PathBuf::from(dir);
    }
    let built_in = current_exe().and_then(|exe| {
        // target/debug/deps/x, target/debug/examples/x, target/debug/x
        let profile = exe.parent().filter(|dir| !dir.ends_with("deps") && !dir.ends_with("examples"));
        let profile = profile.or_else(|| exe.parent()?.parent())?;
        let target = profile.parent()?;
        target.join("CACHEDIR.TAG").is_file().then(|| target.to_path_buf())
    });
    let in_workspace = || Some(PathBuf::from(var("NEXTEST_WORKSPACE_ROOT")?).join("target"));
    built_in.or_else(in_workspace).unwrap_or_else(|| current_dir().join("target"))
}

/// A program that Cargo built for this workspace: `shop`.
pub(crate) fn cargo_bin(name: &str) -> Result<PathBuf, String> {
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    for variable in [format!("NEXTEST_BIN_EXE_{name}"), format!("CARGO_BIN_EXE_{name}")] {
        if let Some(path) = var(&variable).map(PathBuf::from).filter(|path| path.is_file()) {
            return Ok(path);
        }
    }
    let exe = current_exe().ok_or("this process has no path of its own")?;
    exe.ancestors()
        .skip(1)
        .take(3)
        .map(|dir| dir.join(&file))
        .find(|path| path.is_file() && *path != exe)
        .ok_or_else(|| {
            format!(
                "no program named `{name}` beside {}: Cargo builds a package's programs for its integration tests; \
                 for a program of another package run `cargo build --bin {name}` first",
                Path::new(exe.file_name().unwrap_or_default()).display()
            )
        })
}

/// How many processors this process may use.
pub(crate) fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The process that started this one.
pub(crate) fn parent_pid() -> u32 {
    std::os::unix::process::parent_id()
}

/// Whether this process has the rights of root.
#[cfg(feature = "cli")]
pub(crate) fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}
