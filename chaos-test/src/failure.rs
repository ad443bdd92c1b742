use std::fmt;

use crate::error::Error;
use crate::report::Report;

/// What a chaos test returns.
///
/// ```no_run
/// use chaos_test::Failure;
/// use chaos_test::prelude::*;
///
/// async fn the_shop_bears_a_slow_network() -> TestResult {
///     let experiment = Experiment::scenario("Medium Network Delay")?.against("http://127.0.0.1:8000");
///     Failure::of(experiment.slo("staging").run().await)
/// }
/// ```
pub type TestResult = Result<(), Failure>;

/// Why a chaos test failed. Its `Debug` is the text for people, because that is what the test harness prints: the
/// first line, after `Error: `, is the whole sentence.
///
/// ```
/// use chaos_test::report::Report;
/// use chaos_test::{Error, Failure};
///
/// /// One sentence, where the whole text is too long.
/// fn short(failure: &Failure) -> String {
///     failure.report().map_or_else(|| failure.to_string(), Report::headline)
/// }
/// assert_eq!(short(&Failure::from(Error::setup("port 5432 is taken"))), "port 5432 is taken");
/// ```
pub struct Failure(Box<Cause>);

#[allow(clippy::large_enum_variant, reason = "there is one per failed test, and it is boxed")]
enum Cause {
    Verdict(Report),
    Error(Error),
}

impl Failure {
    /// The report, if the experiment was carried out.
    pub fn report(&self) -> Option<&Report> {
        match &*self.0 {
            Cause::Verdict(report) => Some(report),
            Cause::Error(_) => None,
        }
    }

    /// Nothing if the test with that outcome passes; why not, if it does not.
    pub fn of(outcome: Result<Report, Error>) -> TestResult {
        match outcome {
            Ok(report) if report.passed() => Ok(()),
            Ok(report) => Err(Self(Box::new(Cause::Verdict(report)))),
            Err(error) => Err(error.into()),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(Box::new(Cause::Error(error)))
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Cause::Verdict(report) => f.write_str(&report.text()),
            Cause::Error(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Failure {}
