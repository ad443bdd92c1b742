use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::units::{Percent, show_duration};

/// A run that was stopped before its time.
///
/// ```
/// use chaos_test::report::Report;
/// use chaos_test::units::show_duration;
/// fn why_it_stopped(report: &Report) -> Option<String> {
///     let abort = report.trace.abort.as_ref()?;
///     Some(format!("after {}: {}", show_duration(abort.at), abort.cause))
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Abort {
    /// When, from the start of the baseline.
    pub at: Duration,
    /// What stopped it.
    pub cause: AbortCause,
}

/// What stopped a run. Its `Display` is the sentence for people, with the figures.
///
/// ```
/// use chaos_test::model::AbortCause;
/// // Whether somebody stopped it, which says nothing of the service.
/// fn from_outside(cause: &AbortCause) -> bool {
///     matches!(cause, AbortCause::Signal(_) | AbortCause::RunnerGone | AbortCause::Dropped)
/// }
/// let cause = AbortCause::Signal("SIGTERM".into());
/// assert!(from_outside(&cause));
/// assert_eq!(cause.to_string(), "the test process was sent SIGTERM");
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AbortCause {
    /// The abort condition `error_rate_percent`.
    ErrorRate {
        /// The stream it was measured on.
        stream: String,
        /// How many samples were bad.
        bad: u64,
        /// Of how many.
        of: u64,
        /// In how long a time.
        within: Duration,
        /// The share allowed.
        limit: Percent,
    },
    /// The abort condition `consecutive_failures`.
    ConsecutiveFailures {
        /// The stream it was measured on.
        stream: String,
        /// How many bad samples came one after the other.
        count: u64,
        /// From the first of them to the last.
        lasting: Duration,
        /// How many it takes.
        limit: u32,
    },
    /// The abort condition `response_time_ms`.
    ResponseTime {
        /// The stream it was measured on.
        stream: String,
        /// How long the answer took, or had taken so far.
        took: Duration,
        /// Whether it was still to come.
        pending: bool,
        /// The time allowed.
        limit: Duration,
    },
    /// The test process got that signal: `SIGTERM`.
    Signal(String),
    /// The test process was asked to end, and whatever had started it was gone already.
    RunnerGone,
    /// A deadline has passed; the text says which and how long it was.
    Deadline(String),
    /// The test gave the run up: its future was dropped.
    Dropped,
}

impl AbortCause {
    /// The few words that stand in `Aborted(…)`.
    pub fn label(&self) -> &str {
        match self {
            Self::ErrorRate { .. } => "error rate",
            Self::ConsecutiveFailures { .. } => "consecutive failures",
            Self::ResponseTime { .. } => "response time",
            Self::Signal(name) => name,
            Self::RunnerGone => "runner gone",
            Self::Deadline(_) => "deadline",
            Self::Dropped => "test dropped",
        }
    }
}

impl fmt::Display for AbortCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ErrorRate { stream, bad, of, within, limit } => {
                let share = *bad as f64 / (*of).max(1) as f64 * 100.0;
                write!(
                    f,
                    "abort condition `error_rate_percent`: {} % > {} % of the last {} of {stream} (n = {of})",
                    (share * 10.0).round() / 10.0,
                    limit.value(),
                    show_duration(*within)
                )
            }
            Self::ConsecutiveFailures { stream, count, lasting, limit } => write!(
                f,
                "abort condition `consecutive_failures`: {count} bad samples of {stream} one after the other, over {} \
                 (limit {limit})",
                show_duration(*lasting)
            ),
            Self::ResponseTime { stream, took, pending, limit } => write!(
                f,
                "abort condition `response_time_ms`: {} > {} on {stream}{}",
                show_duration(*took),
                show_duration(*limit),
                if *pending { ", and still no answer" } else { "" }
            ),
            Self::Signal(name) => write!(f, "the test process was sent {name}"),
            Self::RunnerGone => {
                f.write_str("the test process was told to end, and whatever had started it was gone")
            }
            Self::Deadline(which) => write!(f, "{which} has passed"),
            Self::Dropped => f.write_str("the test gave the run up before it was over"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_names_the_condition_with_its_numbers() {
        let seconds = Duration::from_secs;
        let cause = AbortCause::ErrorRate {
            stream: "app".into(),
            bad: 130,
            of: 210,
            within: seconds(10),
            limit: Percent::new(50.0).unwrap(),
        };
        assert_eq!(
            cause.to_string(),
            "abort condition `error_rate_percent`: 61.9 % > 50 % of the last 10 s of app (n = 210)"
        );
        let cause = AbortCause::ConsecutiveFailures {
            stream: "app".into(),
            count: 901,
            lasting: seconds(18),
            limit: 10,
        };
        assert_eq!(
            cause.to_string(),
            "abort condition `consecutive_failures`: 901 bad samples of app one after the other, over 18 s (limit 10)"
        );
        let slow = |pending| AbortCause::ResponseTime {
            stream: "app".into(),
            took: Duration::from_millis(5200),
            pending,
            limit: seconds(5),
        };
        assert_eq!(slow(false).to_string(), "abort condition `response_time_ms`: 5.2 s > 5 s on app");
        assert!(slow(true).to_string().ends_with("on app, and still no answer"));
    }
}
