use std::path::{Path, PathBuf};

use chaos_test::__cli as files;
use chaos_test::report::{Report, Summary, Unreadable, render};

use crate::exit::{Exit, Stop};
use crate::{output, records};

/// Reports on what a run left: Markdown for people, JSON for pipelines.
///
/// Every chaos test leaves a record under target/chaos-test/RUN/. This merges the records of one run
/// into one Markdown report, and writes resilience_validation.json beside them.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP, verbatim_doc_comment)]
pub(crate) struct Args {
    /// Where the records are [default: $CHAOS_TEST_DIR, else target/chaos-test]
    ///
    /// A run folder, a folder of run folders (of which the newest run counts), or a single record;
    /// any number of them.
    #[arg(long, verbatim_doc_comment, value_name = "PATH", num_args = 1..)]
    results: Vec<PathBuf>,

    /// Report every run below a folder of run folders, not only the newest
    #[arg(long)]
    all: bool,

    /// Write the Markdown to this file, and one line to stdout
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,

    /// Write the validation here [default: resilience_validation.json beside the records]
    #[arg(long, value_name = "FILE")]
    validation: Option<PathBuf>,

    /// End with exit code 1 unless every test passed
    #[arg(long)]
    fail_on_violation: bool,
}

const HELP: &str = "\
A test that did not pass is one whose verdict is Fail, Error or Aborted, or Inconclusive where the test
does not allow that. Of several tries of a test in one run, the last one counts; the report names the
others. A file that cannot be read is named on stderr, and then nothing says that all passed.

The validation of records from several folders is written to the folder named with --results if it is
one, else to the current directory.

Exit codes:
  0  done
  1  a test did not pass, and --fail-on-violation was given (also when 3 applies)
  2  wrong usage, or an output that cannot be written
  3  some records could not be read; the others were reported
  4  no records were found

Examples:
  cargo chaos report                              the newest run, to stdout
  cargo chaos report --report chaos_report.md --fail-on-violation
  cargo chaos report --report \"$GITHUB_STEP_SUMMARY\"
  cargo chaos report --results shard-1 shard-2    the newest run of each shard
  cargo chaos report --results artifacts --all    every run below";

pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let found = records::find(&args.results, args.all, "--results")?;
    found.chosen.iter().for_each(|chosen| output::tell(&format!("note: {chosen}")));
    let (reports, unreadable) = read(&found);
    if reports.is_empty() && unreadable.is_empty() {
        return Err(records::none_in(&[found.home], "--results"));
    }
    let summary = Summary::of(reports).with_unreadable(unreadable);

    let validation = args.validation.clone().unwrap_or_else(|| found.home.join(records::VALIDATION));
    let markdown = render::markdown(&summary);
    match &args.report {
        Some(file) => write(file, &markdown, "--report")?,
        None => output::print(&markdown)?,
    }
    let json = render::validation_json(&summary, files::now())
        .map_err(|error| Stop::usage(format!("the validation cannot be written as JSON: {error}")))?;
    write(&validation, &(json + "\n"), "--validation")?;

    let line = format!("{}; validation: {}", summary.sentence(), validation.display());
    match &args.report {
        Some(file) => output::print(&format!("{line}; report: {}\n", file.display()))?,
        None => output::tell(&line),
    }
    Ok(if args.fail_on_violation && !summary.reports.iter().all(Report::passed) {
        Exit::Violation
    } else if summary.unreadable.is_empty() {
        Exit::Done
    } else {
        Exit::Unreadable
    })
}

/// Reads record by record; what cannot be read is told at once.
fn read(found: &records::Found) -> (Vec<Report>, Vec<Unreadable>) {
    let (mut reports, mut unreadable) = (Vec::new(), Vec::new());
    for file in &found.files {
        match records::read(file) {
            Ok(report) => reports.extend(report),
            Err(reason) => {
                let file = file.display().to_string();
                output::tell(&format!("error: {file} is not reported: {reason}"));
                unreadable.push(Unreadable { file, reason });
            }
        }
    }
    if !unreadable.is_empty() {
        output::tell(
            "help: remove a file that is no record; for a damaged record, run its test again (exit code 3)",
        );
    }
    (reports, unreadable)
}

fn write(file: &Path, text: &str, option: &str) -> Result<(), Stop> {
    files::write(file, text.as_bytes()).map_err(|error| {
        Stop::usage(format!("cannot write {}: {error}; name another file with {option}", file.display()))
    })
}
