//! When a run began: a file in its folder that its first process makes and all others read.

use std::io;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::clock::unix_time;
use super::{files, run_folder};

const FILE: &str = "run.json";
const FORMAT: u32 = 1;
/// A start that is later than now by more than this is none: the clock was set, or the file is nonsense.
const LATEST: Duration = Duration::from_secs(60);

#[derive(Serialize, Deserialize)]
struct Start {
    format: u32,
    /// Seconds since 1970.
    started: f64,
}

/// When this run began, since 1970. Whoever asks first in the whole run begins it.
pub(crate) fn of_this_run() -> Result<Duration, String> {
    static START: OnceLock<Result<Duration, String>> = OnceLock::new();
    START
        .get_or_init(|| {
            let dir = run_folder::run_dir();
            of(&dir, unix_time())
                .map_err(|error| format!("cannot write {}: {error}", dir.join(FILE).display()))
        })
        .clone()
}

/// When the run in a folder began, since 1970, if it says so.
#[cfg(feature = "cli")]
pub(crate) fn began(dir: &Path) -> Option<Duration> {
    read(&dir.join(FILE), unix_time())
}

fn of(dir: &Path, now: Duration) -> io::Result<Duration> {
    let path = dir.join(FILE);
    if let Some(started) = read(&path, now) {
        return Ok(started);
    }
    let start = Start { format: FORMAT, started: now.as_secs_f64() };
    let text = serde_json::to_vec(&start)?;
    if !files::create_whole(&path, &text)? {
        // Somebody was faster; or what is there is torn or of another format, and of no use to anybody.
        match read(&path, now) {
            Some(started) => return Ok(started),
            None => files::write_atomically(&path, &text)?,
        }
    }
    Ok(read(&path, now).unwrap_or(now))
}

fn read(path: &Path, now: Duration) -> Option<Duration> {
    let start: Start = serde_json::from_slice(&files::read_at_most(path, 4096).ok()?).ok()?;
    let started = Duration::try_from_secs_f64(start.started).ok()?;
    (start.format == FORMAT && started <= now + LATEST).then_some(started)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1_700_000_000);

    #[test]
    fn the_first_one_says_when_the_run_began() {
        let dir = tempfile::tempdir().unwrap();
        let run = dir.path().join("run-7");
        assert_eq!(of(&run, NOW).unwrap(), NOW);
        assert_eq!(of(&run, NOW + Duration::from_secs(90)).unwrap(), NOW);
        assert_eq!(
            of(&dir.path().join("run-8"), NOW + Duration::from_secs(90)).unwrap().as_secs(),
            NOW.as_secs() + 90
        );
    }

    #[test]
    fn what_cannot_be_read_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        for text in [
            "",
            "{\"format\":1,\"star",
            "{\"format\":2,\"started\":1.0}",
            "{\"format\":1,\"started\":-5}",
            "{\"format\":1,\"started\":1e300}",
            "{\"format\":1,\"started\":1800000000.0}",
        ] {
            files::write_atomically(&dir.path().join(FILE), text.as_bytes()).unwrap();
            assert_eq!(of(dir.path(), NOW).unwrap(), NOW, "{text}");
            assert_eq!(of(dir.path(), NOW + LATEST).unwrap(), NOW, "{text}");
        }
    }

    #[test]
    fn all_who_begin_at_once_agree() {
        let dir = tempfile::tempdir().unwrap();
        let starts: Vec<Duration> = std::thread::scope(|scope| {
            let begin = |n: u32| {
                let dir = dir.path();
                scope.spawn(move || of(dir, NOW + Duration::from_secs(n.into())).unwrap())
            };
            let threads: Vec<_> = (0..16).map(begin).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(starts.iter().all(|start| *start == starts[0]), "{starts:?}");
    }
}
