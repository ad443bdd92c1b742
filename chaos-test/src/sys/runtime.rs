//! The harness's own threads.
//!
//! Proxies, probers and the engine run here and never on the runtime of the test, so a test body that blocks its
//! runtime delays itself and nothing else.

use std::sync::OnceLock;

use tokio::runtime::{Builder, Handle, Runtime};

/// The runtime of this process's harness. Started at the first use, it lives as long as the process.
pub(crate) fn harness() -> &'static Handle {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME
        .get_or_init(|| {
            Builder::new_multi_thread()
                .worker_threads(2)
                .thread_name("chaos-test")
                .enable_all()
                .build()
                .expect("starting the harness's threads: the process has no threads or descriptors left")
        })
        .handle()
}
