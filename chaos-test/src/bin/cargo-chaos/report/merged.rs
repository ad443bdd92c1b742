use std::collections::{BTreeSet, HashMap};
use std::io;
use std::path::{Path, PathBuf};

use chaos_test::__cli as files;
use chaos_test::report::nextest::NextestJunit;
use chaos_test::report::render::HtmlDetails;
use chaos_test::report::{Entry, Merge, Report, Summary, Unreadable, render};

use super::{reading, unfinished};
use crate::{output, records};

type Read = fn(&Path) -> Result<Option<Report>, String>;

/// What all records come to. Each was read once, and only what a summary keeps of it is still here.
pub(super) struct Merged {
    pub(super) summary: Summary,
    /// What a page shows of them, where one is to be made.
    pub(super) details: Option<HtmlDetails>,
    /// The file of each record.
    files: HashMap<Key, PathBuf>,
    /// Those of them that are only what a test had written so far.
    unfinished: BTreeSet<PathBuf>,
}

/// One record: its run, binary and test, and the bits of the time it began.
type Key = (String, String, String, u64);

fn key(entry: &Entry) -> Key {
    (entry.run_id.clone(), entry.binary.clone(), entry.test.clone(), entry.started_at.to_bits())
}

impl Merged {
    /// Reads each record once, side by side; what cannot be read is told at once. Then comes what nextest knows of tests that left
    /// no record, or whose record passed and that failed. What a page shows of each test is kept where there is to be one.
    pub(super) fn of(
        found: &records::Found,
        nextest: &[NextestJunit],
        mut details: Option<HtmlDetails>,
        quiet: bool,
    ) -> Self {
        let (mut merge, mut unreadable, mut files) = (Merge::default(), Vec::new(), HashMap::new());
        // The first file of each name, by run, binary and test, and when it began.
        let mut firsts: HashMap<_, (PathBuf, u64)> = HashMap::new();
        let finished = found.files.iter().map(|file| (file, records::read as Read));
        let unfinished = found.unfinished.iter().map(|file| (file, unfinished::read as Read));
        let all: Vec<(&PathBuf, Read)> = finished.chain(unfinished).collect();
        let mut progress = output::Progress::new("read", all.len(), quiet);
        let with_page = details.is_some();
        // What only a page needs is as large as the record; without one it goes where it was read.
        let read = |(file, read): &(&PathBuf, Read)| {
            let report = read(file)?;
            Ok(report.map(|report| (Entry::of(&report), with_page.then_some(report))))
        };
        reading::each(&all, read, |(file, _), read: Result<_, String>| {
            progress.step();
            let refused = match read {
                Ok(Some((entry, report))) => {
                    let key = key(&entry);
                    // A copy of a record, or what was pending when it was written: the first one counts.
                    if files.contains_key(&key) {
                        return;
                    }
                    // A try has a file name of its own, so one name in two folders is two runs of one id.
                    let (run, binary, test, began) = key.clone();
                    let of = (run, binary, test, records::record_name(file));
                    let (first, at) = firsts.entry(of).or_insert_with(|| (file.to_path_buf(), began));
                    if *at == began || first.parent() == file.parent() {
                        if let (Some(details), Some(report)) = (&mut details, report) {
                            details.add(&report);
                        }
                        files.insert(key, file.to_path_buf());
                        merge.add_entry(entry);
                        None
                    } else {
                        Some(format!(
                            "its test and its run are those of {}, of which it is no try: give each run an id of its own \
                             (CHAOS_TEST_RUN_ID)",
                            output::name(first)
                        ))
                    }
                }
                Ok(None) => None,
                Err(reason) => Some(reason),
            };
            if let Some(reason) = refused {
                let file = output::name(file);
                output::tell(&format!("error: {file} is not reported: {reason}"));
                unreadable.push(Unreadable { file, reason });
            }
        });
        drop(progress);
        // Where there are as many lists of runs without a record, they say what became of their tests.
        let told = lists_of_others(merge.entries(), &files, nextest);
        for place in found.empty.iter().filter(|_| found.empty.len() > told) {
            let (file, reason) = (output::name(place), String::from("there is no record in it"));
            output::tell(&format!("error: {file} is not reported: {reason}"));
            unreadable.push(Unreadable { file, reason });
        }
        if let Some(stranger) = stranger(merge.entries(), nextest) {
            output::tell(&format!("error: {} is not reported: {}", stranger.file, stranger.reason));
            unreadable.push(stranger);
        }
        nextest.iter().for_each(|file| merge.add_nextest(file));
        if !unreadable.is_empty() {
            output::tell(
                "help: remove a file that is no record; for a damaged record, run its test again (exit code 3)",
            );
        }
        let unfinished = found.unfinished.clone();
        Self { summary: merge.finish().with_unreadable(unreadable), details, files, unfinished }
    }

    /// Writes the records into one file, byte for byte, in the order of the summary; of a test that left none, what was made
    /// of it here.
    pub(super) fn write_raw(&self, to: &Path) -> io::Result<()> {
        let records = self.summary.tests.iter().filter_map(|test| self.files.get(&key(test)));
        files::write_by(to, &mut |out| {
            out.write_all(render::RESULTS_HEAD.as_bytes())?;
            for (n, record) in records.clone().enumerate() {
                if n > 0 {
                    out.write_all(b",")?;
                }
                let bytes = if self.unfinished.contains(record) {
                    let report = unfinished::read(record).map_err(io::Error::other)?;
                    report
                        .ok_or_else(|| io::Error::other("a pending record is gone"))?
                        .to_json()?
                        .into_bytes()
                } else {
                    files::read(record).map_err(io::Error::other)?
                };
                out.write_all(bytes.trim_ascii())?;
            }
            out.write_all(render::results_tail(&self.summary)?.as_bytes())
        })
    }
}

/// How many of these lists are of runs that have no record. A run that was named (`CHAOS_TEST_RUN_ID`) is that of some list,
/// of which cannot be told; several shards may have one name, and a folder each. Where a setup script failed no test was run,
/// and the list says of none what became of it.
fn lists_of_others(entries: &[Entry], files: &HashMap<Key, PathBuf>, lists: &[NextestJunit]) -> usize {
    let (own, named): (Vec<&Entry>, Vec<&Entry>) =
        entries.iter().filter(|entry| !entry.run_id.starts_with("local-")).partition(|e| is_uuid(&e.run_id));
    let folder = |entry: &Entry| files.get(&key(entry)).and_then(|file| file.parent());
    let named: BTreeSet<_> = named.into_iter().map(|entry| (entry.run_id.as_str(), folder(entry))).collect();
    let others = lists.iter().filter(|list| list.ran() && !own.iter().any(|entry| list.has(entry)));
    others.count().saturating_sub(named.len())
}

/// Where there are records and lists, and none of the lists is of a run of these records: then the tests that are listed left
/// none, or their run has a name by which it cannot be known.
fn stranger(entries: &[Entry], lists: &[NextestJunit]) -> Option<Unreadable> {
    let one = entries.first()?;
    let is_one_of_theirs = |entry: &Entry| lists.iter().any(|list| list.has(entry));
    if lists.is_empty() || entries.iter().any(is_one_of_theirs) {
        return None;
    }
    let reason = format!(
        "it is of another run than the records, as {}: name the folder of its run with --results, and give no run a UUID \
         as its name (CHAOS_TEST_RUN_ID)",
        output::plain(&one.run_id)
    );
    Some(Unreadable { file: "--nextest".into(), reason })
}

/// Whether a run id is one that nextest has given.
fn is_uuid(id: &str) -> bool {
    id.len() == 36 && id.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}
