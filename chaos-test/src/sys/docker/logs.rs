//! What a container writes, followed into a file.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use testcontainers::bollard::Docker;
use testcontainers::bollard::container::LogOutput;
use testcontainers::bollard::query_parameters::LogsOptionsBuilder;
use tokio::sync::watch;

use super::engine::{engine, told};
use super::life::Life;
use crate::sys::files;

/// How long between two looks whether it runs again, or yet, if nobody says so. An engine that is asked often by many has
/// less time to start them.
const LOOK: Duration = Duration::from_millis(250);
/// And after the engine could not read its log: with some drivers it never can.
const REST: Duration = Duration::from_secs(1);
/// How many entries are written at once, if so many have come.
const BATCH: usize = 256;

/// Follows what that container writes into a file, from its first start on and through every later one, until it is gone
/// or `over` says so. To be called on the harness's own threads.
pub(crate) async fn follow(
    name: String,
    log: std::path::PathBuf,
    life: Arc<Life>,
    mut over: watch::Receiver<bool>,
) {
    tokio::select! {
        biased;
        _ = over.wait_for(|over| *over) => {}
        // Without a log the services run all the same.
        _ = follow_on(&name, &log, &life) => {}
    }
}

async fn follow_on(name: &str, log: &Path, life: &Life) -> io::Result<()> {
    let docker = engine().await?;
    let file = Arc::new(files::create(log)?);
    let (mut seen, mut there) = (Seen::default(), false);
    let mut read = None;
    loop {
        match started(docker, name).await {
            // A stream of one that is down ends at once: so it is read once for each time it was started.
            Ok((running, since)) => {
                there = true;
                if running || read.as_ref() != Some(&since) {
                    seen.begin();
                    if !copy(docker, name, &file, &mut seen).await? {
                        tokio::time::sleep(REST).await;
                    }
                    read = Some(since);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && there => return Ok(()),
            Err(_) => {}
        }
        let _ = tokio::time::timeout(LOOK, life.starts()).await;
    }
}

/// Whether it runs, and when it was started last.
async fn started(docker: &Docker, name: &str) -> io::Result<(bool, String)> {
    let found = docker.inspect_container(name, None).await.map_err(told)?;
    let state = found.state.unwrap_or_default();
    let ended = state.finished_at.unwrap_or_default();
    Ok((state.running.unwrap_or_default(), state.started_at.unwrap_or_default() + &ended))
}

/// Copies what has not been copied yet, until the container goes down; false if the engine cannot tell.
async fn copy(docker: &Docker, name: &str, file: &Arc<File>, seen: &mut Seen) -> io::Result<bool> {
    let options =
        LogsOptionsBuilder::default().follow(true).stdout(true).stderr(true).timestamps(true).build();
    let mut batches = Box::pin(docker.logs(name, Some(options)).ready_chunks(BATCH));
    while let Some(batch) = batches.next().await {
        let (mut news, mut broken) = (Vec::new(), false);
        for entry in batch {
            let Ok(
                LogOutput::StdErr { message }
                | LogOutput::StdOut { message }
                | LogOutput::StdIn { message }
                | LogOutput::Console { message },
            ) = entry
            else {
                broken = true;
                continue;
            };
            news.extend_from_slice(seen.news(&message).unwrap_or_default());
        }
        // A disk that is slow, under stress for instance, must not hold up whoever measures.
        let file = Arc::clone(file);
        let written = tokio::task::spawn_blocking(move || (&*file).write_all(&news));
        written.await.map_err(io::Error::other)??;
        if broken {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What was copied last. The engine tells everything from the start again when a container was started again.
#[derive(Debug, Default)]
struct Seen {
    /// The latest time, in the engine's words, which sort as times do.
    latest: Vec<u8>,
    /// The entries of that very time.
    at_latest: Vec<Vec<u8>>,
    /// Whether the engine is telling what it has told before.
    again: bool,
}

impl Seen {
    /// The engine begins from the start.
    fn begin(&mut self) {
        self.again = !self.latest.is_empty();
    }

    /// What an entry says without its time, unless it was told before.
    fn news<'a>(&mut self, entry: &'a [u8]) -> Option<&'a [u8]> {
        let space = entry.iter().position(|byte| *byte == b' ').unwrap_or(0);
        let (time, text) = (&entry[..space], entry.get(space + 1..).unwrap_or_default());
        match time.cmp(&self.latest) {
            std::cmp::Ordering::Less if self.again => return None,
            // Its two outputs may overtake each other.
            std::cmp::Ordering::Less => return Some(text),
            std::cmp::Ordering::Equal if self.again && self.at_latest.iter().any(|known| known == text) => {
                return None;
            }
            std::cmp::Ordering::Equal => {}
            std::cmp::Ordering::Greater => {
                self.again = false;
                self.latest = time.to_vec();
                self.at_latest.clear();
            }
        }
        if self.at_latest.len() < 64 {
            self.at_latest.push(text.to_vec());
        }
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_before_is_not_told_again() {
        let mut seen = Seen::default();
        assert_eq!(seen.news(b"2026-01-01T00:00:00.000000001Z one\n"), Some(&b"one\n"[..]));
        assert_eq!(seen.news(b"2026-01-01T00:00:00.000000002Z two\n"), Some(&b"two\n"[..]));
        assert_eq!(
            seen.news(b"2026-01-01T00:00:00.000000001Z on the other output\n"),
            Some(&b"on the other output\n"[..])
        );
        seen.begin();
        assert_eq!(seen.news(b"2026-01-01T00:00:00.000000001Z one\n"), None);
        assert_eq!(seen.news(b"2026-01-01T00:00:00.000000002Z two\n"), None);
        assert_eq!(seen.news(b"2026-01-01T00:00:00.000000003Z three\n"), Some(&b"three\n"[..]));
    }
}
