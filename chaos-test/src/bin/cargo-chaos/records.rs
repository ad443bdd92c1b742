use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use chaos_test::__cli as files;
use chaos_test::report::Report;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::exit::{Exit, Stop};

/// Names that this command and its like write beside the records, and that of the file that says when a run began.
const OURS: [&str; 3] = [VALIDATION, "chaos_results.json", START];
pub(crate) const VALIDATION: &str = "resilience_validation.json";
/// When a run began.
const START: &str = "run.json";
/// How far below a directory `--all` looks for run folders.
const DEEPEST: u32 = 6;

/// Where the records are.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Files that should be records, each once.
    pub(crate) files: BTreeSet<PathBuf>,
    /// What tests have written until they were killed, or so far: of those that have no record.
    pub(crate) unfinished: BTreeSet<PathBuf>,
    /// Where what belongs to all of them is written.
    pub(crate) home: PathBuf,
    /// What was chosen where there was a choice, for people.
    pub(crate) chosen: Vec<String>,
    /// Places that were named, and runs that were chosen, in which there is no record.
    pub(crate) empty: BTreeSet<PathBuf>,
}

impl Found {
    /// Where there is no record, and something to report all the same.
    pub(crate) fn none(places: &[PathBuf]) -> Self {
        let home = match places {
            [only] if files::is_dir(only) => only.clone(),
            [] if files::is_dir(&files::results_dir()) => files::results_dir(),
            _ => PathBuf::new(),
        };
        Self { home, ..Self::default() }
    }
}

/// The records in the places named; without any, those of the newest run of this workspace.
///
/// `argument` is how a place is named on the command line.
pub(crate) fn find(places: &[PathBuf], all: bool, argument: &str) -> Result<Found, Stop> {
    let default = [files::results_dir()];
    let named = !places.is_empty();
    let places = if named { places } else { &default };
    let mut found = Found::default();
    for place in places {
        if files::is_dir(place) {
            in_directory(place, all, &mut found)?;
        } else if files::modified(place).is_some() {
            found.files.insert(place.clone());
        } else if named {
            return Err(Stop::usage(format!(
                "{argument} {0}: there is no such file or directory; name a run folder, a folder of run folders or \
                 a record (by default it is {1})",
                place.display(),
                default[0].display()
            )));
        }
    }
    if found.files.is_empty() && found.unfinished.is_empty() {
        let empty: Vec<PathBuf> = found.empty.into_iter().collect();
        return Err(none_in(if empty.is_empty() { places } else { &empty }, argument));
    }
    found.home = home(found.files.iter().chain(&found.unfinished), places);
    Ok(found)
}

pub(crate) fn none_in(places: &[PathBuf], argument: &str) -> Stop {
    let places: Vec<String> = places.iter().map(|place| place.display().to_string()).collect();
    Stop {
        exit: Exit::NoRecords,
        message: format!(
            "no records found in {}: every chaos test that runs leaves one; run them first (`cargo nextest run` or \
             `cargo test`), or name the place with {argument}",
            places.join(", ")
        ),
    }
}

fn in_directory(dir: &Path, all: bool, found: &mut Found) -> Result<(), Stop> {
    let mut runs = Vec::new();
    run_folders(dir, if all { DEEPEST } else { 1 }, all, &mut runs)?;
    let others = runs.len().saturating_sub(1);
    if !all && runs.first().is_none_or(|run| run.folder != dir) {
        // Of two that are as new as each other, the one whose name comes last.
        let newest = runs.into_iter().max_by(|a, b| (a.newest, &a.folder).cmp(&(b.newest, &b.folder)));
        let Some(newest) = newest else {
            found.empty.insert(dir.to_path_buf());
            return Ok(());
        };
        if others > 0 {
            found.chosen.push(format!(
                "{} is the newest of {} runs in {}; --all takes them all",
                newest.folder.display(),
                others + 1,
                dir.display()
            ));
        }
        if newest.is_empty() {
            found.empty.insert(newest.folder);
        }
        found.files.extend(newest.records);
        found.unfinished.extend(newest.unfinished);
        return Ok(());
    }
    if runs.iter().all(Run::is_empty) {
        found.empty.insert(dir.to_path_buf());
    }
    for run in runs {
        found.files.extend(run.records);
        found.unfinished.extend(run.unfinished);
    }
    Ok(())
}

/// The folder of a run: it has records, or says when it began.
struct Run {
    folder: PathBuf,
    records: Vec<PathBuf>,
    unfinished: Vec<PathBuf>,
    newest: Option<SystemTime>,
}

impl Run {
    fn is_empty(&self) -> bool {
        self.records.is_empty() && self.unfinished.is_empty()
    }
}

/// The directory itself if it is that of a run, and the run folders that many levels below it.
fn run_folders(dir: &Path, levels: u32, all: bool, runs: &mut Vec<Run>) -> Result<(), Stop> {
    let entries = files::entries(dir).map_err(|error| {
        Stop::usage(format!("cannot list {}: {error}; make it readable or name another place", dir.display()))
    })?;
    let unfinished: Vec<PathBuf> = entries.iter().filter(|path| is_unfinished(path)).cloned().collect();
    let visible =
        |path: &PathBuf| path.file_name().is_some_and(|name| !name.as_encoded_bytes().starts_with(b"."));
    let (below, here): (Vec<PathBuf>, Vec<PathBuf>) =
        entries.into_iter().filter(visible).partition(|path| files::is_dir(path));
    let records: Vec<PathBuf> = here.into_iter().filter(|path| is_record(path)).collect();
    // A run whose tests were all refused has no more than its start.
    let started = files::modified(&dir.join(START));
    let is_run = !records.is_empty() || !unfinished.is_empty() || started.is_some();
    if is_run {
        let written = records.iter().chain(&unfinished).filter_map(|record| files::modified(record));
        // By when it began, where that is known: a reaper may write the record of a run long after it, and a copy of a run
        // is as new as its copying.
        let newest = files::began(dir).or_else(|| written.chain(started).max());
        runs.push(Run { folder: dir.to_path_buf(), records, unfinished, newest });
    }
    // What is below a run folder belongs to it: logs. Where all are asked for, no file hides the runs below it.
    if levels > 0 && (all || !is_run) {
        // A link back up would show every record again.
        let here = files::real(dir).unwrap_or_default();
        let leads_back = |path: &Path| files::real(path).is_ok_and(|real| here.starts_with(real));
        for folder in below.iter().filter(|path| !path.ends_with("logs") && !leads_back(path)) {
            run_folders(folder, levels - 1, all, runs)?;
        }
    }
    Ok(())
}

/// Whether it is what a test has written so far, `.NAME.pending.json`, and has no record beside it that is as new: an older
/// one is that of an earlier run of the same id.
fn is_unfinished(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    let stem = name.and_then(|name| name.strip_prefix('.')?.strip_suffix(".pending.json"));
    stem.is_some_and(|stem| {
        let record = files::modified(&path.with_file_name(format!("{stem}.json")));
        record.is_none_or(|record| files::modified(path).is_some_and(|pending| pending > record))
    })
}

/// What a file is called, or what is pending will be.
pub(crate) fn record_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match name.strip_prefix('.').and_then(|name| name.strip_suffix(".pending.json")) {
        Some(stem) => format!("{stem}.json"),
        None => name.into_owned(),
    }
}

fn is_record(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "json")
        && !OURS.iter().any(|ours| path.file_name().is_some_and(|name| name == *ours))
        && !begins_as_ours(path)
}

/// Whether a file begins as the outputs of this command do, whatever it is called: a folder with nothing else is no run, and a
/// shard with nothing else has left nothing.
fn begins_as_ours(path: &Path) -> bool {
    let mut head = files::head(path, 80);
    head.retain(|byte| !byte.is_ascii_whitespace());
    let version = b"{\"format_version\":";
    let after = match head.strip_prefix(version) {
        Some(rest) => rest.iter().position(|byte| *byte == b',').map(|at| &rest[at + 1..]),
        None => head.strip_prefix(b"{"),
    };
    after.is_some_and(|first| {
        [&b"\"passed\":"[..], b"\"reports\":["].iter().any(|ours| first.starts_with(ours))
    })
}

/// The folder of the records if they share one, else the only directory named, else the current one.
fn home<'r>(records: impl Iterator<Item = &'r PathBuf>, places: &[PathBuf]) -> PathBuf {
    let mut folders: Vec<&Path> = records.filter_map(|record| record.parent()).collect();
    folders.dedup();
    match (folders.as_slice(), places) {
        ([only], _) => only.to_path_buf(),
        (_, [only]) => only.clone(),
        _ => PathBuf::new(),
    }
}

/// Reads a record; `None` for a file of ours that is no record.
pub(crate) fn read(path: &Path) -> Result<Option<Report>, String> {
    let bytes = files::read(path)?;
    match Report::from_json(&bytes) {
        Ok(report) => Ok(Some(report)),
        Err(_) if is_of_ours(&bytes) => Ok(None),
        Err(reason) => Err(reason),
    }
}

/// Whether this is a file that is written beside records and is none.
pub(crate) fn is_of_ours(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().starts_with(b"{")
        && (is_validation(bytes) || is_merged(bytes) || is_run_start(bytes))
}

/// Whether this is a `resilience_validation.json`, whatever its file is called.
fn is_validation(bytes: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Validation {
        #[serde(rename = "passed")]
        _passed: bool,
        #[serde(rename = "timestamp")]
        _timestamp: f64,
        #[serde(rename = "slo_targets")]
        _targets: IgnoredAny,
        #[serde(rename = "violations")]
        _violations: IgnoredAny,
    }
    serde_json::from_slice::<Validation>(bytes).is_ok()
}

/// Whether these are the merged results of `run --output`, whatever the file is called.
fn is_merged(bytes: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Merged {
        #[serde(rename = "reports")]
        _reports: Vec<IgnoredAny>,
        #[serde(rename = "retried")]
        _retried: Vec<IgnoredAny>,
        #[serde(rename = "unreadable")]
        _unreadable: Vec<IgnoredAny>,
    }
    serde_json::from_slice::<Merged>(bytes).is_ok()
}

/// Whether this is a `run.json`, which says when its run began.
fn is_run_start(bytes: &[u8]) -> bool {
    serde_json::from_slice::<BTreeMap<String, f64>>(bytes)
        .is_ok_and(|start| start.keys().eq(["format", "started"]))
}
