//! A Redis of a test's own: found, and described as a process of an environment.

use std::path::{Path, PathBuf};

use chaos_test::prelude::*;

use super::redis_answers::redis_answers;

/// Where Redis is; without it, says so.
pub(crate) fn redis_or_skip() -> Option<PathBuf> {
    let found = PathBuf::from("/usr/bin/redis-server");
    if found.is_file() {
        return Some(found);
    }
    let required = std::env::var("CHAOS_TEST_REQUIRE").unwrap_or_default();
    assert!(
        !required.split(',').any(|name| name.trim() == "redis"),
        "redis is required: no /usr/bin/redis-server"
    );
    eprintln!("SKIPPED: this host has no redis: no /usr/bin/redis-server");
    None
}

/// A server that keeps nothing on disk.
pub(crate) fn redis(program: &Path, dir: &Path) -> Process {
    Process::new(program)
        .args(["--port", "{port}", "--bind", "{host}", "--save", "", "--appendonly", "no"])
        .dir(dir)
        .ready(redis_answers())
}
