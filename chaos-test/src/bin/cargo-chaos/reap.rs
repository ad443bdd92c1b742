use std::path::PathBuf;

use chaos_test::__cli as debts;

use crate::exit::{Exit, Stop};
use crate::output;

/// Pays what dead runs owe: ends what they started, removes what they left.
///
/// Every start of a chaos test does the same for the dead runs it finds; this does it now, and says
/// what it found. It touches what a ledger or a mark proves to be ours, of this user, and only if
/// the test process it belonged to is gone. What belongs to a run that lives is left alone.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP, verbatim_doc_comment)]
pub(crate) struct Args {
    /// Where the run folders are [default: $CHAOS_TEST_DIR, else target/chaos-test]
    #[arg(long, value_name = "DIR", num_args = 1..)]
    results: Vec<PathBuf>,

    /// Only say what there is; touch nothing
    #[arg(long)]
    dry_run: bool,
}

const HELP: &str = "\
Looked at: the ledgers in the run folders, processes with CHAOS_TEST_MARK in their environment, and
chaos-test-… files in the directory for temporary files; with the feature `containers` also what the
container engine has with the label chaos-test.mark. What was done is also logged as reaper-….log
in the run's folder, and a test that was killed gets its record.

Exit codes:
  0  nothing was owed, all of it is paid, or --dry-run was given
  2  wrong usage, or an output that cannot be written: what is owed is paid all the same
  5  something could not be undone; it is named

Examples:
  cargo chaos reap --dry-run        what is there
  cargo chaos reap                  clean up
  cargo chaos reap --results /srv/ci/*/target/chaos-test";

pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let places = if args.results.is_empty() { vec![debts::results_dir()] } else { args.results.clone() };
    if let Some(missing) = args.results.iter().find(|place| !debts::is_dir(place)) {
        return Err(Stop::usage(format!("--results {}: there is no such directory", missing.display())));
    }
    let found = debts::debts(&places);
    let known = tell("found", &found.lines).and_then(|()| tell("left", &found.untouched));
    if found.lines.is_empty() {
        known?;
        output::print("nothing is owed\n")?;
        return Ok(Exit::Done);
    }
    if args.dry_run {
        known?;
        output::print(&format!("{} found; run it without --dry-run to pay\n", found.lines.len()))?;
        return Ok(Exit::Done);
    }
    // A log that takes nothing more keeps nobody from cleaning up.
    let paid = debts::pay(found);
    let told = known.and_then(|()| tell("done", &paid.done)).and_then(|()| tell("FAILED", &paid.failed));
    if !paid.failed.is_empty() {
        return Ok(Exit::StillOwed);
    }
    told.map(|()| Exit::Done)
}

fn tell(what: &str, lines: &[String]) -> Result<(), Stop> {
    lines.iter().try_for_each(|line| output::print(&format!("{what:<9}{line}\n")))
}
