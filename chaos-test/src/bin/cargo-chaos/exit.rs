use std::process::ExitCode;

use chaos_test::Error;

/// What the process ends with. The numbers are a promise: `docs/exit-codes.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Done = 0,
    /// A scenario of `run` did not pass; or a test in a report, and `--fail-on-violation` was given.
    Violation = 1,
    /// The command was used wrongly, a catalogue has mistakes, nothing could be run, or an output could not be written.
    Usage = 2,
    /// Some records could not be read; the others were reported.
    Unreadable = 3,
    /// There are no records.
    NoRecords = 4,
    /// Something a dead run left could not be undone.
    StillOwed = 5,
    /// A record says something else than its samples come to.
    Different = 6,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command stopped before it was done.
#[derive(Debug)]
pub(crate) struct Stop {
    pub(crate) exit: Exit,
    /// The input, the rule and the fix.
    pub(crate) message: String,
}

impl Stop {
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: message.into() }
    }

    /// A catalogue that cannot be used. A mistake in a file begins with `error:` itself; the caller puts it there.
    pub(crate) fn mistaken(mistakes: &Error) -> Self {
        let text = mistakes.to_string();
        Self::usage(text.strip_prefix("error: ").unwrap_or(&text))
    }
}

/// Every exit code, for `cargo chaos --help`.
pub(crate) const ALL: &str = "\
Exit codes:
  0  done
  1  run: a scenario did not pass; report: a test did not, and --fail-on-violation was given, or a figure is
     worse, and --fail-on-regression was
  2  wrong usage, a catalogue with mistakes, nothing to run, or an output that cannot be written
  3  some records could not be read; the others were reported, or verified
  4  no records were found
  5  something a dead run left could not be undone (reap)
  6  a record says something else than its samples come to (verify)

Examples:
  cargo nextest run && cargo chaos report        run the tests, read the report
  cargo chaos report --fail-on-violation         the same as a gate in a pipeline
  cargo chaos run --target http://127.0.0.1:8000 --dry-run
  cargo chaos list                               what can be run, and what each test is called
  cargo chaos check scenarios/chaos_scenarios.yml";
