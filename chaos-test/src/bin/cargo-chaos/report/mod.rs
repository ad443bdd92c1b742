mod beside;
mod junit;
mod merged;
mod push;
mod reading;
mod unfinished;

use std::path::{Path, PathBuf};

use chaos_test::__cli as files;
use chaos_test::report::render::HtmlDetails;
use chaos_test::report::{Summary, render};

use crate::exit::{Exit, Stop};
use crate::{output, records};
use merged::Merged;

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

    /// Write the validation here [default: resilience_validation.json beside records]
    #[arg(long, value_name = "FILE")]
    validation: Option<PathBuf>,

    /// Write everything into this directory, under the names that pipelines know
    ///
    /// chaos_report.md, chaos_report.html, resilience_validation.json, chaos_results.json, junit.xml,
    /// chaos_metrics.prom and pr_comment.md. An output that is named by an option of its own goes where
    /// that says.
    #[arg(long, verbatim_doc_comment, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Write all records into this one file, as they are: injection and samples
    #[arg(long, value_name = "FILE")]
    raw: Option<PathBuf>,

    /// Write one HTML page with everything in it to this file
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    #[command(flatten)]
    junit: junit::Args,

    /// Write what Prometheus reads to this file: every figure, as text
    #[arg(long, value_name = "FILE")]
    prometheus: Option<PathBuf>,

    #[command(flatten)]
    push: push::Options,

    /// Write a comment for a pull request: what did not pass, and what changed
    ///
    /// It begins with a marker that does not show, by which a workflow finds it and updates it in place.
    #[arg(long, verbatim_doc_comment, value_name = "FILE")]
    pr_comment: Option<PathBuf>,

    /// Add the overview to the summary of a GitHub step, $GITHUB_STEP_SUMMARY
    #[arg(long)]
    step_summary: bool,

    #[command(flatten)]
    beside: beside::OverTime,

    /// Tell nothing but errors, and print no report
    #[arg(long, short)]
    quiet: bool,

    /// End with exit code 1 unless every test passed
    #[arg(long)]
    fail_on_violation: bool,
}

const HELP: &str = "\
A test that did not pass is one whose verdict is Fail, Error or Aborted, or Inconclusive where the test
does not allow that. Of several tries of a test in one run, the last one counts; the report names the
others. A file that cannot be read is named on stderr, and then nothing says that all passed.

A test that crashed or was killed has a record of its reaper, unless that was killed too. Given nextest's
own JUnit file (--nextest), those that failed there without one, or beside one that passed, are reported
as Error.

The validation of records from several folders is written to the folder named with --results if it is
one, else to the current directory.

Exit codes:
  0  done
  1  a test did not pass, and --fail-on-violation was given; or a figure is worse than in the base, and
     --fail-on-regression was (also when 3 applies)
  2  wrong usage, or an output that cannot be written or pushed
  3  some records could not be read; the others were reported
  4  no records were found

Examples:
  cargo chaos report                              the newest run, to stdout
  cargo chaos report --report chaos_report.md --fail-on-violation
  cargo chaos report --report \"$GITHUB_STEP_SUMMARY\"
  cargo chaos report --out target/chaos-report    every output, in one directory
  cargo chaos report --push --pushgateway-url http://127.0.0.1:9091
  cargo chaos report --nextest target/nextest/chaos/junit.xml --merge --junit junit.xml
  cargo chaos report --results shard-1 shard-2    the newest run of each shard
  cargo chaos report --results artifacts --all    every run below
  cargo chaos report --out out --compare base/resilience_validation.json --history history.jsonl";

impl Args {
    /// Where an output goes: where its option says, else under its usual name where all outputs go.
    fn place(&self, option: Option<&PathBuf>, name: &str) -> Option<PathBuf> {
        option.cloned().or_else(|| Some(self.out.as_ref()?.join(name)))
    }
}

pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let (push, nextest) = (args.push.ready()?, args.junit.read()?);
    let found = match records::find(&args.results, args.all, "--results") {
        // Tests that all crashed leave no record, and nextest knows of them.
        Err(stop) if stop.exit == Exit::NoRecords && !nextest.is_empty() => {
            records::Found::none(&args.results)
        }
        found => found?,
    };
    if !args.quiet {
        found.chosen.iter().for_each(|chosen| output::tell(&format!("note: {chosen}")));
    }
    let page = args.place(args.html.as_ref(), "chaos_report.html");
    let details = page.as_ref().map(|_| HtmlDetails::default());
    let merged = Merged::of(&found, &nextest, details, args.quiet);
    let summary = &merged.summary;
    if summary.tests.is_empty() && summary.unreadable.is_empty() {
        return Err(records::none_in(&[found.home], "--results"));
    }

    let validation = args
        .place(args.validation.as_ref(), records::VALIDATION)
        .unwrap_or_else(|| found.home.join(records::VALIDATION));
    let extras = beside::beside(&args.beside, summary)?;
    let markdown = render::markdown_with(summary, &extras);
    let report = args.place(args.report.as_ref(), "chaos_report.md");
    match &report {
        Some(file) => write(file, &markdown, "--report")?,
        None if args.quiet => {}
        None => output::print(&markdown)?,
    }
    drop(markdown);
    let now = files::now();
    files::write_by(&validation, &mut |out| render::write_validation(summary, now, out))
        .map_err(|error| cannot_write(&validation, &error, "--validation"))?;
    if let Some(file) = args.place(args.raw.as_ref(), "chaos_results.json") {
        merged.write_raw(&file).map_err(|error| cannot_write(&file, &error, "--raw"))?;
    }
    if let (Some(file), Some(details)) = (page, &merged.details) {
        write(&file, &render::html_with(summary, details, &extras, files::now()), "--html")?;
    }
    if let Some(file) = args.junit.place(args.out.as_deref(), &found.home) {
        write(&file, &args.junit.text(summary, &nextest)?, "--junit")?;
    }

    if let Some(file) = args.place(args.prometheus.as_ref(), "chaos_metrics.prom") {
        write(&file, &render::prometheus(summary), "--prometheus")?;
    }
    if let Some(file) = args.place(args.pr_comment.as_ref(), "pr_comment.md") {
        write(&file, &render::comment(summary, &extras), "--pr-comment")?;
    }
    if args.step_summary {
        let file = files::step_summary_file().ok_or_else(|| {
            Stop::usage(
                "--step-summary: $GITHUB_STEP_SUMMARY is not set, so this is no step of a GitHub workflow; elsewhere \
                 use --report FILE",
            )
        })?;
        files::append(&file, &render::step_summary(summary, &extras))
            .map_err(|error| Stop::usage(format!("cannot add to {}: {error}", file.display())))?;
    }

    let sentence = output::coloured(&summary.sentence(), colour(summary));
    match (&args.out, &report) {
        _ if args.quiet => {}
        (Some(dir), _) => output::print(&format!("{sentence}; all in {}\n", dir.display()))?,
        (None, Some(file)) => {
            let (validation, file) = (validation.display(), file.display());
            output::print(&format!("{sentence}; validation: {validation}; report: {file}\n"))?;
        }
        (None, None) => {
            output::tell(&format!("{}; validation: {}", summary.sentence(), validation.display()));
        }
    }
    if let Some(push) = push {
        let pushed = push.carry_out(&render::prometheus(summary))?;
        if !args.quiet {
            output::tell(&pushed);
        }
    }
    let violated = args.fail_on_violation && !summary.tests.iter().all(|test| test.passed);
    let worse =
        extras.comparison.as_ref().is_some_and(|(_, comparison)| comparison.regressions().next().is_some());
    Ok(if violated || args.beside.fail_on_regression && worse {
        Exit::Violation
    } else if summary.unreadable.is_empty() {
        Exit::Done
    } else {
        Exit::Unreadable
    })
}

fn colour(summary: &Summary) -> output::Colour {
    match summary.word() {
        "passed" => output::Colour::Good,
        "failed" => output::Colour::Bad,
        _ => output::Colour::Unsure,
    }
}

fn write(file: &Path, text: &str, option: &str) -> Result<(), Stop> {
    files::write(file, text.as_bytes()).map_err(|error| cannot_write(file, &error, option))
}

fn cannot_write(file: &Path, error: &std::io::Error, option: &str) -> Stop {
    Stop::usage(format!("cannot write {}: {error}; name another file with {option}", file.display()))
}
