use std::collections::HashMap;
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
            match read {
                Ok(Some((entry, report))) => {
                    if let (Some(details), Some(report)) = (&mut details, report) {
                        details.add(&report);
                    }
                    files.insert(key(&entry), file.to_path_buf());
                    merge.add_entry(entry);
                }
                Ok(None) => {}
                Err(reason) => {
                    let file = output::name(file);
                    output::tell(&format!("error: {file} is not reported: {reason}"));
                    unreadable.push(Unreadable { file, reason });
                }
            }
        });
        drop(progress);
        nextest.iter().for_each(|file| merge.add_nextest(file));
        if !unreadable.is_empty() {
            output::tell(
                "help: remove a file that is no record; for a damaged record, run its test again (exit code 3)",
            );
        }
        Self { summary: merge.finish().with_unreadable(unreadable), details, files }
    }

    /// Writes the records into one file, byte for byte, in the order of the summary.
    pub(super) fn write_raw(&self, to: &Path) -> io::Result<()> {
        let records = self.summary.tests.iter().filter_map(|test| self.files.get(&key(test)));
        files::write_by(to, &mut |out| {
            out.write_all(render::RESULTS_HEAD.as_bytes())?;
            for (n, record) in records.clone().enumerate() {
                if n > 0 {
                    out.write_all(b",")?;
                }
                let bytes = files::read(record).map_err(io::Error::other)?;
                out.write_all(bytes.trim_ascii())?;
            }
            out.write_all(render::results_tail(&self.summary)?.as_bytes())
        })
    }
}
