use std::collections::BTreeMap;
use std::time::Duration;

use super::super::Report;
use crate::model::{Outcome, Phase, Stream, StreamKind};

/// What the clients of a stream saw in one phase.
pub(super) struct Seen<'r> {
    pub(super) stream: &'r Stream,
    phase: Phase,
    total: u64,
    bad: BTreeMap<How, u64>,
}

/// How an answer was bad, as far as it makes a difference to who mends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum How {
    /// No connection, or it broke.
    Refused,
    /// No answer in time.
    Hung,
    /// Turned away on purpose: 429, 503.
    TurnedAway(u16),
    /// Any other status.
    Status(u16),
    /// The wrong content.
    WrongBody,
    /// The body of the test returned an error.
    Failed,
    /// It panicked.
    Panicked,
}

impl How {
    fn of(outcome: Outcome) -> Option<Self> {
        Some(match outcome {
            Outcome::Good => return None,
            Outcome::ConnectError => Self::Refused,
            Outcome::Timeout | Outcome::Dropped => Self::Hung,
            Outcome::BadStatus(status @ (429 | 503)) => Self::TurnedAway(status),
            Outcome::BadStatus(status) => Self::Status(status),
            Outcome::BadBody => Self::WrongBody,
            Outcome::Failed => Self::Failed,
            Outcome::Panicked => Self::Panicked,
        })
    }

    fn phrase(self) -> String {
        match self {
            Self::Refused => "refused or cut off".into(),
            Self::Hung => "without an answer in time".into(),
            Self::TurnedAway(status) | Self::Status(status) => format!("status {status}"),
            Self::WrongBody => "with the wrong content".into(),
            Self::Failed => "failed in the test body".into(),
            Self::Panicked => "panicked in the test body".into(),
        }
    }
}

impl<'r> Seen<'r> {
    /// What was seen of the stream of that name; where it is the test body, which only knows that it failed, of the requests
    /// that its client sent, if one of those was bad.
    pub(super) fn of(report: &'r Report, name: &str, phase: Phase) -> Option<Self> {
        let streams = &report.trace.streams;
        let named = streams.iter().find(|stream| stream.name == name)?;
        let beneath = streams.iter().find(|stream| stream.kind == StreamKind::Request);
        let requests = beneath.filter(|_| named.kind == StreamKind::Transaction);
        let requests =
            requests.map(|stream| Self::count(report, stream, phase)).filter(|seen| !seen.bad.is_empty());
        Some(requests.unwrap_or_else(|| Self::count(report, named, phase)))
    }

    fn count(report: &'r Report, stream: &'r Stream, phase: Phase) -> Self {
        let mut seen = Self { stream, phase, total: 0, bad: BTreeMap::new() };
        for sample in &stream.samples {
            if report.trace.marks.phase_of(sample.at) == Some(phase) {
                seen.total += 1;
                if let Some(how) = How::of(sample.outcome) {
                    *seen.bad.entry(how).or_default() += 1;
                }
            }
        }
        seen
    }

    /// How most of the bad answers were bad.
    pub(super) fn mostly(&self) -> Option<How> {
        self.bad.iter().max_by_key(|(_, n)| **n).map(|(how, _)| *how)
    }

    /// How long an answer may take before it counts as none.
    pub(super) fn patience(&self) -> Duration {
        self.stream.timeout
    }

    /// `of 1000 answers of app in the chaos phase 480 without an answer in time, 32 status 503`
    pub(super) fn sentence(&self) -> String {
        let mut all: Vec<(&How, &u64)> = self.bad.iter().collect();
        all.sort_by_key(|(_, n)| std::cmp::Reverse(**n));
        let parts: Vec<String> = all.iter().take(4).map(|(how, n)| format!("{n} {}", how.phrase())).collect();
        let what = if self.stream.kind == StreamKind::Probe {
            format!("checks of {}", self.stream.name)
        } else if self.stream.kind == StreamKind::Transaction {
            "runs of the test body".into()
        } else {
            "requests".into()
        };
        let parts = if parts.is_empty() { "none was bad".into() } else { parts.join(", ") };
        format!("of {} {what} in the {} phase {parts}", self.total, self.phase)
    }
}
