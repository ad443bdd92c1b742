use std::path::PathBuf;

use chaos_test::__cli::{Found, catalogue};

use crate::exit::{Exit, Stop};
use crate::output;

/// Checks catalogue files: every mistake at once, each with its place and the way out.
///
/// A catalogue extends the built-in one: a scenario or group of the same name replaces it, the rest is
/// added. Without FILE, the catalogue that applies to the tests in this directory is checked.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP, verbatim_doc_comment)]
pub(crate) struct Args {
    /// The files to check [default: the one that applies here]
    ///
    /// $CHAOS_TEST_CATALOGUE applies if it is set, else chaos_scenarios.yml or
    /// scenarios/chaos_scenarios.yml in the package, else in the workspace.
    #[arg(value_name = "FILE", verbatim_doc_comment)]
    files: Vec<PathBuf>,
}

const HELP: &str = "\
Exit codes:
  0  no mistakes
  2  a mistake, or a file that cannot be read

Examples:
  cargo chaos check
  cargo chaos check scenarios/*.yml";

pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let files: Vec<Option<&PathBuf>> =
        if args.files.is_empty() { vec![None] } else { args.files.iter().map(Some).collect() };
    let mut exit = Exit::Done;
    for file in files {
        match catalogue(file.map(PathBuf::as_path)) {
            Ok(found) => fine(&found)?,
            Err(mistakes) => {
                // A mistake in a file begins with `error:` itself.
                let text = mistakes.to_string();
                let prefix = if text.starts_with("error: ") { "" } else { "error: " };
                output::tell(&format!("{prefix}{text}\n"));
                exit = Exit::Usage;
            }
        }
    }
    Ok(exit)
}

fn fine(found: &Found) -> Result<(), Stop> {
    let catalogue = &found.catalogue;
    let total = catalogue.scenarios().len();
    let scenarios = match &found.file {
        Some(_) => format!("{} ({total} with the built-in ones)", counted(found.own.len(), "scenario")),
        None => counted(total, "scenario"),
    };
    output::print(&format!(
        "{}: no mistakes: {scenarios}, {}, {}\n",
        found.file.as_deref().unwrap_or("the built-in catalogue (no file of your own applies here)"),
        counted(catalogue.groups().len(), "group"),
        counted(catalogue.profiles().len(), "SLO profile"),
    ))
}

fn counted(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}
