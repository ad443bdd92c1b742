use std::path::{Path, PathBuf};

use chaos_test::__cli as files;
use chaos_test::report::render::{Extras, Validation};
use chaos_test::report::{Comparison, HistoryLine, Summary, trends};

use crate::exit::Stop;
use crate::{output, records};

/// What the summary is held against, and what it is written into.
#[derive(Debug, clap::Args)]
pub(super) struct OverTime {
    /// Show what changed since that resilience_validation.json (or its directory)
    ///
    /// A figure is called worse only where the intervals of then and now do not touch.
    #[arg(long, verbatim_doc_comment, value_name = "BASE", help_heading = "Over time")]
    compare: Option<PathBuf>,

    /// End with exit code 1 if a figure is worse than in BASE
    #[arg(long, requires = "compare", help_heading = "Over time")]
    pub(super) fail_on_regression: bool,

    /// Add this run to a history file, a line of JSON a run, and show how each test fares
    #[arg(long, value_name = "FILE", help_heading = "Over time")]
    history: Option<PathBuf>,

    /// What was tested, for the history [default: $GITHUB_SHA or $CI_COMMIT_SHA]
    #[arg(long, requires = "history", value_name = "TEXT", help_heading = "Over time")]
    revision: Option<String>,
}

/// No summary and no history is larger.
const MOST: u64 = 256 * 1024 * 1024;

/// What stands beside the summary; the history has this run in it afterwards.
pub(super) fn beside(args: &OverTime, summary: &Summary) -> Result<Extras, Stop> {
    let comparison = match &args.compare {
        None => None,
        Some(base) => {
            let base = if files::is_dir(base) { base.join(records::VALIDATION) } else { base.clone() };
            Some((base.display().to_string(), Comparison::of(&read_base(&base)?.metrics, &summary.tests)))
        }
    };
    let trends = match &args.history {
        None => Vec::new(),
        Some(file) => trends(summary, &keep(file, summary, args.revision.clone())?),
    };
    Ok(Extras { comparison, trends })
}

fn read_base(file: &Path) -> Result<Validation, Stop> {
    let fix = "name a resilience_validation.json that `cargo chaos report` has written, or its directory";
    let refused = |why: String| Stop::usage(format!("--compare {}: {why}; {fix}", file.display()));
    let bytes = files::read_at_most(file, MOST).map_err(refused)?;
    let base: Validation =
        serde_json::from_slice(&bytes).map_err(|error| refused(format!("not a summary: {error}")))?;
    if base.format_version > chaos_test::report::render::VALIDATION_VERSION {
        return Err(refused(format!(
            "a summary of format {}, which is newer than this one",
            base.format_version
        )));
    }
    if base.format_version < 2 {
        return Err(refused("a summary of an older format, which has no intervals".into()));
    }
    Ok(base)
}

/// Adds this run to the history, unless it is in there; the whole history.
fn keep(file: &Path, summary: &Summary, revision: Option<String>) -> Result<Vec<HistoryLine>, Stop> {
    let refused = |why: String| {
        Stop::usage(format!(
            "cannot keep the history {}: {why}; name another file with --history",
            file.display()
        ))
    };
    let revision = revision.or_else(files::revision);
    let line = HistoryLine::of(summary, files::now(), revision);
    let json = serde_json::to_string(&line).map_err(|error| refused(error.to_string()))?;
    let mut history = Vec::new();
    let mut damaged = Vec::new();
    files::append_unless(file, &json, MOST, &mut |text| {
        for (n, text) in text.lines().enumerate().filter(|(_, text)| !text.trim().is_empty()) {
            match HistoryLine::from_json(text) {
                Ok(line) => history.push(line),
                Err(why) => damaged.push(format!("line {}: {why}", n + 1)),
            }
        }
        history.iter().any(|known| known.is_of_the_same(&line))
    })
    .map_err(refused)?;
    for why in &damaged {
        output::tell(&format!("note: {} {why}; it is left out", file.display()));
    }
    match history.iter().rposition(|known| known.is_of_the_same(&line)) {
        // What came after it is no part of how it was.
        Some(at) => history.truncate(at + 1),
        None => history.push(line),
    }
    Ok(history)
}
