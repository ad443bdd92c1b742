//! An image of this program for a while: for a program that wants to be a service in a container itself.

use std::io;
use std::time::Duration;

use testcontainers::bollard::query_parameters::RemoveImageOptions;

use super::engine::{engine, on_harness, told};
use super::image;
use crate::port::BoxFuture;
use crate::sys::locks::{Lock, LockDir, Mode};
use crate::sys::runtime::harness;
use crate::sys::timer;

/// How long one that is being removed is waited for, and how long the engine may take to let go of it.
const LONGEST: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(50);

/// An image that holds nothing but this program and what it loads. The last one who has it removes it.
#[derive(Debug)]
pub struct OwnImage {
    image: String,
    command: Vec<String>,
    in_use: Option<InUse>,
}

/// A lock that all share who use the image of a program, and whoever removes it has alone.
#[derive(Debug)]
struct InUse {
    dir: LockDir,
    name: String,
    _lock: Lock,
}

impl OwnImage {
    /// Makes it, if the engine does not have it.
    pub(crate) fn make() -> BoxFuture<'static, io::Result<Self>> {
        on_harness(async {
            let in_use = in_use().await;
            let image::Helper { image, command } = image::of_this_program().await?;
            Ok(Self { image, command, in_use })
        })
    }

    /// What the engine calls it: a name and a tag.
    pub fn name(&self) -> (&str, &str) {
        self.image.rsplit_once(':').unwrap_or((&self.image, "latest"))
    }

    /// The words that run this program in it; its arguments follow.
    pub fn command(&self) -> &[String] {
        &self.command
    }
}

/// The right to use it, unless it cannot be had: then it stays.
async fn in_use() -> Option<InUse> {
    let name = format!("own-image-{}.lock", image::origin().ok()?);
    let (dir, end) = (LockDir::of_host().ok()?, timer::now() + LONGEST);
    while timer::now() < end {
        if let Some(lock) = dir.try_take(&name, Mode::Shared).ok()? {
            return Some(InUse { dir, name, _lock: lock });
        }
        tokio::time::sleep(LOOK).await;
    }
    None
}

impl Drop for OwnImage {
    /// Blocks; not for the harness's own threads.
    fn drop(&mut self) {
        let Some(InUse { dir, name, _lock: lock }) = self.in_use.take() else { return };
        drop(lock);
        // Somebody else may have it in use: then that one removes it.
        let Ok(Some(alone)) = dir.try_take(&name, Mode::Exclusive) else { return };
        let (image, (done, wait)) = (self.image.clone(), std::sync::mpsc::channel());
        harness().spawn(async move {
            let _ = done.send(remove(&image).await);
        });
        // There is nobody to tell.
        let _ = wait.recv_timeout(LONGEST);
        drop(alone);
    }
}

/// Helpers that have just ended may not be gone yet.
async fn remove(image: &str) -> io::Result<()> {
    let (docker, end) = (engine().await?, timer::now() + LONGEST);
    loop {
        match docker.remove_image(image, None::<RemoveImageOptions>, None).await.map_err(told) {
            Err(error) if error.kind() != io::ErrorKind::NotFound && timer::now() < end => {
                tokio::time::sleep(LOOK).await;
            }
            other => return other.map(drop),
        }
    }
}
