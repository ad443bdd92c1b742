//! The harness's own threads, and those of a user's probes.
//!
//! Proxies, probers and the engine run here and never on the runtime of the test, so a test body that blocks its
//! runtime delays itself and nothing else.

use std::sync::OnceLock;

use tokio::runtime::{Builder, Handle, Runtime};

/// How many blocking calls of the harness may have a thread at once: Tokio's own number.
const CALLS: usize = 512;
/// How many looks of a user's own may have a thread at once. More wait, and their samples tell for how long.
const LOOKS: usize = 256;

/// The runtime of this process's harness. Started at the first use, it lives as long as the process.
pub(crate) fn harness() -> &'static Handle {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| started("chaos-test", CALLS)).handle()
}

/// The runtime for a user's own probes, whose code may block every thread it gets.
pub(crate) fn probes() -> &'static Handle {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| started("chaos-test-probe", LOOKS)).handle()
}

fn started(name: &str, blocking: usize) -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(blocking)
        .thread_name(name)
        .enable_all()
        .build()
        .expect("starting the harness's threads: the process has no threads or descriptors left")
}
