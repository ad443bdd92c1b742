use std::path::{Path, PathBuf};

use chaos_test::__cli as files;
use chaos_test::report::nextest::{self, NextestJunit};
use chaos_test::report::{Summary, render};

use crate::exit::Stop;

/// The name that CI systems look for.
const NAME: &str = "junit.xml";

/// What is to do with JUnit.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub(super) struct Args {
    /// Write JUnit XML to this file, every figure as a property
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,

    /// Read nextest's own JUnit: what crashed without a record is an Error
    ///
    /// These are the tests that crashed or were killed. The file is target/nextest/PROFILE/junit.xml,
    /// where the profile has a table `junit` with a `path`; of shards, one each.
    #[arg(long, verbatim_doc_comment, value_name = "FILE", num_args = 1..)]
    nextest: Vec<PathBuf>,

    /// Write nextest's tests and ours into one JUnit file
    ///
    /// So CI shows one list. Its place is that of --junit, by default junit.xml beside the records.
    #[arg(long, verbatim_doc_comment, requires = "nextest")]
    merge: bool,
}

impl Args {
    /// Reads nextest's files.
    pub(super) fn read(&self) -> Result<Vec<NextestJunit>, Stop> {
        let one = |file: &PathBuf| {
            let read = files::read(file).and_then(|bytes| NextestJunit::read(&bytes));
            read.map_err(|reason| {
                Stop::usage(format!(
                    "--nextest {}: {reason}; name the JUnit file that nextest wrote, target/nextest/PROFILE/junit.xml \
                     (it writes one where `[profile.PROFILE.junit]` in .config/nextest.toml has `path = \"{NAME}\"`)",
                    file.display()
                ))
            })
        };
        self.nextest.iter().map(one).collect()
    }

    /// Where JUnit goes, if it is asked for: where its option says, else where all outputs go, else beside the records.
    pub(super) fn place(&self, out: Option<&Path>, home: &Path) -> Option<PathBuf> {
        let usual = out.or_else(|| self.merge.then_some(home)).map(|dir| dir.join(NAME));
        self.junit.clone().or(usual)
    }

    pub(super) fn text(&self, summary: &Summary, files: &[NextestJunit]) -> Result<String, Stop> {
        let text = if self.merge { nextest::merged(files, summary) } else { render::junit(summary) };
        text.map_err(|error| Stop::usage(format!("the report cannot be written as JUnit: {error}")))
    }
}
