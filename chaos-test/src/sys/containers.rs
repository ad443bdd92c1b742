//! What is asked of a container engine about things with a mark of ours, also by a program built without one.
//!
//! Not here: how it is asked (`docker`).

use std::io;
use std::time::Duration;

use super::owner::Owner;

/// The label by which a container, network or volume is known as ours. It holds a mark, which names its owner.
pub(crate) const MARK_LABEL: &str = "chaos-test.mark";

/// How long an engine may take to tell what a container may use.
#[cfg(feature = "containers")]
const PATIENCE: Duration = Duration::from_secs(2);

/// Removes all that carries this mark in its labels: what was done, for people. Blocks.
pub(crate) fn remove(mark: &str, limit: Duration) -> Result<String, String> {
    #[cfg(feature = "containers")]
    return super::docker::remove_marked(mark, limit);
    #[cfg(not(feature = "containers"))]
    {
        let _ = limit;
        Err(unremovable(mark))
    }
}

/// Removes all that carries any mark of that process, and says what that was. Blocks.
pub(crate) fn remove_of(owner: &Owner, limit: Duration) -> Result<Vec<String>, String> {
    #[cfg(feature = "containers")]
    return super::docker::remove_of(owner, limit);
    #[cfg(not(feature = "containers"))]
    {
        // Whoever was to remove one mark's has said already that nothing can be.
        let _ = (owner, limit);
        Ok(Vec::new())
    }
}

/// Whether anything carries this mark in its labels.
pub(crate) async fn is_left(mark: &str) -> io::Result<bool> {
    #[cfg(feature = "containers")]
    return super::docker::is_left(mark).await;
    #[cfg(not(feature = "containers"))]
    {
        Err(io::Error::other(unremovable(mark)))
    }
}

/// What an engine lets a container use at most; `None` where it sets no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Limits {
    /// Processors, or a part of one.
    pub(crate) processors: Option<f64>,
    /// Bytes of memory.
    pub(crate) memory: Option<u64>,
}

/// What that container may use. One that nobody tells of has no limits. To be called on the harness's own threads.
pub(crate) async fn limits(id: &str) -> Limits {
    #[cfg(feature = "containers")]
    return tokio::time::timeout(PATIENCE, super::docker::limits(id))
        .await
        .map_or_else(|_| Limits::default(), Result::unwrap_or_default);
    #[cfg(not(feature = "containers"))]
    {
        let _ = id;
        Limits::default()
    }
}

/// Why this program leaves what carries that mark where it is, and who removes it.
#[cfg(not(feature = "containers"))]
pub(crate) fn unremovable(mark: &str) -> String {
    let label = format!("label={MARK_LABEL}={mark}");
    format!(
        "this program was built without the feature `containers`, so it asks no container engine. `cargo chaos reap` removes \
         them if it was built with it (`cargo install --path chaos-test --features cli,containers`); by hand it is \
         `docker rm -fv $(docker ps -aqf {label})` and `docker network rm $(docker network ls -qf {label})`"
    )
}
