//! `cargo chaos`: chaos without a test, and what to do with chaos tests besides running them.
//!
//! Purpose: runs scenarios against something already running (`run`), reports on what a run left (`report`), judges it
//! again (`verify`), adds a first test to a repository (`init`), shows what can be run (`list`) and what this host can inject (`doctor`), checks a catalogue (`check`), cleans up after dead runs
//! (`reap`).
//!
//! Invariants: only `run` injects a fault, and it does so as a test would, through the library; exit codes are those of
//! `docs/exit-codes.md`; a closed pipe is no error.
//! Not here: judging and rendering (that is the library, which this reaches through its public API and `__cli`).

mod against;
mod check;
mod choose;
#[cfg_attr(not(feature = "containers"), path = "no_containers.rs")]
mod contained;
mod doctor;
mod exit;
mod init;
mod list;
mod listen;
mod outcome;
mod output;
mod reap;
mod records;
#[cfg(test)]
mod reference;
mod report;
mod run;
mod table;
mod verify;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use exit::Stop;

/// Runs scenarios, reports on chaos tests, lists their scenarios, checks their catalogue.
///
/// Chaos tests are ordinary tests: `cargo nextest run` or `cargo test` runs them, and each leaves a
/// record. `run` does the same without a test, against a command or something already running; the other
/// commands work on the records, the catalogue and the host, and inject nothing.
#[derive(Debug, Parser)]
#[command(name = "cargo-chaos", bin_name = "cargo chaos", version, after_help = exit::ALL, verbatim_doc_comment)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Args),
    Run(run::Args),
    Report(Box<report::Args>),
    Verify(verify::Args),
    List(list::Args),
    Check(check::Args),
    Doctor(doctor::Args),
    Reap(reap::Args),
    #[command(hide = true)]
    Listen(listen::Args),
}

fn main() -> ExitCode {
    let cli = Cli::parse_from(arguments());
    let done = match cli.command {
        Command::Init(args) => init::run(&args),
        Command::Run(args) => run::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::List(args) => list::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Reap(args) => reap::run(&args),
        Command::Listen(args) => listen::run(&args),
    };
    let exit = done.unwrap_or_else(|Stop { exit, message }| {
        output::tell(&format!("error: {message}"));
        exit
    });
    exit.into()
}

/// The arguments without the `chaos` that cargo puts in front of them.
#[allow(clippy::disallowed_methods, reason = "a program's own arguments are read in its main")]
fn arguments() -> Vec<OsString> {
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    if arguments.get(1).is_some_and(|first| first == "chaos") {
        arguments.remove(1);
    }
    arguments
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_arguments_make_sense() {
        use clap::CommandFactory;
        super::Cli::command().debug_assert();
    }
}
